import PatchLedger
import PatchModel
import PatchStore

/// What stopped goes on, or ends where it stands.
extension JobStore {
    /// Lets the failed job go on that was made from the same archive with the same options.
    ///
    /// - Parameter claim: the drop, which does so once though it is processed again after a crash.
    /// - Returns: the job; nil for none.
    func resume(
        endpoint: String, sha256: String, options: UpdateOptions, claim: String, drop: JobDrop
    ) throws -> Int? {
        if let done = index.jobs(by: claim).first(where: { jobs[$0]?.endpoint == endpoint }) { return done }
        guard let job = holding(endpoint), job.sha256 == sha256, job.options == options,
            try moved(since: job, without: []) == nil,
            try resume(job.job, request: claim)
        else { return nil }
        try change(job.job) { $0.drop = drop }
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
        if let other = open(of: job.endpoint).first(where: { $0.state == .running && $0.takesBack(from: job) }) {
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
    func goOn(_ number: Int, _ folder: String, assuming step: Int?) throws {
        // Also one that could not be staged: nothing of it was changed, and it is not failed.
        guard try state.hasLedger(job: number, folder: folder) else { return }
        var ledger = try Ledger(state.ledger(job: number, folder: folder))
        guard case .failed = LedgerSummary(ledger.records).outcome else { return }
        if let step { try ledger.append(.finished(steps: [step])) }
        try ledger.append(.resumed)
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
