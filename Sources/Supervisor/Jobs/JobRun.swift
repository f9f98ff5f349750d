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
    let jobs: JobStore
    let slots: WorkerSlots
    let locks: Locks
    let units: QuiescedUnitStore
    let number: Int

    private var quiesce: Quiesce { Quiesce(context: context, endpoint: endpoint, table: units, jobs: jobs) }
    private var downtime: Downtime {
        Downtime(context: context, endpoint: endpoint, jobs: jobs, locks: locks, quiesce: quiesce)
    }

    /// Runs the job to its end, whatever that is.
    ///
    /// - Returns: nil, or why its end could not be recorded, so that it is still under way.
    func run() async -> String? {
        do {
            return try await go()
        } catch let deferred as JobDeferred {
            return await putBack(deferred)
        } catch {
            let fault = error as? Fault ?? Fault(.io, "\(error)")
            // Whatever could not be written, a job is not over between two versions with `revertAll`, nor where an admin could
            // not resume it: its folders stay locked, and it is gone on with as after a crash. What is damaged would not be
            // read the next time either.
            if fault.code == .io, !(error is LedgerError), let job = await jobs.job(number), job.rollback == nil,
                job.hasBegun, job.cancelledAt == nil, endpoint.onFailure == .revertAll || job.isSettled
            {
                return "cannot go on with job \(number): \(fault)"
            }
            return await end(fault)
        }
    }

    private var tree: TreeRun {
        TreeRun(context: context, endpoint: endpoint, jobs: jobs, slots: slots, quiesce: quiesce, number: number)
    }
    private var work: WorkerRun { WorkerRun(context: context, endpoint: endpoint, slots: slots, jobs: jobs) }

    private func go() async throws -> String? {
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
            if hasPutBack { _ = try await downtime.end(nil) }
            if plan != nil { try await record(nil) }
            return nil
        }
        // Without those that an admin has left out since.
        let pending = planned.filter { job.folders[$0.folder]?.state != .excluded }
        let open = pending.filter { tree.isOpen($0, in: job) }
        if !open.isEmpty {
            try await change(pending, open, job)
        } else {
            await tree.finish(pending)
        }
        return await end(nil)
    }

    /// Changes the folders: what the applications must not see.
    private func change(_ pending: [FolderPlan], _ open: [FolderPlan], _ job: Job) async throws {
        let afterEach: @Sendable () async throws -> Void = {
            if let job = await jobs.job(number) { try await downtime.lock(job, job.lockPhase) }
        }
        if job.rollback != nil {
            try await downtime.begin(number, isCritical: false)
            return try await tree.rollBack(pending, afterEach: afterEach)
        }
        try await tree.stage(open)
        let isCritical = try context.state.contents(ofArchive: job.sha256)?.manifest.critical ?? false
        try await downtime.begin(number, isCritical: isCritical)
        try await tree.apply(pending, afterEach: afterEach)
    }

    /// A corrected archive (same name and version, other content) puts the folders back in which the first one failed.
    ///
    /// - Returns: whether there was one; nil when it cannot be put back: the job is over then, and the folders stay as they
    ///   are.
    private func putBackWhatThisCorrects(_ job: Job) async throws -> Bool? {
        guard let held = await jobs.holding(endpoint.name), held.job != number, held.isCorrected(by: job),
            let plan = try context.state.plan(job: held.job)?.endpoints.first
        else { return false }
        for folder in plan.folders.reversed() where held.folders[folder.folder]?.state == .failed {
            guard try await tree.revert(folder, job: held.job) else {
                let reason = await jobs.job(held.job)?.folders[folder.folder]?.message ?? ""
                try await record(
                    Fault(
                        folder: folder.folder, .irreversible,
                        "cannot put back what job \(held.job) did, before the corrected archive: \(reason)"))
                return nil
            }
        }
        return true
    }

    // MARK: Plan and preflight

    /// The plan that the job runs by; nil when its preflight found faults, and the job is over.
    private func plan(_ job: Job) async throws -> EndpointPlan? {
        let kept = try context.state.plan(job: number)?.endpoints.first
        if let kept, kept.faults.isEmpty, !job.needsApproval(on: endpoint) { return kept }
        let preflight = Preflight(context: context, endpoint: endpoint, work: work, quiesce: quiesce)
        let corrected = await jobs.holding(endpoint.name)
        let plan = try await preflight.run(job, looksInside: corrected == nil || !job.isPlannedOnly(on: endpoint))
        let folders = try preflight.folders(plan, of: number)
        let job = try await jobs.change(number) { $0.folders = folders }
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

    /// Takes the locks back and lets the job wait in its place. It will be planned anew: until then anything may change.
    private func putBack(_ deferred: JobDeferred) async -> String? {
        do {
            let job = try await jobs.change(number) { job in
                if job.cancelledAt != nil { return }
                job.state = .waiting
                job.waitingFor = deferred.reason
                job.waitingSince = .now
                job.insider = deferred.insider
                job.approval?.isConfirmed = false
                job.announcedAt = nil
                job.disconnectedAt = nil
            }
            if job.cancelledAt != nil { return await end(Fault(.cancelled, "cancelled before a folder was changed")) }
            try context.state.removePlan(job: number)
            _ = try await downtime.end(await jobs.holding(endpoint.name))
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
    private func end(_ failure: Fault?) async -> String? {
        do {
            let running = await jobs.job(number)?.folders.filter { $0.value.state == .running } ?? [:]
            // The resumed job did not come to these again: a ledger was damaged, or it was cancelled.
            let cutShort = await jobs.halfDone(number).union(running.keys)
            var job = try await jobs.change(number) { job in
                let cause = failure?.code ?? (job.cancelledAt == nil ? .io : .cancelled)
                // A folder that was being changed and is not known to be done must not be used.
                for name in cutShort {
                    job.folders[name]?.state = .failed
                    job.folders[name]?.code = cause.rawValue
                    job.folders[name]?.message = failure?.message ?? "the job ended in the middle of it"
                }
            }
            let states = FolderStates(context: context, endpoint: endpoint)
            for name in cutShort {
                try states.change(name) { state in
                    state.status = .failed
                    state.message = job.folders[name]?.message ?? ""
                }
            }
            var faults: [Fault] = []
            // Units that an earlier end of it did not bring up are tried again, though nothing is locked any more.
            let hasDueUnits = await !units.down(on: endpoint.name).isEmpty
            if job.isLocking || hasDueUnits {
                try states.refresh()
                faults = try await downtime.end(job)
                if endpoint.onFailure == .revertAll, job.rollback == nil {
                    await tree.finish(try context.state.plan(job: number)?.endpoints.first?.folders ?? [])
                }
            }
            let down = await units.down(on: endpoint.name)
            job = try await jobs.change(number) { $0.units = down.isEmpty ? nil : down }
            if !job.isHolding {
                job = try await jobs.change(number) { job in
                    job.announcedAt = nil
                    job.disconnectedAt = nil
                    job.admittedAt = nil
                }
            }
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

    private func record(_ failure: Fault?) async throws {
        let job = try await jobs.change(number) { job in
            // What an admin has to decide about is a failure, whatever led to it.
            let isOver = failure?.code == .cancelled && !job.isHolding
            job.state = failure == nil ? .done : isOver ? .cancelled : .failed
            job.code = failure?.code.rawValue ?? ""
            job.message = failure?.description ?? ""
            job.finishedAt = .now
        }
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
