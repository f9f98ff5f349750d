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
    /// Before the last job that raised it.
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
    /// Below an ancestor that a job has raised.
    public var behind: Bool
    /// Ran ahead of its reference folder by itself.
    public var diverged: Bool
    /// The highest version done on the endpoint and not unstable; nil for none.
    @OrNull public var recommendedVersion: Version?
    /// Absolute.
    public var path: String
    /// The user that the folder was first seen to belong to; a change is the fault `ownership`.
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

    /// An entry from its parts.
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
