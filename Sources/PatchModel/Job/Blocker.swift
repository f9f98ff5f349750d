/// Whoever holds a lock that a session waits for.
public struct Blocker: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The process; nil where it runs on another host.
    public var pid: Int32?
    /// When it started, in the kernel's ticks since the boot: with ``pid`` it names the process for good, a pid alone
    /// is used again.
    public var started: UInt64
    /// Its name.
    public var command: String
    /// The systemd unit it belongs to, `payroll-app@SEED.service` or `session-3.scope`; nil where there is none.
    public var unit: String?
    /// Whether it holds the lock to write; else it reads.
    public var writes: Bool

    /// A blocker from its parts.
    public init(pid: Int32?, started: UInt64 = 0, command: String, unit: String? = nil, writes: Bool) {
        self.pid = pid
        self.started = started
        self.command = command
        self.unit = unit
        self.writes = writes
    }

    /// The unit, where stopping it ends this process and nobody else's session: a service of the system that is not
    /// some user's whole service manager.
    public var stoppableUnit: String? {
        guard let unit, unit.hasSuffix(".service"), !unit.hasPrefix("user@") else { return nil }
        return unit
    }

    /// `python3 (pid 4711, payroll-app.service)`.
    public var description: String {
        let place = [pid.map { "pid \($0)" }, unit].compactMap { $0 }.joined(separator: ", ")
        return place.isEmpty ? command : "\(command) (\(place))"
    }
}
