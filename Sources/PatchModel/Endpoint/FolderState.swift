import PatchJSON

/// `STATE/endpoints/<endpoint>/<folder>.json`: what a folder is now. Readable by everybody.
public struct FolderState: Hashable, Codable, Sendable {
    /// What an admin sees first.
    public enum Status: String, Codable, Sendable { case current, updating, failed, reverting, behind }

    /// The form of this file.
    public var schema = 1
    /// The endpoint's name.
    public var endpoint: String
    /// The folder's name.
    public var folder: String
    /// Nil where no version is known.
    @OrNull public var version: Version?
    /// The version before the last job that raised it.
    @OrNull public var previousVersion: Version?
    /// See ``Status``.
    public var status: Status
    /// The last failure, until a later success.
    public var message: String
    /// The update that was last applied; empty for none.
    public var update: String
    /// The job that last changed it; 0 for none.
    public var job: Int
    /// When it last changed.
    public var updatedAt: Timestamp
    /// Relative to the state directory; empty for none.
    public var trace: String
    /// The patches of ``update`` and whether they are applied.
    public var patches: [String: Bool]
    /// Whether it is below an ancestor that a job has raised.
    public var behind: Bool
    /// Whether it was raised ahead of its reference folder.
    public var diverged: Bool
    /// The highest version done on the endpoint and not unstable; nil for none.
    @OrNull public var recommendedVersion: Version?
    /// Absolute.
    public var path: String
    /// The owner recorded when the folder was first loaded; a change is the fault `ownership`.
    public var owner: String

    /// The state of a folder that no job has touched yet.
    public init(endpoint: String, folder: String, version: Version?, path: String, owner: String, at: Timestamp) {
        self.endpoint = endpoint
        self.folder = folder
        self.version = version
        self.path = path
        self.owner = owner
        updatedAt = at
        status = .current
        message = ""
        update = ""
        job = 0
        trace = ""
        patches = [:]
        behind = false
        diverged = false
    }
}

/// One line of `<folder>.history.jsonl`.
public struct HistoryEntry: Hashable, Codable, Sendable {
    /// The job's number.
    public var job: Int
    /// What it did.
    public var operation: UpdateOptions.Operation
    /// The update's name.
    public var update: String
    /// The version before.
    @OrNull public var from: Version?
    /// The version afterwards.
    @OrNull public var to: Version?
    /// How it ended for this folder.
    public var state: FolderJob.State
    /// When it ended.
    public var at: Timestamp
    /// Of a rollback: the jobs that were undone, newest first.
    public var undone: [Int]?

    /// Memberwise.
    public init(
        job: Int, operation: UpdateOptions.Operation, update: String, from: Version?, to: Version?,
        state: FolderJob.State, at: Timestamp, undone: [Int]? = nil
    ) {
        self.undone = undone
        self.job = job
        self.operation = operation
        self.update = update
        self.from = from
        self.to = to
        self.state = state
        self.at = at
    }
}
