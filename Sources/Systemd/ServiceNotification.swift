import CSystemd
import Glibc
import Synchronization

/// What a service of `Type=notify` tells systemd about itself (sd_notify(3)). Without `NOTIFY_SOCKET` in the environment
/// nothing happens. A message that cannot be sent is no error: systemd's own time limits notice.
///
/// Not by sd_notify(3), which blocks while nobody reads the socket. What the full socket does not take is sent before the
/// next message, the latest of each kind only.
public final class ServiceNotification: Sendable {
    /// Messages that were not taken yet, oldest first.
    private let waiting = Mutex<[String]>([])

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

    private func send(_ message: String) {
        waiting.withLock { waiting in
            let kind = message.prefix { $0 != "=" }
            waiting.removeAll { $0.prefix { $0 != "=" } == kind }
            waiting.append(message)
            while let first = waiting.first, Self.isTaken(first) { waiting.removeFirst() }
        }
    }

    /// Whether it need not be sent again: it was sent, or there is nobody to send it to.
    private static func isTaken(_ message: String) -> Bool {
        guard var name = getenv("NOTIFY_SOCKET").map({ Array(String(cString: $0).utf8) }), name.count > 1 else {
            return true
        }
        // `@` stands for the byte 0 of an abstract address.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return true }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = (MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + name.count + (name[0] == 0 ? 0 : 1)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, message, message.utf8.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
                    $0, socklen_t(length))
            }
        }
        return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS)
    }
}
