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
    public var state: State
    /// What a waiting job waits for; empty otherwise.
    public var waitingFor: String
    /// Since when it waits for that; nil otherwise.
    public var waitingSince: Timestamp?
    /// A ``FaultCode``; empty unless it failed.
    public var code: String
    /// For people; empty when there is nothing to say.
    public var message: String
    /// Who signed the archive; empty for nobody.
    public var signer: String
    /// What was asked for.
    public var options: UpdateOptions
    /// The drop that it came from: a drop that is processed again after a crash makes no second job.
    public var claim: String
    /// What was dropped, the last time where a drop let it go on; nil where it came from no drop.
    public var drop: JobDrop?
    /// When the archive was taken.
    public var createdAt: Timestamp
    /// When it began to run for the first time.
    @OrNull public var startedAt: Timestamp?
    /// When it ended for the last time.
    @OrNull public var finishedAt: Timestamp?
    /// When 9998 was first shown; nil before that, or without a lead time.
    public var announcedAt: Timestamp?
    /// When 9999 was first shown; nil before that.
    public var disconnectedAt: Timestamp?
    /// When nobody was found inside any more, or nobody looked: from then on holds are not looked for, also not after a
    /// crash. nil before that.
    public var admittedAt: Timestamp?
    /// Of a job that was resumed and has not had its turn since: by folder, the step that counts as done. nil for others.
    public var resumption: [String: Int]?
    /// Who stayed inside beyond their time, so that it waits for them; nil for nobody.
    public var insider: Insider?
    /// The place in the order in which the endpoint's jobs began to change something: one that waited lies above jobs with
    /// higher numbers. nil before that.
    public var turn: Int?
    /// Of a rollback: what is taken back; nil for others.
    public var rollback: RollbackTarget?
    /// When somebody asked for it to end; nil for never.
    public var cancelledAt: Timestamp?
    /// The request that made it, or that was last carried out on it: one that is read again after a crash has been carried
    /// out.
    public var request: String?
    /// Where the endpoint asks for approval: what waits for it, or was approved; nil before that.
    public var approval: JobApproval?
    /// By folder name; empty before the first plan.
    public var folders: [String: FolderJob]

    /// A job that has just been taken.
    public init(
        job: Int, endpoint: String, update: String, version: Version, sha256: String, options: UpdateOptions,
        claim: String, createdAt: Timestamp
    ) {
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
        signer = ""
        folders = [:]
    }
}

extension Job {
    /// Whether it has changed, or begun to change, some folder.
    public var hasBegun: Bool {
        folders.values.contains { [.running, .done, .failed, .blocked, .reverted].contains($0.state) }
    }

    /// Whether it has come to its locks.
    public var isLocking: Bool {
        announcedAt != nil || disconnectedAt != nil || folders.values.contains { $0.state == .running }
            || state == .failed && isHolding
    }

    /// Its place among the jobs of its endpoint. Jobs from before there were turns ran in the order of their numbers.
    public var order: Int { turn ?? job }

    /// What its folders show while they are locked for it.
    public var lockPhase: UpdateLock.Phase { rollback == nil ? .updating : .reverting }

    /// Whether another archive of the same update and version stands for a fix of this job's.
    public func isCorrected(by other: Job) -> Bool {
        other.update == update && other.version == version && other.sha256 != sha256 && rollback == nil
            && other.operation == .apply
    }

    /// Whether nothing of it is left to be gone on with: what failed was put back, and later jobs may have raised since what
    /// was blocked by it.
    public var isSettled: Bool {
        !isHolding && folders.values.contains { [.reverted, .blocked].contains($0.state) }
    }

    /// Whether it failed in some folder and holds it until an admin acts.
    public var isHolding: Bool { folders.values.contains { $0.state == .failed } }
}

/// The file that a job came from, as it lay in `incoming/`.
public struct JobDrop: Hashable, Codable, Sendable {
    /// Its name.
    public var name: String
    /// When its content was last written.
    public var time: Timestamp
    /// Whose it was.
    public var owner: UInt32

    /// A drop from its parts.
    public init(name: String, time: Timestamp, owner: UInt32) {
        self.name = name
        self.time = time
        self.owner = owner
    }
}

/// A process that keeps a folder's directory locked (flock(2)) and did not leave when it was asked to.
public struct Insider: Hashable, Codable, Sendable {
    /// The folder.
    public var folder: String
    /// The process.
    public var pid: Int32
    /// When it started, in the kernel's ticks since the boot: another one may get its number.
    public var started: UInt64

    /// An insider from its parts.
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

/// One folder in a job.
public struct FolderJob: Hashable, Codable, Sendable {
    /// Where a folder stands in a job.
    public enum State: String, Codable, CaseIterable, Sendable {
        case pending, running, done, upToDate, excluded, failed, blocked, reverted
    }

    /// How far a folder is; `done` of `total` steps.
    public struct Progress: Hashable, Codable, Sendable {
        /// Steps done.
        public var done: Int
        /// Steps in all.
        public var total: Int
        /// The step under way; empty for none.
        public var step: String

        /// Progress from its parts.
        public init(done: Int = 0, total: Int, step: String = "") {
            self.done = done
            self.total = total
            self.step = step
        }
    }

    /// Where it stands.
    public var state: State
    /// A ``FaultCode``; empty unless it failed.
    public var code: String
    /// For people.
    public var message: String
    /// Files that were as they should be and not written again.
    public var equal: Int
    /// How far it is.
    public var progress: Progress

    /// A folder's place in a job.
    public init(state: State, code: String = "", message: String = "", equal: Int = 0, progress: Progress) {
        self.state = state
        self.code = code
        self.message = message
        self.equal = equal
        self.progress = progress
    }
}
