import Logging
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// One job's way from its turn to its end. Every part finds out what is done already, so that a job is gone on with by
/// running it again.
struct JobRun: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let supervisor: EndpointSupervisor
    let stores: DaemonStores
    let number: Int

    var jobs: JobStore { stores.jobs }
    var quiesce: Quiesce { Quiesce(context: context, endpoint: endpoint, table: stores.units, jobs: jobs) }
    var downtime: Downtime {
        Downtime(context: context, endpoint: endpoint, supervisor: supervisor, jobs: jobs, quiesce: quiesce)
    }

    /// Runs the job to its end, whatever that is.
    ///
    /// - Returns: nil, or why its end could not be recorded, so that it is still under way.
    @concurrent func run() async -> String? {
        do {
            return try await go()
        } catch let deferred as JobDeferred {
            return await putBack(deferred)
        } catch {
            let fault = error as? Fault ?? Fault(.io, "\(error)")
            // Whatever could not be written, a job whose folders go back by themselves is not over before they have, nor where an
            // admin could not resume it: its folders stay locked, and it is gone on with as after a crash. What is damaged would not be
            // read the next time either.
            if fault.code == .io, !(error is LedgerError), let job = await jobs.job(number), job.rollback == nil,
                job.hasBegunPart, job.cancelledAt == nil, endpoint.onFailure != .hold || job.isSettled
            {
                return "cannot go on with job \(number): \(fault)"
            }
            return await end(fault)
        }
    }

    var tree: TreeRun {
        TreeRun(
            context: context, endpoint: endpoint, supervisor: supervisor, jobs: jobs, slots: stores.slots,
            downtime: downtime, number: number)
    }
    private var work: WorkerRun { WorkerRun(context: context, endpoint: endpoint, slots: stores.slots, jobs: jobs) }

    private func go() async throws -> String? {
        // It waited in its place, and the cut came before its plan was removed: until now anything may have changed.
        if let job = await jobs.job(number), job.state == .waiting, job.startedAt != nil, !job.hasBegun,
            job.resumption == nil, job.approval == nil
        {
            try context.state.removePlan(job: number)
        }
        // It was resumed while another one ran, which may have given the folders another version since.
        if let job = await jobs.job(number), job.resumption != nil, let moved = try await jobs.moved(since: job) {
            throw moved
        }
        guard let job = try await jobs.begin(number) else { return nil }
        var hasPutBack = false
        // What is not approved yet changes nothing.
        if job.operation == .apply, !job.isPlannedOnly(on: endpoint) {
            guard let putBack = try await putBackWhatThisCorrects(job) else { return nil }
            hasPutBack = putBack
        }
        let plan = try await plan(job)
        let planned = plan?.folders.filter { $0.state == .pending } ?? []
        if planned.isEmpty || job.operation == .test {
            // Nothing was locked or changed for it, and locks that another job holds are none of its business. But what
            // it put back is held by nobody any more.
            let hasDueUnits = await !stores.units.down(on: endpoint.name).isEmpty
            if hasPutBack || hasDueUnits {
                _ = try await downtime.end(number)
            } else {
                // An admin may have left a folder out while it waited.
                await supervisor.setLocks()
            }
            if plan != nil { try await record(nil) }
            return nil
        }
        // Without those that an admin has left out since.
        let pending = planned.filter { job.folders[$0.folder]?.state != .excluded }
        switch try await goThroughCanary(pending) {
        case .others: try await change(pending)
        case .ends: break
        case .pauses: return nil
        }
        return await end(nil)
    }

    /// Changes the folders whose turn it is, or does what is still open after them.
    func change(_ planned: [FolderPlan]) async throws {
        guard let job = await jobs.job(number) else { return }
        let pending = planned.filter { job.isInTurn($0.folder) }
        let open = pending.filter { tree.isOpen($0, in: job) }
        if open.isEmpty { return await tree.finish(pending) }
        try await change(pending, open, job)
    }

    /// Changes folders: what the applications must not see.
    private func change(_ pending: [FolderPlan], _ open: [FolderPlan], _ job: Job) async throws {
        let afterEach: @Sendable () async -> Void = { await supervisor.setLocks() }
        if job.rollback != nil {
            try await downtime.reserve(number)
            try await downtime.begin(number, isCritical: false)
            return try await tree.rollBack(pending, afterEach: afterEach)
        }
        try await tree.stage(open)
        try await downtime.reserve(number)
        let isCritical = try context.state.manifest(ofArchive: job.sha256)?.critical ?? false
        try await downtime.begin(number, isCritical: isCritical)
        try await tree.apply(pending, afterEach: afterEach)
    }

    /// A corrected archive (same name and version, other content) puts the folders back in which the first one failed.
    ///
    /// - Returns: whether there was one; nil when it cannot be put back: the job is over then, and the folders stay as they
    ///   are.
    private func putBackWhatThisCorrects(_ job: Job) async throws -> Bool? {
        var hasReverted = false
        for held in await jobs.holding(endpoint.name) where held.job != number && held.isCorrected(by: job) {
            guard let plan = try context.state.plan(job: held.job)?.endpoints.first else { continue }
            for folder in plan.folders.reversed() where held.folders[folder.folder]?.state == .failed {
                // A rollback of it may have stopped half-way, and only that one knows how far it came.
                if let state = try context.state.folder(folder.folder, of: endpoint.name),
                    let other = await jobs.halfDone(by: state, since: held)
                {
                    try await record(
                        Fault(
                            folder: folder.folder, .dependency,
                            "job \(other.job) has stopped in it; first: patchctl resume \(other.job), then drop the archive again"
                        ))
                    return nil
                }
                guard try await tree.revert(folder, job: held.job) else {
                    let reason = await jobs.job(held.job)?.folders[folder.folder]?.message ?? ""
                    try await record(
                        Fault(
                            folder: folder.folder, .irreversible,
                            "cannot undo what job \(held.job) did, before the corrected archive: \(reason)"))
                    return nil
                }
            }
            hasReverted = true
        }
        return hasReverted
    }

    // MARK: Plan and preflight

    /// The plan that the job runs by; nil when its preflight found faults, and the job is over.
    private func plan(_ job: Job) async throws -> EndpointPlan? {
        let kept = try context.state.plan(job: number)?.endpoints.first
        if let kept, kept.faults.isEmpty, !job.needsApproval(on: endpoint) { return kept }
        let preflight = Preflight(context: context, endpoint: endpoint, work: work, quiesce: quiesce)
        let isHeld = await !jobs.holding(endpoint.name).isEmpty
        let plan = try await preflight.run(job, looksInside: !isHeld || !job.isPlannedOnly(on: endpoint))
        let folders = try preflight.folders(plan, of: number)
        let canary = job.keepsCanary ? plan.canary : nil
        let job = try await jobs.apply(.plan(folders, canary: canary), to: number)
        try context.state.write(PlanReport(update: job.update, version: job.version, endpoints: [plan]), job: number)
        guard let first = plan.faults.first else {
            let count = plan.folders.count { $0.state == .pending }
            if count > 0, job.needsApproval(on: endpoint) {
                let gate = ApprovalGate(context: context, jobs: jobs, number: number)
                guard try await gate.lets(plan, through: job, approved: kept) else { return nil }
            }
            context.logger.log(
                .jobStarted,
                "job \(number): \(job.update) \(job.version) on \(endpoint.name), \(count) folders to update",
                EventFields(job))
            return plan
        }
        try await record(Fault(first.code, plan.faults.map(\.description).joined(separator: "\n")))
        return nil
    }

    // MARK: The end

    /// Takes the locks back and lets the job wait in its place. It will be planned anew, unless it has begun: until then
    /// anything may change.
    private func putBack(_ deferred: JobDeferred) async -> String? {
        do {
            if await jobs.job(number)?.cancelledAt != nil {
                return await end(Fault(.cancelled, "cancelled before a folder was changed"))
            }
            let job = try await jobs.apply(
                .postpone(reason: deferred.reason, by: deferred.process, at: context.clocks.now), to: number)
            if let again = deferred.again { await supervisor.putOff(number, seconds: again) }
            // After its canary it keeps to its plan.
            if !job.hasBegun { try context.state.removePlan(job: number) }
            _ = try await downtime.end(nil)
            context.logger.log(
                .jobWaiting, "job \(number) on \(endpoint.name) waits for \(deferred.reason)", EventFields(job))
            return nil
        } catch {
            return await end(error as? Fault ?? Fault(.io, "\(error)"))
        }
    }

    /// Ends the job: frees what is fit for use, starts the tasks again, and records how it went.
    ///
    /// - Parameter failure: what kept the job itself from going on; failed folders speak for themselves.
    /// - Returns: nil, or why that could not be recorded.
    func end(_ failure: Fault?) async -> String? {
        do {
            guard var job = await jobs.job(number) else { return nil }
            // The resumed job did not come to these again: a ledger was damaged, or it was cancelled. A folder that was being
            // changed and is not known to be done must not be used.
            let running = job.folders.filter { $0.value.state == .running }.keys
            let cause = failure?.code ?? (job.cancelledAt == nil ? .io : .cancelled)
            let message = failure?.message ?? "the job ended in the middle of it"
            for name in await jobs.halfDone(number).union(running).sorted() {
                // In this order: after a cut between the two the job still says that the folder is half done.
                try await supervisor.change(name, .fail(message: message, at: context.clocks.now))
                job = try await jobs.apply(.fail(code: cause, message: message, done: nil), to: name, of: number)
            }
            var faults: [Fault] = []
            // Units that an earlier end of it did not bring up are tried again, though nothing is locked any more.
            let hasDueUnits = await !stores.units.down(on: endpoint.name).isEmpty
            if job.isLocking || job.isBetweenParts || hasDueUnits {
                try await supervisor.compareStates()
                job = try await jobs.apply(.startEnding(at: context.clocks.now), to: number)
                faults = try await downtime.end(number)
                if endpoint.onFailure == .revertAll, job.rollback == nil {
                    await tree.finish(try context.state.plan(job: number)?.endpoints.first?.folders ?? [])
                }
            }
            job = try await jobs.apply(.unitsDown(await stores.units.down(on: endpoint.name)), to: number)
            // What was put back along with it has no fault of its own.
            let failed = job.folders.filter { [.failed, .reverted].contains($0.value.state) && !$0.value.code.isEmpty }
                .min { $0.key < $1.key }
            let ofFolder = failed.map { name, folder in
                Fault(folder: name, FaultCode(rawValue: folder.code) ?? .io, folder.message)
            }
            let cancelled = job.cancelledAt.map { _ in
                Fault(.cancelled, "cancelled while it ran; what was done stays done")
            }
            try await record(failure ?? ofFolder ?? cancelled ?? faults.first)
            return nil
        } catch {
            let end = failure.map { ", which had failed (\($0))" } ?? ""
            return "cannot end job \(number)\(end): \(error)"
        }
    }

    func record(_ failure: Fault?) async throws {
        let job = try await jobs.apply(.end(failure, at: context.clocks.now), to: number)
        guard let failure else {
            context.logger.log(
                .jobDone, "job \(number): \(job.update) \(job.version) on \(endpoint.name) is done", EventFields(job))
            return
        }
        if job.state == .cancelled {
            return context.logger.log(.jobCancelled, "job \(number) on \(endpoint.name) is cancelled", EventFields(job))
        }
        context.failures.note()
        var fields = EventFields(job)
        fields.folder = failure.folder
        fields.code = failure.code.rawValue
        context.logger.log(
            .jobFailed,
            "job \(number): \(job.update) \(job.version) on \(endpoint.name) failed (\(failure.code.rawValue)): \(failure)",
            fields)
    }

}
