/// A process that holds a lock for which a session waits.
public struct Blocker: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The process; nil where it runs on another host.
    public var pid: Int32?
    /// When it started, in the kernel's ticks since the boot. Together with ``pid`` it identifies the process; a pid
    /// alone is reused.
    public var started: UInt64
    /// Its name.
    public var command: String
    /// The systemd unit that it belongs to, such as `payroll-app@SEED.service` or `session-3.scope`; nil where there is
    /// none.
    public var unit: String?
    /// Whether it holds the lock for writing; otherwise for reading.
    public var writes: Bool
    /// Its session on a database server; nil where the database is a file.
    public var session: DatabaseSession?

    /// Memberwise.
    public init(
        pid: Int32?, started: UInt64 = 0, command: String, unit: String? = nil, writes: Bool,
        session: DatabaseSession? = nil
    ) {
        self.pid = pid
        self.started = started
        self.command = command
        self.unit = unit
        self.writes = writes
        self.session = session
    }

    /// The unit, where stopping it ends this process and nobody else's session: a system service that is not a user's
    /// service manager.
    public var stoppableUnit: String? {
        guard let unit, unit.hasSuffix(".service"), !unit.hasPrefix("user@") else { return nil }
        return unit
    }

    /// Whether it calls itself one of patchd's own: a worker, or a worker's session on a server.
    public var isOwn: Bool { command == "patchd-worker" || session != nil && command == "patchd" }

    /// `python3 (pid 4711, payroll-app.service)`, `psql (session 4711, user app, idle for 20 s, last: SELECT …)`.
    public var description: String {
        if let session { return description(of: session) }
        let place = [pid.map { "pid \($0)" }, unit].compactMap { $0 }.joined(separator: ", ")
        return place.isEmpty ? command : "\(command) (\(place))"
    }

    private func description(of session: DatabaseSession) -> String {
        var parts = session.canBeEnded ? ["session \(session.id)"] : []
        parts.append("user \(session.user)")
        if !session.address.isEmpty { parts.append("from \(session.address)") }
        if let seconds = session.seconds { parts.append("for \(seconds) s") }
        if !session.statement.isEmpty { parts.append(session.statement) }
        return "\(command.isEmpty ? "a program without a name" : command) (\(parts.joined(separator: ", ")))"
    }
}
