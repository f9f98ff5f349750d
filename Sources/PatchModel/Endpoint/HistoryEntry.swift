import PatchJSON

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

    /// An entry from its parts.
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
