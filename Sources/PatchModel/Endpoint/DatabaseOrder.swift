/// What a worker is to do with a folder's database, and how.
public struct DatabaseOrder: Hashable, Codable, Sendable {
    /// As in the configuration.
    public var url: DatabaseReference
    /// `auto`, `none` or a command.
    public var backup: String
    /// The command that restores what the command `backup` made; empty otherwise.
    public var restore: String
    /// Whether other sessions are ended before the first step, or only when they are in the way.
    public var disconnect: Endpoint.Disconnect
    /// Users, units or programs that are never ended.
    public var spare: [String]
    /// Seconds that other sessions get to leave by themselves.
    public var grace: Double
    /// The scripts that are in effect in the folder according to its state, which the database must have records of;
    /// nil where the state was not read.
    public var done: [StepKey]?
    /// Where the configuration has the credentials that the worker was given; nil for none.
    public var credentials: String?
    /// The recommended version, for the phase `show`; nil where none is known.
    public var recommended: Version?
    /// The command that runs scripts in SQL, for a database that patchd does not speak; nil: patchd runs them itself.
    public var command: String?

    /// Whether patchd speaks to the database itself, and keeps its record there.
    public var isKnown: Bool { command == nil }

    /// Memberwise.
    public init(
        url: DatabaseReference, backup: String = "auto", restore: String = "",
        disconnect: Endpoint.Disconnect = .always,
        spare: [String] = [], grace: Double = 30, done: [StepKey]? = nil, credentials: String? = nil,
        command: String? = nil
    ) {
        self.url = url
        self.backup = backup
        self.restore = restore
        self.disconnect = disconnect
        self.spare = spare
        self.grace = grace
        self.done = done
        self.credentials = credentials
        self.command = command
    }
}

extension Endpoint {
    /// A folder's database as a worker has to know it; nil where it has none.
    ///
    /// - Parameter done: the scripts that are in effect there; nil where nobody asks the state.
    public func databaseOrder(of folder: String, done: [StepKey]? = nil) -> DatabaseOrder? {
        guard let own = folders.first(where: { $0.name == folder }), let url = own.database else { return nil }
        return DatabaseOrder(
            url: url, backup: copies, restore: restore, disconnect: disconnect, spare: spare, grace: grace, done: done,
            credentials: own.credentials, command: sql.isEmpty ? nil : sql)
    }

    /// ``backup`` as far as it has an effect: `auto` knows only databases that patchd speaks.
    public var copies: String { !sql.isEmpty && backup == "auto" ? "none" : backup }
}
