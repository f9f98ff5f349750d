/// Which folders and patches are applied: `NAME.zip.json`, or the options of `patchctl submit`.
public struct UpdateOptions: Hashable, Codable, Sendable {
    /// What a job does.
    public enum Operation: String, Codable, Sendable { case apply, test, rollback }

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

    /// Options that leave everything at its default.
    public init(
        operation: Operation = .apply, endpoints: [String]? = nil, exclude: [String] = [], only: [String] = [],
        patches: [String: Bool] = [:], force: Bool = false
    ) {
        self.operation = operation
        self.endpoints = endpoints
        self.exclude = exclude
        self.only = only
        self.patches = patches
        self.force = force
    }
}
