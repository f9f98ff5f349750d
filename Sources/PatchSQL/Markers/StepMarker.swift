public import PatchModel

/// The record, in the database itself, that a script was run.
public struct StepMarker: Hashable, Sendable {
    /// How far it is.
    public enum State: String, Sendable {
        /// It was begun and has not ended: its first statements took effect, and no other.
        case running
        /// As ``running``; besides, the next statement was begun outside of a transaction, and may have taken effect.
        case executing
        /// It is done.
        case done
        /// An admin said that it is.
        case assumed
    }

    /// Which script.
    public var key: StepKey
    /// The version it is for.
    public var version: Version
    /// How far it is.
    public var state: State
    /// The job that ran it.
    public var job: Int
    /// How many of its statements took effect for good.
    public var statements: Int
    /// How many it has.
    public var total: Int
    /// Of those that took effect (``SQLScript/hash(first:)``), of the whole script when it is done.
    public var hash: String
    /// When it was begun, or done.
    public var at: Timestamp

    /// Whether it is never run again.
    public var isDone: Bool { state == .done || state == .assumed }

    /// A marker from its parts.
    public init(
        _ key: StepKey, version: Version, state: State, job: Int, statements: Int = 0, total: Int = 0,
        hash: String = "", at: Timestamp = .now
    ) {
        self.key = key
        self.version = version
        self.state = state
        self.job = job
        self.statements = statements
        self.total = total
        self.hash = hash
        self.at = at
    }
}

/// What a database knows of itself.
public struct DatabaseRecord: Hashable, Sendable {
    /// The folder's version when something was last recorded; nil where none was.
    public var version: Version?
    /// Ordered by job, then key.
    public var steps: [StepMarker]

    /// What it says of migrations.
    public var migrations: MigrationRecords { MigrationRecords(steps.filter(\.isDone).map(\.key)) }

    /// A record from its parts.
    public init(version: Version?, steps: [StepMarker]) {
        self.version = version
        self.steps = steps
    }

    /// The marker of a script.
    public subscript(key: StepKey) -> StepMarker? { steps.first { $0.key == key } }
}
