import Logging
import PatchModel
import PatchStore

/// The folders that go first, and the pause after them (contract §7).
extension JobRun {
    /// How a job goes on after its canary.
    enum AfterCanary {
        /// The others have their turn; also where there is no canary.
        case others
        /// It is over: the canary is not through.
        case ends
        /// It waits, or is over and that is recorded.
        case pauses
    }

    /// Changes the folders that go first, unless that was done.
    ///
    /// - Parameter pending: all that the job changes.
    func goThroughCanary(_ pending: [FolderPlan]) async throws -> AfterCanary {
        guard let stage = await jobs.job(number)?.canary?.stage else { return .others }
        if stage == .first {
            try await change(pending)
            guard let job = await jobs.job(number), let canary = job.canary else { return .ends }
            let first = pending.filter { job.isInTurn($0.folder) }
            let states = first.compactMap { job.folders[$0.folder]?.state }
            if job.cancelledAt != nil || states.contains(where: { $0 != .done }) { return .ends }
            // Where an admin has left them all out there is nothing to look at.
            let isWaitedFor = canary.plan.pause != .seconds(0) && !states.isEmpty
            if isWaitedFor { return try await pause(canary, first) }
            try await jobs.apply(.endPause(), to: number)
            await supervisor.setLocks()
            await finishCommitted(first)
        }
        try await checkBeforeOthers(pending)
        return .others
    }

    /// Lets the others wait: what is free is unlocked, and its tasks run.
    private func pause(_ canary: JobCanary, _ first: [FolderPlan]) async throws -> AfterCanary {
        var until: Timestamp?
        if case .seconds(let seconds) = canary.plan.pause { until = context.clocks.now.adding(seconds: seconds) }
        let job = try await jobs.apply(.pause(until: until, at: context.clocks.now), to: number)
        if job.cancelledAt != nil { return .ends }
        context.logger.log(
            .jobPaused, "job \(number) on \(endpoint.name) waits for \(job.waitingFor)", EventFields(job))
        try await supervisor.compareStates()
        let faults = try await downtime.end(number)
        await finishCommitted(first)
        guard let fault = faults.first else { return .pauses }
        do {
            try await jobs.apply(.unitsDown(await stores.units.down(on: endpoint.name)), to: number)
            try await record(fault)
        } catch is TransitionRefused {
            // Somebody has ended it meanwhile.
        }
        return .pauses
    }

    /// Runs the hooks of folders that wait for the job's end elsewhere.
    private func finishCommitted(_ folders: [FolderPlan]) async {
        if endpoint.onFailure == .revertAll { await tree.finish(folders) }
    }

    /// What may be in the way by now. Nobody was asked to leave for the others yet.
    ///
    /// - Throws: ``Fault``.
    private func checkBeforeOthers(_ pending: [FolderPlan]) async throws {
        guard let job = await jobs.job(number), !job.hasBegunPart else { return }
        if let (unit, problem) = await stores.units.down(on: endpoint.name).min(by: { $0.key < $1.key }) {
            throw Fault(
                .unit,
                "\(unit) has not come up again after the canary: \(problem); look at: journalctl -u \(unit); start it, "
                    + "then resume the job, or roll it back")
        }
        let others = pending.map(\.folder).filter(job.isInTurn)
        let affected = Set(others + others.flatMap(endpoint.descendants))
        if let fault = try quiesce.check(affected, mayChange: true).faults.first { throw fault }
    }
}
