import CSystemd
import Glibc

/// Messages of a service of `Type=notify` to systemd (sd_notify(3)). Without `NOTIFY_SOCKET` in the environment nothing
/// happens. A message that cannot be sent is no error: systemd's own time limits notice.
public struct ServiceNotification: Sendable {
    /// To the manager that started this process.
    public init() {}

    /// The service is up; or, after ``reloading()``, has finished that.
    public func ready() { send("READY=1") }

    /// It reads its configuration again; ``ready()`` has to follow.
    public func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Bus.now)") }

    /// The service is about to end.
    public func stopping() { send("STOPPING=1") }

    /// The line that `systemctl status` shows. Line breaks, which would begin another message, become spaces.
    public func status(_ text: String) {
        send("STATUS=" + String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 })))
    }

    /// The service is alive; due within ``watchdogInterval``, better twice in it.
    public func watchdog() { send("WATCHDOG=1") }

    /// `WatchdogSec=` of this service; nil without one.
    public var watchdogInterval: Duration? {
        var usec: UInt64 = 0
        return sd_watchdog_enabled(0, &usec) > 0 ? .microseconds(usec) : nil
    }

    private func send(_ state: String) { sd_notify(0, state) }
}
