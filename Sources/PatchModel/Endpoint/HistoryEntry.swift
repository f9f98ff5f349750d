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
    /// Of an update that was done: what later jobs have to know of it, so that they need not read its plan. Nil also where an
    /// older patchd recorded it.
    public var effect: Effect?

    /// What an update left in a folder.
    public struct Effect: Hashable, Codable, Sendable {
        /// For each of its patches whether it was applied.
        public var patches: [String: Bool]
        /// The scripts and rows that the folder's database knows; none where it has no database.
        public var scripts: [Script]

        /// A script that is in effect.
        public struct Script: Hashable, Codable, Sendable {
            /// What the database calls it.
            public var key: StepKey
            /// The version that it belongs to.
            public var version: Version
        }

        /// The effect of a plan when all of it is done.
        public init(_ plan: FolderPlan, of update: String) { self.init(FolderOverview(plan), of: update) }

        /// The same, from the plan's overview.
        public init(_ overview: FolderOverview, of update: String) {
            patches = overview.plan.patches
            scripts = overview.plan.hasDatabase ? overview.scripts(of: update) : []
        }
    }

    /// Memberwise.
    public init(
        job: Int, operation: UpdateOptions.Operation, update: String, from: Version?, to: Version?,
        state: FolderJob.State, at: Timestamp, undone: [Int]? = nil, effect: Effect? = nil
    ) {
        self.effect = effect
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
