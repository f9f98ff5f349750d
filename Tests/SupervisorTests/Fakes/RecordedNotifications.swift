import Supervisor
import Synchronization

/// Keeps what a service says about itself.
final class RecordedNotifications: ServiceNotifications {
    private let said = Mutex<[String]>([])
    private let beats = Mutex(0)

    /// Lines for `systemctl status`, and `READY`.
    var lines: [String] { said.withLock { $0 } }
    /// How often the main loop said that it lives.
    var heartbeats: Int { beats.withLock { $0 } }

    func ready() { said.withLock { $0.append("READY") } }
    func reloading() { said.withLock { $0.append("RELOADING") } }
    func status(_ line: String) { said.withLock { $0.append(line) } }
    func alive() { beats.withLock { $0 += 1 } }
    var watchdog: Double? { nil }
}
