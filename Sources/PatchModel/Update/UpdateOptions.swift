/// Which folders and patches are applied: `NAME.zip.json`, or the options of `patchctl submit`.
public struct UpdateOptions: Hashable, Codable, Sendable {
    /// What a job does.
    public enum Operation: String, Codable, Sendable { case apply, test, rollback }

    /// How the scripts are tried on a copy first, whatever the endpoint says.
    public enum Rehearse: String, Codable, Sendable {
        /// Each once.
        case once
        /// Each a second time when all have run: what cannot run twice is a fault.
        case twice
    }

    /// `apply` or `test`.
    public var operation: Operation
    /// Endpoint names; nil: every endpoint that accepts the update.
    public var endpoints: [String]?
    /// Folders left out, with their descendants.
    public var exclude: [String]
    /// Subtrees to which the job is limited; empty: every folder.
    public var only: [String]
    /// Optional patches switched on or off, by name.
    public var patches: [String: Bool]
    /// Apply also what is marked unstable.
    public var force: Bool

    /// Nil: as the endpoint says.
    public var rehearse: Rehearse?

    /// Options that leave everything at its default.
    public init(
        operation: Operation = .apply, endpoints: [String]? = nil, exclude: [String] = [], only: [String] = [],
        patches: [String: Bool] = [:], force: Bool = false, rehearse: Rehearse? = nil
    ) {
        self.operation = operation
        self.endpoints = endpoints
        self.exclude = exclude
        self.only = only
        self.patches = patches
        self.force = force
        self.rehearse = rehearse
    }
}
