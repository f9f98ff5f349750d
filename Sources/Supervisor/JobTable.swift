import PatchLedger
import PatchModel
import PatchStore

/// All jobs. The files are the truth; this is the one place that writes them.
actor JobTable {
    private let state: StateDirectory
    private let tell: @Sendable (String) -> Void
    private let notices: NoticeQueue
    private var jobs: [Int: Job] = [:]
    /// Those that cannot be read; they have a number all the same.
    nonisolated let damaged: [DamagedJob]

    /// - Parameters:
    ///   - notices: get what a person waits for.
    ///   - tell: takes one line on what runs, after each change.
    init(
        _ state: StateDirectory, notices: NoticeQueue, tell: @escaping @Sendable (String) -> Void
    ) throws(StoreError) {
        self.state = state
        self.notices = notices
        self.tell = tell
        var damaged: [DamagedJob] = []
        for job in try state.jobs(onDamage: { damaged.append(DamagedJob($0, $1, in: state)) }) { jobs[job.job] = job }
        self.damaged = damaged
    }

    /// The first job that may be at work on an endpoint and cannot be read; nil for none.
    nonisolated func damaged(on endpoint: String) -> DamagedJob? { damaged.first { $0.concerns(endpoint) } }

    private var nextNumber: Int { (jobs.keys + damaged.map(\.job)).max().map { $0 + 1 } ?? 1 }

    /// The versions of an update of which there are jobs.
    func versions(of update: String) -> Set<Version> {
        Set(jobs.values.filter { $0.update == update && $0.rollback == nil }.map(\.version))
    }

    /// An endpoint's jobs, oldest first.
    func all(of endpoint: String) -> [Job] {
        jobs.values.filter { $0.endpoint == endpoint }.sorted { $0.job < $1.job }
    }

    func job(_ number: Int) -> Job? { jobs[number] }

    /// Makes a job, unless the same drop has made it already.
    func create(
        endpoint: String, manifest: Manifest, sha256: String, options: UpdateOptions, claim: String
    ) throws(StoreError) -> Int {
        if let made = jobs.values.first(where: { $0.claim == claim && $0.endpoint == endpoint }) { return made.job }
        let job = Job(
            job: nextNumber, endpoint: endpoint, update: manifest.name, version: manifest.version,
            sha256: sha256, options: options, claim: claim, createdAt: .now)
        try state.create(job)
        jobs[job.job] = job
        tell(summary())
        return job.job
    }

    /// Changes a job and writes it when it is another afterwards.
    @discardableResult
    func change(_ number: Int, _ body: @Sendable (inout Job) -> Void) throws(StoreError) -> Job {
        guard var job = jobs[number] else { throw StoreError("cannot change job \(number): there is none") }
        let before = job
        body(&job)
        if job != before {
            try state.write(job)
            jobs[number] = job
            if let notice = Notice(of: job, before: before) { notices.add(notice) }
            tell(summary())
        }
        return job
    }

    /// Gives a job its turn. One that has changed nothing yet takes its place in the order of the endpoint's jobs anew.
    ///
    /// - Returns: nil for one that was cancelled before its turn.
    func begin(_ number: Int) throws -> Job? {
        guard let job = jobs[number], !job.state.isFinal else { return nil }
        if let steps = job.resumption {
            for (name, folder) in job.folders where folder.state == .pending {
                try goOn(number, name, assuming: steps[name])
            }
        }
        let last = all(of: job.endpoint).filter { $0.job != number && $0.startedAt != nil }.map(\.order).max() ?? 0
        return try change(number) { job in
            job.state = .running
            job.waitingFor = ""
            job.waitingSince = nil
            job.insider = nil
            job.resumption = nil
            job.startedAt = job.startedAt ?? .now
            if !job.hasBegun { job.turn = last + 1 }
        }
    }

    /// By job, its place in the order of an endpoint's jobs.
    func order(of endpoint: String) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: all(of: endpoint).map { ($0.job, $0.order) })
    }

    /// The job that failed in some folder and holds an endpoint until an admin acts; nil for none.
    func holding(_ endpoint: String) -> Job? {
        jobs.values.filter { job in
            job.endpoint == endpoint && job.state == .failed && job.isHolding
        }.max { $0.job < $1.job }
    }

    /// The job that accounts for an endpoint's locks: one that came to them and is not over, else one that failed and
    /// holds; nil for none.
    func unfinished(_ endpoint: String) -> Job? {
        all(of: endpoint).first { !$0.state.isFinal && $0.isLocking } ?? holding(endpoint)
    }

    /// One line on what runs, for `systemctl status`.
    func summary() -> String {
        let open = jobs.values.filter { !$0.state.isFinal }.sorted { $0.job < $1.job }
        let lines = open.map { job in
            let pending = job.folders.values.filter { $0.state != .excluded && $0.state != .upToDate }
            let done = pending.count { $0.state == .done }
            let progress = job.state == .running && !pending.isEmpty ? " \(done)/\(pending.count)" : ""
            return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(progress)"
        }
        return lines.isEmpty ? "idle" : lines.joined(separator: "; ")
    }

    /// The failed job that the same archive with the same options resumes; nil for none.
    func resumable(endpoint: String, sha256: String, options: UpdateOptions) throws -> Int? {
        guard let job = holding(endpoint), job.sha256 == sha256, job.options == options,
            try moved(since: job, without: []) == nil
        else { return nil }
        return job.job
    }

    /// The jobs that a request has made already, before the daemon ended in the middle of it.
    func made(by request: String) -> [Job] {
        jobs.values.filter { $0.request == request && $0.claim.isEmpty }.sorted { $0.job < $1.job }
    }

    /// Makes a job that takes back what another did.
    func createRollback(
        _ target: RollbackTarget, of undone: Job, to version: Version?, request: String
    ) throws(StoreError) -> Int {
        var job = Job(
            job: nextNumber, endpoint: undone.endpoint, update: undone.update,
            version: version ?? undone.version, sha256: undone.sha256, options: UpdateOptions(operation: .rollback),
            claim: "", createdAt: .now)
        job.rollback = target
        job.request = request
        try state.create(job)
        jobs[job.job] = job
        tell(summary())
        return job.job
    }

    /// Makes a job that applies a kept update to one folder that has missed it.
    func createCatchup(_ folder: String, of missed: Job, force: Bool, request: String) throws(StoreError) -> Int {
        let made = made(by: request).first { $0.sha256 == missed.sha256 && $0.version == missed.version }
        if let made { return made.job }
        var options = missed.options
        options.only = [folder]
        options.exclude = []
        // It may have been marked unstable since.
        options.force = force
        var job = Job(
            job: nextNumber, endpoint: missed.endpoint, update: missed.update, version: missed.version,
            sha256: missed.sha256, options: options, claim: "", createdAt: .now)
        job.request = request
        try state.create(job)
        jobs[job.job] = job
        tell(summary())
        return job.job
    }

    /// Lets a failed job go on from where it stopped.
    ///
    /// - Parameters:
    ///   - assumed: a step that counts as done in the folders that stopped at it; nil for none.
    ///   - skipped: folders that are left as they are, with those below them.
    /// - Throws: ``Fault`` when there is no such step or folder, or a folder was given another version since; nothing is
    ///   changed then.
    /// - Returns: false when it is not one that can be resumed.
    func resume(
        _ number: Int, assuming assumed: String? = nil, skipping skipped: Set<String> = [], request: String? = nil
    ) throws -> Bool {
        if let request, jobs[number]?.request == request { return true }
        guard let job = jobs[number], job.state == .failed, !job.isSettled else { return false }
        for name in skipped where job.folders[name].map({ $0.state != .failed && $0.state != .blocked }) ?? true {
            throw Fault(.missing, "folder \(name) is none that failed in job \(number)")
        }
        if let other = all(of: job.endpoint).first(where: { $0.state == .running && $0.takesBack(from: job) }) {
            throw Fault(.dependency, "job \(other.job) is taking back what was done; resume job \(number) after it")
        }
        if let moved = try moved(since: job, without: skipped) { throw moved }
        var assumptions: [String: Int] = [:]
        for name in job.folders.keys where try assumed != nil && state.hasLedger(job: number, folder: name) {
            let summary = LedgerSummary(try Ledger.read(state.ledger(job: number, folder: name)))
            // After a corrected archive could not put the folder back, its ledger's last word is about that and names none.
            guard case .failed(let last, _, _) = summary.outcome, !summary.isReverting,
                let step = last ?? summary.ran.subtracting(summary.finished).max(),
                let planned = summary.order?.plan.step(step)
            else { continue }
            if assumed == planned.path || assumed == planned.title { assumptions[name] = step }
        }
        if let assumed, assumptions.isEmpty {
            throw Fault(
                .missing, "no folder of job \(number) stopped at step \"\(assumed)\"; see: patchctl show \(number)")
        }
        let steps = assumptions
        // Nothing was changed yet, and other jobs may have run since: what was planned then may be wrong by now.
        if !job.hasBegun { try state.removePlan(job: number) }
        try change(number) { job in
            if !job.hasBegun { job.approval?.isConfirmed = false }
            job.state = .queued
            job.request = request ?? job.request
            job.code = ""
            job.message = ""
            job.finishedAt = nil
            job.cancelledAt = nil
            job.resumption = steps
            for (name, folder) in job.folders {
                guard folder.isOpenAfterFailure else { continue }
                job.folders[name] = FolderJob(
                    state: skipped.contains(name) ? .excluded : .pending, equal: folder.equal,
                    progress: .init(total: folder.progress.total))
            }
        }
        return true
    }

    /// A folder that the job would go on with, and that no longer has the version from which that was planned: a rollback
    /// may have gone below it meanwhile. Nil for none.
    private func moved(since job: Job, without skipped: Set<String>) throws -> Fault? {
        // One that has changed nothing is planned anew.
        guard job.hasBegun, let plan = try state.plan(job: job.job)?.endpoints.first else { return nil }
        for folder in plan.folders where folder.state == .pending && !skipped.contains(folder.folder) {
            guard let own = job.folders[folder.folder], own.isOpenAfterFailure else { continue }
            let version = try state.folder(folder.folder, of: job.endpoint)?.version
            // It has the new one where the job failed just before that could be recorded in its own file.
            if version == folder.from || version == folder.to { continue }
            let then = folder.from.map(\.description) ?? "an unknown version"
            let now = version.map(\.description) ?? "an unknown version"
            return Fault(
                folder: folder.folder, .dependency,
                "had \(then) when job \(job.job) was planned, and has \(now) now; leave it out (--skip), or roll back job "
                    + "\(job.job) and drop its archive again")
        }
        return nil
    }

    /// Says in a folder's ledger that it goes on. Safe to repeat: only the job's file says that it was resumed, so that a
    /// request which is read again after a crash finds the ledgers as they were.
    private func goOn(_ number: Int, _ folder: String, assuming step: Int?) throws {
        // Also one that could not be staged: nothing of it was changed, and it is not failed.
        guard try state.hasLedger(job: number, folder: folder) else { return }
        var ledger = try Ledger(state.ledger(job: number, folder: folder))
        guard case .failed = LedgerSummary(ledger.records).outcome else { return }
        if let step { try ledger.append(.finished(steps: [step])) }
        try ledger.append(.resumed)
    }

    /// Records an approval; only then does it count.
    ///
    /// - Parameter planned: options that were given with it, and the plan for them; nil: what waits is approved as it is.
    /// - Returns: false when it is not one that waits for approval.
    func approve(
        _ number: Int, by approver: JobApproval.Approver, planned: PlannedOptions? = nil, request: String
    ) throws(StoreError) -> Bool {
        if jobs[number]?.request == request { return true }
        guard let job = jobs[number], job.state == .pendingApproval,
            let digest = planned?.digest ?? job.approval?.digest
        else { return false }
        try change(number) { job in
            if let planned {
                job.options = planned.options
                job.folders = planned.folders
            }
            job.approval = JobApproval(digest: digest, by: approver)
            job.state = .queued
            job.message = ""
            job.request = request
        }
        return true
    }

    /// Ends a job that waits for approval.
    ///
    /// - Returns: false when it is none.
    func decline(_ number: Int, by name: String, request: String) throws(StoreError) -> Bool {
        if jobs[number]?.request == request { return true }
        guard jobs[number]?.state == .pendingApproval else { return false }
        try change(number) { job in
            job.state = .declined
            job.message = "declined by \(name)"
            job.request = request
            job.finishedAt = .now
        }
        return true
    }

    /// Has a job end: one that waits at once, one that runs when its steps under way are through. One that was resumed and
    /// waits has failed as before: the folders in whose middle it is must stay locked.
    ///
    /// - Returns: whether it was one that can be cancelled.
    func cancel(_ number: Int, request: String) throws -> Bool {
        if jobs[number]?.request == request { return true }
        guard let job = jobs[number], !job.state.isFinal else { return false }
        if job.state != .running, job.resumption != nil {
            let half = halfDone(number)
            if !half.isEmpty {
                try change(number) { $0.takeBackResumption(half, request: request) }
                return true
            }
        }
        try change(number) { job in
            job.cancelledAt = job.cancelledAt ?? .now
            job.request = request
            guard job.state != .running, !job.hasBegun, !job.isLocking else { return }
            job.state = .cancelled
            job.code = FaultCode.cancelled.rawValue
            job.message = "cancelled before it began"
            job.finishedAt = .now
        }
        return true
    }

    /// The folders that wait for a resumed job and in whose middle it is, or may be, because that cannot be read.
    func halfDone(_ number: Int) -> Set<String> {
        var half: Set<String> = []
        for (name, folder) in jobs[number]?.folders ?? [:] where folder.state == .pending {
            let summary: LedgerSummary
            do {
                guard try state.hasLedger(job: number, folder: name) else { continue }
                summary = LedgerSummary(try Ledger.read(state.ledger(job: number, folder: name)))
            } catch {
                half.insert(name)
                continue
            }
            switch summary.outcome {
            // One that could not be staged is as it was.
            case .failed where summary.isPrepared || summary.isReverting, .unfinished: half.insert(name)
            default: break
            }
        }
        return half
    }
}

extension FolderJob {
    /// Whether a job that failed goes on with it.
    fileprivate var isOpenAfterFailure: Bool { [.failed, .blocked, .pending].contains(state) }
}

extension Job {
    /// Whether it changes folders that a failed job holds.
    fileprivate func takesBack(from held: Job) -> Bool { rollback != nil || held.isCorrected(by: self) }

    /// It has failed as it had before it was resumed.
    fileprivate mutating func takeBackResumption(_ half: Set<String>, request: String) {
        for (name, folder) in folders where folder.state == .pending {
            folders[name]?.state = half.contains(name) ? .failed : .blocked
            guard half.contains(name) else { continue }
            folders[name]?.code = FaultCode.cancelled.rawValue
            folders[name]?.message = "resumed, and cancelled before it went on; resume the job, or roll it back"
        }
        self.request = request
        state = .failed
        code = FaultCode.cancelled.rawValue
        message = "cancelled before it went on; resume it, or roll it back"
        waitingFor = ""
        waitingSince = nil
        resumption = nil
        finishedAt = .now
    }
}
