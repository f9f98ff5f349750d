import Logging
import PatchLedger
import PatchModel
import PatchStore

/// A job's work in the endpoint's tree of folders: parent first, siblings side by side.
struct TreeRun: Sendable {
    let host: Host
    let endpoint: Endpoint
    let jobs: JobTable
    let slots: WorkerSlots
    let number: Int

    private var states: FolderStates { FolderStates(host: host, endpoint: endpoint) }
    private var work: FolderRun { FolderRun(host: host, endpoint: endpoint, slots: slots, jobs: jobs) }

    /// Brings everything beside its place while the applications run.
    ///
    /// - Throws: ``Fault`` when some folder cannot be staged. Nothing live was changed then, so as after a fault of the
    ///   preflight no folder is failed and none is locked.
    func stage(_ folders: [FolderPlan]) async throws {
        guard let job = await jobs.job(number) else { return }
        let faults = await withTaskGroup(of: Fault?.self) { group in
            for folder in folders {
                group.addTask {
                    do {
                        // A worker that is at work since before a restart of the daemon is past this, and holds the
                        // ledger's lock for long: the others need not wait for it.
                        if try isPrepared(folder.folder) { return nil }
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
                job.folders[fault.folder]?.code = fault.code.rawValue
                job.folders[fault.folder]?.message = fault.message
            }
        }
        throw Fault(first.code, faults.map(\.description).joined(separator: "\n"))
    }

    private func isPrepared(_ folder: String) throws -> Bool {
        LedgerSummary(try Ledger.read(host.state.ledger(job: number, folder: folder))).isPrepared
    }

    /// Updates folders; a child as soon as its own parent is done.
    ///
    /// - Parameter afterEach: called when a folder is through, whatever came of it.
    func apply(_ folders: [FolderPlan], afterEach: @escaping @Sendable () async throws -> Void) async throws {
        let names = Set(folders.map(\.folder))
        // A folder that has the version already may lie between two that have not: a failure blocks all below it.
        func above(_ folder: FolderPlan) -> String? {
            endpoint.ancestors(of: folder.folder).first(where: names.contains)
        }
        try await withThrowingTaskGroup(of: (FolderPlan, Bool).self) { group in
            for folder in folders where above(folder) == nil {
                group.addTask { (folder, try await apply(folder)) }
            }
            while let (folder, isDone) = try await group.next() {
                if isDone {
                    for child in folders where above(child) == folder.folder {
                        group.addTask { (child, try await apply(child)) }
                    }
                } else {
                    try await block(below: folder.folder, names)
                }
                try await afterEach()
            }
        }
        guard endpoint.onFailure == .revertAll, let job = await jobs.job(number),
            job.folders.values.contains(where: { $0.state == .reverted || $0.state == .failed })
        else { return }
        let begun = folders.filter { [.done, .failed].contains(job.folders[$0.folder]?.state) }
        try await upwards(begun) { folder in
            _ = try await revert(folder, job: number)
            try await afterEach()
        }
    }

    /// Takes back what earlier jobs did; a parent when everything below it is through.
    ///
    /// - Parameter plans: of the rollback job.
    func rollBack(_ folders: [FolderPlan], afterEach: @escaping @Sendable () async throws -> Void) async throws {
        try await upwards(folders) { folder in
            try await rollBack(folder)
            try await afterEach()
        }
    }

    /// Does something in each folder, deepest first, siblings side by side.
    private func upwards(
        _ folders: [FolderPlan], _ body: @escaping @Sendable (FolderPlan) async throws -> Void
    ) async throws {
        var open = folders
        try await withThrowingTaskGroup(of: String.self) { group in
            var running: Set<String> = []
            func start() {
                for folder in open where !running.contains(folder.folder) {
                    let below = endpoint.descendants(of: folder.folder)
                    guard !open.contains(where: { below.contains($0.folder) }) else { continue }
                    running.insert(folder.folder)
                    group.addTask {
                        try await body(folder)
                        return folder.folder
                    }
                }
            }
            start()
            while let done = try await group.next() {
                open.removeAll { $0.folder == done }
                start()
            }
        }
    }

    /// Whether the folder is done afterwards.
    private func apply(_ folder: FolderPlan) async throws -> Bool {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return false }
        if job.folders[name]?.state == .done { return true }
        if [.failed, .reverted].contains(job.folders[name]?.state) { return false }
        // A folder that had not begun stays as it was.
        if job.cancelledAt != nil, job.folders[name]?.state == .pending { return false }
        // A revert that was under way when the daemon ended goes on.
        if try work.summary(number, name).isReverting {
            _ = try await revert(folder, job: number)
            return false
        }
        try states.change(name) { state in
            state.status = .updating
            state.job = number
            state.trace = "jobs/\(number)/traces/\(name).log"
        }
        try await jobs.change(number) { $0.folders[name]?.state = .running }
        host.log.tell(
            .folderUpdating,
            "\(endpoint.name)/\(name): from \(folder.from?.description ?? "an unknown version") to \(folder.to)",
            fields(name, job))
        do {
            let summary = try await work.run(.apply, job, name) { $0.outcome == .done }
            try await commit(folder, summary)
            return true
        } catch let fault as Fault {
            try await fail(folder, fault)
        } catch let error as LedgerError {
            try await fail(folder, Fault(folder: name, .io, "\(error)"))
        }
        if endpoint.onFailure != .hold { _ = try await revert(folder, job: number) }
        return false
    }

    // MARK: The way back

    /// Undoes what a job did in a folder, from that job's own ledger.
    ///
    /// - Returns: whether the folder is as it was before; if not, it is failed and says why.
    func revert(_ folder: FolderPlan, job undone: Int) async throws -> Bool {
        let name = folder.folder
        guard let job = await jobs.job(undone) else { return false }
        let reason = job.folders[name]?.message ?? ""
        try states.change(name) { state in
            state.status = .reverting
            state.job = undone
        }
        try await jobs.change(undone) { $0.folders[name]?.state = .running }
        host.log.tell(
            .folderReverting, "\(endpoint.name)/\(name): goes back to \(folder.from?.description ?? "its old version")",
            fields(name, job))
        do {
            try work.resume(undone, name)
            _ = try await work.run(.revert, job, name) { $0.outcome == .reverted }
        } catch {
            let fault = error as? Fault ?? Fault(folder: name, .io, "\(error)")
            try await fail(folder, fault, in: undone)
            return false
        }
        try host.state.renderTrace(job: undone, folder: name)
        let before = try states.before(undone, in: name)
        try states.change(name) { state in
            state.version = folder.from
            state.status = .current
            state.message = reason
            state.update = before.update
            state.patches = before.patches
            state.updatedAt = .now
        }
        try history(folder, .reverted, of: job)
        try states.refresh()
        try await jobs.change(undone) { job in
            job.folders[name]?.state = .reverted
            job.folders[name]?.message = reason
            job.folders[name]?.progress.done = 0
        }
        host.log.tell(
            .folderReverted, "\(endpoint.name)/\(name): is as it was before job \(undone)", fields(name, job))
        return true
    }

    private func rollBack(_ folder: FolderPlan) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number), job.folders[name]?.state != .done,
            job.folders[name]?.state != .failed
        else { return }
        // What lies above a folder that could not go back stays where it is, too.
        let below = endpoint.descendants(of: name)
        if below.contains(where: { job.folders[$0]?.state == .failed || job.folders[$0]?.state == .blocked }) {
            try await jobs.change(number) { job in
                job.folders[name]?.state = .blocked
                job.folders[name]?.message = "a folder below it could not be rolled back"
            }
            return
        }
        try states.change(name) { state in
            state.status = .reverting
            state.job = number
            state.trace = "jobs/\(number)/traces/\(name).log"
        }
        try await jobs.change(number) { $0.folders[name]?.state = .running }
        host.log.tell(
            .folderReverting, "\(endpoint.name)/\(name): from \(folder.from?.description ?? "?") back to \(folder.to)",
            fields(name, job))
        do {
            let summary = try await work.run(.revert, job, name) { $0.outcome == .reverted }
            try await commitRollback(folder, summary.order?.undo.map(\.job) ?? [])
        } catch {
            try await fail(folder, error as? Fault ?? Fault(folder: name, .io, "\(error)"))
        }
    }

    private func commitRollback(_ folder: FolderPlan, _ undone: [Int]) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return }
        try host.state.renderTrace(job: number, folder: name)
        let before = try states.before(undone.min() ?? number, in: name)
        try states.change(name) { state in
            state.previousVersion = folder.from
            state.version = folder.to
            state.status = .current
            state.message = ""
            state.update = before.update
            state.patches = before.patches
            state.updatedAt = .now
        }
        try history(folder, .done, of: job, undone: undone)
        try states.refresh()
        // A job that held this folder holds it no more.
        for number in undone {
            try await jobs.change(number) { job in
                if job.folders[name]?.state == .failed { job.folders[name]?.state = .reverted }
            }
        }
        try await jobs.change(number) { $0.folders[name]?.state = .done }
        host.log.tell(.folderReverted, "\(endpoint.name)/\(name): has \(folder.to) again", fields(name, job))
    }

    // MARK: Done, or not

    private func commit(_ folder: FolderPlan, _ summary: LedgerSummary) async throws {
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
        try history(folder, .done, of: job)
        try states.refresh()
        try await jobs.change(number) { job in
            job.folders[name]?.state = .done
            job.folders[name]?.code = ""
            job.folders[name]?.message = ""
            job.folders[name]?.progress = .init(done: folder.steps.count, total: folder.steps.count)
        }
        host.log.tell(
            .folderDone,
            "\(endpoint.name)/\(name): has \(folder.to), \(summary.finished.count) steps done, \(summary.equal.count) were equal",
            fields(name, job))
    }

    /// - Parameter failed: the job that the folder failed in; nil for this one.
    private func fail(_ folder: FolderPlan, _ fault: Fault, in failed: Int? = nil) async throws {
        let name = folder.folder
        let number = failed ?? number
        try host.state.renderTrace(job: number, folder: name)
        try states.change(name) { state in
            state.status = .failed
            state.message = fault.message
            state.updatedAt = .now
        }
        if let job = await jobs.job(number) { try history(folder, .failed, of: job) }
        let summary = LedgerSummary(try Ledger.read(host.state.ledger(job: number, folder: name)))
        let finished = summary.finished.union(summary.equal).count
        let job = try await jobs.change(number) { job in
            job.folders[name]?.state = .failed
            job.folders[name]?.code = fault.code.rawValue
            job.folders[name]?.message = fault.message
            job.folders[name]?.progress.done = finished
        }
        var fields = fields(name, job)
        fields.code = fault.code.rawValue
        if case .failed(let step?, _, _) = summary.outcome, folder.steps.indices.contains(step) {
            fields.step = folder.steps[step].title
        }
        host.log.tell(
            .folderFailed,
            "\(endpoint.name)/\(name): failed (\(fault.code.rawValue)): \(fault.message); see: patchctl trace \(number) \(name)",
            fields)
    }

    private func history(
        _ folder: FolderPlan, _ state: FolderJob.State, of job: Job, undone: [Int]? = nil
    ) throws(StoreError) {
        let back = state == .reverted
        try host.state.append(
            HistoryEntry(
                job: job.job, operation: job.operation, update: job.update, from: back ? folder.to : folder.from,
                to: back ? folder.from : folder.to, state: state, at: .now, undone: undone),
            folder: folder.folder, of: endpoint.name)
    }

    private func block(below name: String, _ names: Set<String>) async throws {
        let below = endpoint.descendants(of: name).filter(names.contains)
        let job = try await jobs.change(number) { job in
            for child in below {
                job.folders[child]?.state = .blocked
                job.folders[child]?.message = "its reference folder \(name) failed"
            }
        }
        for child in below {
            host.log.tell(
                .folderBlocked, "\(endpoint.name)/\(child): is blocked, its reference folder \(name) failed",
                fields(child, job))
        }
    }

    private func fields(_ folder: String, _ job: Job) -> EventFields {
        EventFields(job: number, endpoint: endpoint.name, folder: folder, update: job.update)
    }
}
