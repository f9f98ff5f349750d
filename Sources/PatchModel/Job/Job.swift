import PatchJSON

/// `STATE/jobs/<n>/job.json`: one operation of one update on one endpoint.
public struct Job: Hashable, Codable, Sendable {
    /// Where a job stands.
    public enum State: String, Codable, CaseIterable, Sendable {
        case queued, waiting, pendingApproval, declined, running, done, failed, cancelled

        /// Whether nothing more will happen to it by itself.
        public var isFinal: Bool {
            switch self {
            case .queued, .waiting, .pendingApproval, .running: false
            case .declined, .done, .failed, .cancelled: true
            }
        }
    }

    /// The form of this file.
    public var schema = 1
    /// 1, 2, 3 …
    public var job: Int
    /// The endpoint's name.
    public var endpoint: String
    /// What it does.
    public var operation: UpdateOptions.Operation
    /// The update's name.
    public var update: String
    /// The update's version.
    public var version: Version
    /// Of the archive; names its directory below `STATE/archives/`.
    public var sha256: String
    /// Where it stands.
    public internal(set) var state: State
    /// What a waiting job waits for; empty otherwise.
    public internal(set) var waitingFor: String
    /// Since when it waits for that; nil otherwise.
    public internal(set) var waitingSince: Timestamp?
    /// A ``FaultCode``; empty unless it failed.
    public internal(set) var code: String
    /// For people; empty when there is nothing to say.
    public internal(set) var message: String
    /// Who signed the archive; empty for nobody.
    public var signer: String
    /// What was asked for.
    public internal(set) var options: UpdateOptions
    /// The drop that it came from: a drop that is processed again after a crash makes no second job.
    public var claim: String
    /// What was dropped, the last time where a drop resumed it; nil where it came from no drop.
    public var drop: JobDrop?
    /// When the archive was taken.
    public var createdAt: Timestamp
    /// When it began to run for the first time.
    @OrNull public internal(set) var startedAt: Timestamp?
    /// When it ended for the last time.
    @OrNull public internal(set) var finishedAt: Timestamp?
    /// When 9998 was first shown; nil before that, or without a lead time.
    public internal(set) var announcedAt: Timestamp?
    /// When 9998 `trying` was first shown: from then on each folder has its own ``FolderJob/disconnectedAt``. nil where the
    /// applications leave before anything is done.
    public internal(set) var triedAt: Timestamp?
    /// When 9999 was first shown; nil before that.
    public internal(set) var disconnectedAt: Timestamp?
    /// When nobody was found inside any more, or nobody looked: from then on holds are not looked for, also not after a
    /// crash. nil before that.
    public internal(set) var admittedAt: Timestamp?
    /// When the endpoint's tasks were stopped: from then on the locks say that the folders are being updated. nil before that.
    public internal(set) var quiescedAt: Timestamp?
    /// When its end began: nothing is changed any more, and what is fit for use is unlocked. nil before that.
    public internal(set) var endingAt: Timestamp?
    /// Of a job that was resumed and has not had its turn since: by folder, the step that counts as done. nil for others.
    public internal(set) var resumption: [String: Int]?
    /// The process that stayed in a folder beyond its time, so that the job waits for it; nil for none.
    public internal(set) var blockingProcess: BlockingProcess?
    /// The place in the order in which the endpoint's jobs began to change something: one that waited lies above jobs with
    /// higher numbers. nil before that.
    public internal(set) var turn: Int?
    /// Of a rollback: what is taken back; nil for others.
    public internal(set) var rollback: RollbackTarget?
    /// When somebody asked for it to end; nil for never.
    public internal(set) var cancelledAt: Timestamp?
    /// The request that made it, or that was last carried out on it: one that is read again after a crash has been carried
    /// out.
    public internal(set) var request: String?
    /// Where the endpoint asks for approval: what waits for it, or was approved; nil before that.
    public internal(set) var approval: JobApproval?
    /// The folders that go first; nil for none, and before the first plan.
    public internal(set) var canary: JobCanary?
    /// Parts of the update that have no effect here; nil for none.
    public internal(set) var warnings: [String]?
    /// By unit, why it did not come up again when the job last ended, whatever else failed; nil for none.
    public internal(set) var units: [String: String]?
    /// By folder name; empty before the first plan.
    public internal(set) var folders: [String: FolderJob]

    /// A job that has just been taken.
    public init(
        job: Int, endpoint: String, update: String, version: Version, sha256: String, options: UpdateOptions,
        claim: String, createdAt: Timestamp, rollback: RollbackTarget? = nil, request: String? = nil,
        warnings: [String] = [], drop: JobDrop? = nil, signer: String = ""
    ) {
        self.drop = drop
        self.warnings = warnings.isEmpty ? nil : warnings
        self.rollback = rollback
        self.request = request
        self.job = job
        self.endpoint = endpoint
        self.update = update
        self.version = version
        self.sha256 = sha256
        self.options = options
        self.claim = claim
        self.createdAt = createdAt
        operation = options.operation
        state = .queued
        waitingFor = ""
        code = ""
        message = ""
        self.signer = signer
        folders = [:]
    }
}

/// A process that keeps a folder's directory locked (flock(2)) and did not leave when it was asked to.
public struct BlockingProcess: Hashable, Codable, Sendable {
    /// The folder.
    public var folder: String
    /// The process.
    public var pid: Int32
    /// When it started, in the kernel's ticks since the boot: another one may get its number.
    public var started: UInt64

    /// A process from its parts.
    public init(folder: String, pid: Int32, started: UInt64) {
        self.folder = folder
        self.pid = pid
        self.started = started
    }
}

/// What a rollback takes back.
public struct RollbackTarget: Hashable, Codable, Sendable {
    /// The folder, with those below it; nil: all folders of the job.
    public var folder: String?
    /// The job to undo; the newest of several.
    public var job: Int
    /// Back to this version; nil: only the last job is undone.
    public var to: Version?
    /// Whether databases are put back from the copies of that time, with the loss of what was written since.
    public var discardsData: Bool

    /// A target from its parts.
    public init(folder: String? = nil, job: Int, to: Version? = nil, discardsData: Bool = false) {
        self.discardsData = discardsData
        self.folder = folder
        self.job = job
        self.to = to
    }
}
