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
        endpoint: String, sha256: String, options: UpdateOptions, claim: String, drop: JobDrop, signer: String = ""
    ) throws -> Int? {
        if let done = lookup.jobs(by: claim).first(where: { jobs[$0]?.endpoint == endpoint }) { return done }
        for job in holding(endpoint) where job.sha256 == sha256 && job.options == options && job.rollback == nil {
            guard try moved(since: job, without: []) == nil, try resume(job.job, request: claim) else { continue }
            try apply(.dropAgain(drop, signer: signer), to: job.job)
            return job.job
        }
        return nil
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
            let summary = try ledgers.summary(number, name)
            guard let order = try state.order(job: number, folder: name),
                let (step, planned) = Self.stoppedStep(summary, order)
            else { continue }
            var names = [planned.path, planned.title, "downgrade \(planned.path)"]
            if let name = planned.migrationName { names.append("\(name).sql") }
            if names.contains(assumed ?? "") { assumptions[name] = step }
        }
        if let assumed, assumptions.isEmpty {
            throw Fault(
                .missing, "no folder of job \(number) stopped at step \"\(assumed)\"; see: patchctl show \(number)")
        }
        // Nothing was changed yet, and other jobs may have run since: what was planned then may be wrong by now.
        if !job.hasBegun { try state.removePlan(job: number) }
        try apply(.resume(assuming: assumptions, skipping: skipped, request: request), to: number)
        return true
    }

    /// The step at which a folder stopped, on its way there or back; nil where no step is to blame.
    private static func stoppedStep(_ summary: LedgerSummary, _ order: WorkOrder) -> (step: Int, planned: PlannedStep)?
    {
        guard case .failed(let last, _, _) = summary.outcome else { return nil }
        if summary.isReverting {
            // A downgrade is a step of the job that is undone.
            guard let undoing = summary.undoing else { return nil }
            let plan = undoing.job == order.job ? order.plan : order.undo.first { $0.job == undoing.job }?.plan
            return plan?.step(undoing.step).map { (undoing.step, $0) }
        }
        guard let step = last ?? summary.ran.subtracting(summary.finished).max() else { return nil }
        return order.plan.step(step).map { (step, $0) }
    }

    /// A folder that the job would go on with, and that no longer has the version from which that was planned: a rollback
    /// may have gone below it meanwhile. Nil for none.
    func moved(since job: Job, without skipped: Set<String> = []) throws -> Fault? {
        // One that has changed nothing is planned again.
        guard job.hasBegun, let plan = try state.overview(job: job.job)?.outline.endpoints.first else { return nil }
        for folder in plan.folders where folder.state == .pending && !skipped.contains(folder.folder) {
            guard let own = job.folders[folder.folder], own.isResumable else { continue }
            let found = try state.folder(folder.folder, of: job.endpoint)
            if let found, let other = halfDone(by: found, since: job) {
                return Fault(
                    folder: folder.folder, .dependency,
                    "is in the middle of job \(other.job), which has stopped in it; first: patchctl resume \(other.job), or leave it "
                        + "out of job \(job.job) (--skip)")
            }
            let version = found?.version
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

    /// The other job in whose middle a folder is; nil for none.
    func halfDone(by state: FolderState, since job: Job) -> Job? {
        guard [.failed, .reverting, .updating].contains(state.status), state.job != job.job,
            let other = jobs[state.job],
            [.failed, .running].contains(other.folders[state.folder]?.state)
        else { return nil }
        return other
    }

    /// Says in a folder's ledger that it goes on. Safe to repeat: only the job's file says that it was resumed, so that a
    /// request which is read again after a crash finds the ledgers as they were.
    func goOn(_ number: Int, _ folder: String, assuming step: Int?) throws {
        try ledgers.resume(number, folder, assuming: step)
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
                try apply(.cancelResumption(halfDone: half, request: request, at: clocks.now), to: number)
                return true
            }
        }
        try apply(.cancel(request: request, at: clocks.now), to: number)
        return true
    }

    /// The folders that wait for a resumed job and in whose middle it is, or may be, because that cannot be read.
    func halfDone(_ number: Int) -> Set<String> {
        var half: Set<String> = []
        for (name, folder) in jobs[number]?.folders ?? [:] where folder.state == .pending {
            let summary: LedgerSummary
            do {
                guard try state.hasLedger(job: number, folder: name) else { continue }
                summary = try ledgers.summary(number, name)
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

extension Job {
    /// Whether it changes folders that a failed job holds.
    fileprivate func takesBack(from held: Job) -> Bool { rollback != nil || held.isCorrected(by: self) }
}
