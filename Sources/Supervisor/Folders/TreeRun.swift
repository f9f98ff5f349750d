import Logging
import PatchLedger
import PatchModel
import PatchStore

/// A job's work in the endpoint's tree of folders: parent first, siblings side by side.
struct TreeRun: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let supervisor: EndpointSupervisor
    let jobs: JobStore
    let slots: WorkerSlots
    let downtime: Downtime
    let number: Int

    var quiesce: Quiesce { downtime.quiesce }

    var states: FolderStates { FolderStates(context: context, endpoint: endpoint) }
    var work: WorkerRun { WorkerRun(context: context, endpoint: endpoint, slots: slots, jobs: jobs) }

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
        for fault in faults where job.folders[fault.folder]?.state == .pending {
            try await jobs.apply(.notStaged(code: fault.code, message: fault.message), to: fault.folder, of: number)
        }
        throw Fault(first.code, faults.map(\.description).joined(separator: "\n"))
    }

    /// Whether a folder of an update is not where the job leaves it: it is to be raised, or `onFailure` wants it back.
    func isOpen(_ folder: FolderPlan, in job: Job) -> Bool {
        switch job.folders[folder.folder]?.state ?? .pending {
        case .pending, .running: true
        case .failed: job.rollback == nil && endpoint.onFailure != .hold
        case .done: isTakenBack(job)
        case .upToDate, .excluded, .blocked, .reverted: false
        }
    }

    /// Whether all that is done goes back. After a cancel it stays (contract §7).
    func isTakenBack(_ job: Job) -> Bool {
        endpoint.onFailure == .revertAll && job.rollback == nil
            && job.folders.values.contains { folder in
                if folder.code == FaultCode.cancelled.rawValue { return false }
                return folder.state == .reverted || folder.state == .failed || folder.isGoingBack
            }
    }

    /// Whether a folder was on its way back when the daemon ended, or when that failed: nothing but going on ends it.
    private func isGoingBack(_ folder: FolderPlan, in job: Job) throws -> Bool {
        let own = job.folders[folder.folder]
        switch own?.state {
        case .failed: return endpoint.onFailure != .hold
        case .running: return try own?.isGoingBack == true || work.summary(number, folder.folder).isReverting
        case .pending:
            let summary = try work.summary(number, folder.folder)
            if summary.isReverting { return true }
            // Resumed: what lies above it may be back, so that it would not be come to on the way down.
            return isTakenBack(job) && summary.isPrepared && summary.outcome != .prepared
        default: return false
        }
    }

    func isPrepared(_ folder: String) throws -> Bool { try work.summary(number, folder).isPrepared }

    /// Updates folders; a child as soon as its own parent is done. What cannot be recorded of one of them ends the run when the
    /// others that have begun are through: they are not cut off.
    ///
    /// - Parameter afterEach: called when a folder is through, whatever came of it.
    func apply(_ folders: [FolderPlan], afterEach: @escaping @Sendable () async -> Void) async throws {
        let names = Set(folders.map(\.folder))
        // A folder that has the version already may lie between two that have not: a failure blocks all below it.
        let below = Dictionary(grouping: folders) { folder in
            endpoint.ancestors(of: folder.folder).first(where: names.contains) ?? ""
        }
        if let job = await jobs.job(number) {
            try await upwards(folders.filter { try isGoingBack($0, in: job) }) { folder in
                _ = try await revert(folder, job: number)
                await afterEach()
            }
        }
        let most = mostBegun
        let problem = await withTaskGroup(of: Ended.self) { group -> (any Error)? in
            var due = below[""] ?? []
            var begun = 0
            var problem: (any Error)?
            func begin() async {
                while !due.isEmpty, begun < most, problem == nil {
                    if await hasFailedTooOften() { return }
                    let folder = due.removeFirst()
                    begun += 1
                    group.addTask {
                        do {
                            return Ended(folder: folder, isDone: try await apply(folder))
                        } catch {
                            return Ended(folder: folder, isDone: false, problem: error)
                        }
                    }
                }
            }
            await begin()
            while let ended = await group.next() {
                let folder = ended.folder
                guard let isDone = ended.isDone else { continue }
                begun -= 1
                if let trouble = ended.problem {
                    problem = problem ?? trouble
                    continue
                }
                if isDone {
                    due += below[folder.folder] ?? []
                } else {
                    do { try await block(below: folder.folder) } catch { problem = problem ?? error }
                }
                // First the folders below: they are locked for as long as they wait, and this one for a moment more.
                await begin()
                await afterEach()
                // What may yet be taken back is not free before the job's end, and its hook has its turn then.
                let isFinished = isDone && endpoint.onFailure != .revertAll
                group.addTask {
                    context.state.renderTrace(job: number, folder: folder.folder)
                    if isFinished { await finish(folder) }
                    return Ended(folder: folder, isDone: nil)
                }
            }
            return problem
        }
        if let problem { throw problem }
        guard let job = await jobs.job(number), isTakenBack(job) else { return }
        try await upwards(folders.filter { job.folders[$0.folder]?.state == .done }) { folder in
            _ = try await revert(folder, job: number)
            await afterEach()
        }
    }

    /// How many folders are begun at once. A folder that only waits for a place has a thread that follows its progress, and
    /// there may be thousands: so many more than places that none is ever free while a folder is recorded, or is one of
    /// many on a file system that does not answer.
    var mostBegun: Int {
        let places = max(1, work.slots.count)
        // Where failures count, a folder is begun when there is a place for it, and not to wait for one.
        if endpoint.maxFailures > 0 { return places }
        // Applications leave many folders at the same time, each in its own.
        return endpoint.disconnect == .onDemand ? .max : max(64, 2 * places)
    }

    /// Whether no further folder is begun; those keep their version.
    private func hasFailedTooOften() async -> Bool {
        guard endpoint.maxFailures > 0, let job = await jobs.job(number) else { return false }
        let failed = job.folders.values.count { [.failed, .reverted].contains($0.state) && !$0.code.isEmpty }
        return failed >= endpoint.maxFailures
    }

    /// What has ended in a folder.
    private struct Ended: Sendable {
        let folder: FolderPlan
        /// Whether the folder is done; nil where what comes after its end is through.
        let isDone: Bool?
        /// Why its end could not be recorded.
        var problem: (any Error)? = nil
    }

    /// Whether the folder is done afterwards.
    func apply(_ folder: FolderPlan) async throws -> Bool {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return false }
        if job.folders[name]?.state == .done { return true }
        if [.failed, .reverted].contains(job.folders[name]?.state) { return false }
        // A folder that had not begun stays as it was.
        if job.cancelledAt != nil, job.folders[name]?.state == .pending { return false }
        // First the job: should the second write fail, the job's end finds the folder and leaves it locked.
        try await jobs.apply(.begin, to: name, of: number)
        try await supervisor.change(name, .update(job: number))
        context.logger.log(
            .folderUpdating,
            "\(endpoint.name)/\(name): from \(folder.from?.description ?? "an unknown version") to \(folder.to)",
            fields(name, job))
        do {
            let progress = Progress(
                jobs: jobs, work: work, job: number, folder: folder, supervisor: supervisor, quiesce: quiesce)
            try await tryOut(folder, job, progress)
            let summary = try await progress.shown {
                try await work.run(.apply, job, name) { $0.outcome == .done }
            }
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
}
