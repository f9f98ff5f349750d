import Logging
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// One job's way from its turn to its end. Every part finds out what is done already, so that a job is gone on with by
/// running it again.
struct JobRun: Sendable {
    let host: Host
    let endpoint: Endpoint
    let jobs: JobTable
    let slots: WorkerSlots
    let locks: Locks
    let number: Int

    private var states: FolderStates { FolderStates(host: host, endpoint: endpoint) }

    /// Runs the job to its end, whatever that is.
    func run() async {
        do {
            try await go()
        } catch {
            let fault = error as? Fault ?? Fault(.io, "\(error)")
            await fail(fault.code, "\(fault)")
        }
    }

    private func go() async throws {
        let job = try await jobs.change(number) { job in
            job.state = .running
            job.waitingFor = ""
            job.startedAt = job.startedAt ?? .now
        }
        guard let plan = try await plan(job) else { return }
        let pending = plan.folders.filter { $0.state == .pending }
        if pending.isEmpty || job.operation == .test {
            // Nothing was locked or changed for it, and locks that another job holds are none of its business.
            try await succeed()
            return
        }
        try await stage(pending, job)
        try await setLocks(.disconnect)
        try await setLocks(.updating)
        try await apply(plan)
        try await finish()
    }

    // MARK: Plan and preflight

    /// The plan that the job runs by; nil when its preflight found faults.
    private func plan(_ job: Job) async throws -> EndpointPlan? {
        if let kept = try host.state.plan(job: number)?.endpoints.first, kept.faults.isEmpty { return kept }
        let plan = try await Preflight(host: host, endpoint: endpoint, slots: slots).run(job)
        var equal: [String: Int] = [:]
        for folder in plan.folders where try host.state.hasLedger(job: number, folder: folder.folder) {
            equal[folder.folder] =
                LedgerSummary(
                    try Ledger.read(host.state.ledger(job: number, folder: folder.folder))
                ).equal.count
        }
        let equalFiles = equal
        try await jobs.change(number) { job in
            for folder in plan.folders {
                let fault = plan.faults.first { $0.folder == folder.folder }
                job.folders[folder.folder] = FolderJob(
                    state: folder.state, code: fault?.code.rawValue ?? "", message: fault?.message ?? "",
                    equal: equalFiles[folder.folder] ?? 0, progress: .init(total: folder.steps.count))
            }
        }
        try host.state.write(PlanReport(update: job.update, version: job.version, endpoints: [plan]), job: number)
        guard let first = plan.faults.first else { return plan }
        let all = plan.faults.map(\.description).joined(separator: "\n")
        await fail(first.code, all)
        return nil
    }

    // MARK: Work

    /// Brings everything beside its place while the applications run.
    private func stage(_ pending: [FolderPlan], _ job: Job) async throws {
        let work = FolderRun(host: host, endpoint: endpoint, slots: slots)
        let faults = await withTaskGroup(of: Fault?.self) { group in
            for folder in pending where job.folders[folder.folder]?.state != .done {
                group.addTask {
                    do {
                        _ = try await work.run(.stage, job, folder.folder) { $0.isPrepared }
                        return nil
                    } catch {
                        return error as? Fault ?? Fault(folder: folder.folder, .io, "\(error)")
                    }
                }
            }
            return await group.reduce(into: [Fault]()) { all, fault in if let fault { all.append(fault) } }
        }
        guard let first = faults.first else { return }
        try await jobs.change(number) { job in
            for fault in faults where job.folders[fault.folder] != nil {
                job.folders[fault.folder]?.state = .failed
                job.folders[fault.folder]?.code = fault.code.rawValue
                job.folders[fault.folder]?.message = fault.message
            }
        }
        throw Fault(first.code, faults.map(\.description).joined(separator: "\n"))
    }

    /// Parent first; a child as soon as its own parent is done; siblings side by side.
    private func apply(_ plan: EndpointPlan) async throws {
        let pending = plan.folders.filter { $0.state == .pending }
        let names = Set(pending.map(\.folder))
        try await withThrowingTaskGroup(of: (FolderPlan, Bool).self) { group in
            for folder in pending where folder.parent.map({ !names.contains($0) }) ?? true {
                group.addTask { (folder, try await apply(folder)) }
            }
            while let (folder, isDone) = try await group.next() {
                if isDone {
                    for child in pending where child.parent == folder.folder {
                        group.addTask { (child, try await apply(child)) }
                    }
                } else {
                    try await block(below: folder.folder, names)
                }
                try await setLocks(.updating)
            }
        }
    }

    /// Whether the folder is done afterwards.
    private func apply(_ folder: FolderPlan) async throws -> Bool {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return false }
        if job.folders[name]?.state == .done { return true }
        try states.change(name) { state in
            state.status = .updating
            state.job = number
            state.trace = "jobs/\(number)/traces/\(name).log"
        }
        try await jobs.change(number) { $0.folders[name]?.state = .running }
        host.log.info("updating", metadata: metadata(name))
        do {
            let work = FolderRun(host: host, endpoint: endpoint, slots: slots)
            let summary = try await work.run(.apply, job, name) { $0.outcome == .done }
            _ = summary
            try await commit(folder)
            return true
        } catch let fault as Fault {
            try await fail(folder, fault)
            return false
        } catch let error as LedgerError {
            try await fail(folder, Fault(folder: name, .io, "\(error)"))
            return false
        }
    }

    private func commit(_ folder: FolderPlan) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return }
        try host.state.renderTrace(job: number, folder: name)
        try states.change(name) { state in
            if state.version != folder.to || state.update != job.update {
                if state.version != folder.to { state.previousVersion = state.version }
                state.updatedAt = .now
            }
            state.version = folder.to
            state.status = .current
            state.message = ""
            state.update = job.update
            state.patches = folder.patches
        }
        try history(folder, .done)
        try states.refresh()
        try await jobs.change(number) { job in
            job.folders[name]?.state = .done
            job.folders[name]?.code = ""
            job.folders[name]?.message = ""
            job.folders[name]?.progress = .init(done: folder.steps.count, total: folder.steps.count)
        }
        host.log.info("done", metadata: metadata(name))
    }

    private func fail(_ folder: FolderPlan, _ fault: Fault) async throws {
        let name = folder.folder
        try host.state.renderTrace(job: number, folder: name)
        try states.change(name) { state in
            state.status = .failed
            state.message = fault.message
            state.updatedAt = .now
        }
        try history(folder, .failed)
        let summary = LedgerSummary(try Ledger.read(host.state.ledger(job: number, folder: name)))
        let finished = summary.finished.union(summary.equal).count
        try await jobs.change(number) { job in
            job.folders[name]?.state = .failed
            job.folders[name]?.code = fault.code.rawValue
            job.folders[name]?.message = fault.message
            job.folders[name]?.progress.done = finished
        }
        var fields = metadata(name)
        fields["code"] = "\(fault.code)"
        fields["reason"] = "\(fault.message)"
        host.log.error("failed", metadata: fields)
    }

    private func history(_ folder: FolderPlan, _ state: FolderJob.State) throws(StoreError) {
        guard let job = try host.state.job(number) else { return }
        try host.state.append(
            HistoryEntry(
                job: number, operation: job.operation, update: job.update, from: folder.from, to: folder.to,
                state: state, at: .now),
            folder: folder.folder, of: endpoint.name)
    }

    private func block(below name: String, _ names: Set<String>) async throws {
        let below = endpoint.descendants(of: name).filter(names.contains)
        try await jobs.change(number) { job in
            for child in below {
                job.folders[child]?.state = .blocked
                job.folders[child]?.message = "its reference folder \(name) failed"
            }
        }
    }

    // MARK: Locks and ends

    /// Makes the endpoint's locks what the job's state demands.
    private func setLocks(_ phase: UpdateLock.Phase) async throws {
        guard let job = await jobs.job(number) else { return }
        try locks.set(EndpointLocks(endpoint: endpoint, states: states).wanted(for: job, updating: phase))
    }

    private func finish() async throws {
        try states.refresh()
        try await setLocks(.updating)
        guard let job = await jobs.job(number) else { return }
        let failed = job.folders.filter { $0.value.state == .failed }.min { $0.key < $1.key }
        guard let (name, folder) = failed else { return try await succeed() }
        await fail(FaultCode(rawValue: folder.code) ?? .io, "\(name): \(folder.message)")
    }

    private func succeed() async throws {
        try await jobs.change(number) { job in
            job.state = .done
            job.finishedAt = .now
        }
        host.log.info("job done", metadata: metadata(nil))
    }

    private func fail(_ code: FaultCode, _ message: String) async {
        host.failures.note()
        var fields = metadata(nil)
        fields["code"] = "\(code)"
        fields["reason"] = "\(message)"
        host.log.error("job failed", metadata: fields)
        do {
            try await jobs.change(number) { job in
                job.state = .failed
                job.code = code.rawValue
                job.message = message
                job.finishedAt = .now
            }
        } catch {
            host.log.critical("cannot record the failure", metadata: ["job": "\(number)", "error": "\(error)"])
        }
    }

    private func metadata(_ folder: String?) -> Logger.Metadata {
        var fields: Logger.Metadata = ["job": "\(number)", "endpoint": "\(endpoint.name)"]
        if let folder { fields["folder"] = "\(folder)" }
        return fields
    }
}
