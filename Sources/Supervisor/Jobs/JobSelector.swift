import Logging
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Decides which job of an endpoint has its turn: first come, first served, but a job waits while none of its folders has
/// the dependency or while another one brings it (contract §3).
struct JobSelector: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let jobs: JobStore
    let queued: QueuedUpdates
    /// Rung when it has to be looked again without anything having happened in the spool.
    let wakeTimer: WakeTimer
    let supervisor: EndpointSupervisor

    /// The job to run next; nil when none can. Jobs that wait are told what for.
    @concurrent func next() async throws -> Int? {
        try await releaseUngated(endpoint)
        // One look at all of them: a job that held the endpoint may be resumed between two.
        let (open, holding, testedAt) = await jobs.queue(of: endpoint.name)
        if let damaged = jobs.damaged(on: endpoint.name) {
            for job in open where job.startedAt == nil && [.queued, .waiting].contains(job.state) {
                try await wait(
                    job, for: "job \(damaged.job), which cannot be read; restore its file, then restart patchd")
            }
            return nil
        }
        if let running = open.first(where: { $0.state == .running }) { return running.job }
        let paused = open.first(where: \.isPaused)
        if let paused, try await endPause(paused) { return try await next() }
        // One that was resumed goes on before all others if it had come as far as a plan, else it waits like a new one.
        let resumed = try open.filter { job in
            try [.queued, .waiting].contains(job.state) && job.startedAt != nil
                && context.state.overview(job: job.job) != nil
        }
        // After its canary a job has kept its place; one that was resumed comes anew.
        let kept = resumed.first { $0.isBetweenParts && $0.resumption == nil }
        if paused == nil, let resumed = kept ?? resumed.first {
            return try await admit(resumed, of: endpoint, updating: nil) ? resumed.job : nil
        }
        let waiting = TurnOrder.sorted(
            open.filter { [.queued, .waiting].contains($0.state) && !$0.isPaused }, testedAt: testedAt)
        queued.keep(waiting, of: endpoint.name)
        if waiting.isEmpty { return nil }
        if paused == nil, let first = holding.first {
            // What undoes or corrects what holds need not wait for it, and a test waits for nothing.
            let test = waiting.firstIndex { $0.operation == .test }
            let way = waiting.firstIndex { job in
                job.rollback != nil || holding.contains { $0.isCorrected(by: job) }
            }
            if let test, way.map({ test < $0 }) ?? true { return waiting[test].job }
            if let way {
                let way = waiting[way]
                let isLetIn = try await isLetIn(way, endpoint)
                if isLetIn, try await admit(way, of: endpoint, updating: nil) { return way.job }
                return test.map { waiting[$0].job }
            }
            for job in waiting {
                try await wait(
                    job, for: "job \(first.job), which failed; resume it with: patchctl resume \(first.job)")
            }
            return nil
        }
        let states = try await supervisor.folderStates()
        queued.begin(endpoint, states)
        var all: [QueuedUpdate]?
        var held = paused
        for job in waiting {
            // It waits for nothing, but is not preferred either: dropped without end, tests would hold up every update.
            if job.operation == .test { return job.job }
            // It keeps its place; only what is to be approved may be looked at meanwhile.
            if let held, !job.isPlannedOnly(on: endpoint) {
                let way =
                    held.isPaused ? "pauses after its canary; end it with: patchctl cancel \(held.job)" : "waits itself"
                try await wait(job, for: "job \(held.job), which \(way)")
                continue
            }
            // A rollback waits for no other update.
            var own: QueuedUpdate?
            if job.rollback == nil {
                own = try update(of: job)
                // What is wrong with it, its preflight says.
                if own == nil { return job.job }
            }
            if let own, !own.hasAll, all == nil {
                all = try waiting.filter { $0.rollback == nil && $0.operation == .apply }.sorted { $0.job < $1.job }
                    .compactMap(update)
            }
            switch own?.readiness(among: all ?? []) ?? .ready {
            case .ready:
                guard try await isLetIn(job, endpoint) else { continue }
                let first = job.keepsCanary ? own?.first : nil
                if try await admit(job, of: endpoint, updating: first ?? own.map { Set($0.updates.keys) }) {
                    return job.job
                }
                held = job
            case .waits(let reason): try await wait(job, for: reason)
            }
        }
        return nil
    }

    private func update(of job: Job) throws -> QueuedUpdate? {
        try queued.update(of: job) { try context.state.contents(ofArchive: job.sha256) }
    }

    /// Whether nobody keeps patchd away from what a job would change; else the job is made to wait.
    ///
    /// - Parameter own: the folders that an update would change; nil for a job that is no update or has its plan.
    private func admit(_ job: Job, of endpoint: Endpoint, updating own: Set<String>?) async throws -> Bool {
        if job.isPlannedOnly(on: endpoint) { return true }
        if let rest = await supervisor.rest(of: job.job) {
            wakeTimer.ring(in: rest)
            return false
        }
        if let process = job.blockingProcess, try await stays(process, in: endpoint) {
            wakeTimer.ring(in: 1)
            return false
        }
        let folders = if let own { own } else { try await changed(by: job, on: endpoint) }
        let affected = folders.union(folders.flatMap(endpoint.descendants))
        guard let standing = try context.hold(on: endpoint, affected) else { return true }
        if let again = Holds.again(standing.hold, at: context.clocks.now) { wakeTimer.ring(in: again) }
        try await wait(job, for: standing.description)
        return false
    }

    /// Whether the process that stayed inside is still there.
    private func stays(_ blocking: BlockingProcess, in endpoint: Endpoint) async throws -> Bool {
        guard let folder = endpoint.folders.first(where: { $0.name == blocking.folder }) else { return false }
        return try await context.threads.thread(of: folder).run("look into") {
            guard blocking.pid > 0 else { return (try? FolderGate.open(folder.path).drain()) == false }
            return RunningProcess(blocking.pid).started == blocking.started
                && (try? FolderGate.open(folder.path).holders().contains(blocking.pid)) == true
        }
    }

    /// Whether the pause of a job is over by now, which is recorded; else it is looked again then.
    private func endPause(_ job: Job) async throws -> Bool {
        guard let until = job.canary?.until else { return false }
        let rest = until.seconds(since: context.clocks.now)
        if rest > 0 {
            // Never more than a minute: a clock may be set.
            wakeTimer.ring(in: min(60, rest + 0.01))
            return false
        }
        // It may be cancelled or approved meanwhile.
        do { try await jobs.apply(.endPause(), to: job.job) } catch is TransitionRefused {}
        return true
    }

    /// The folders that a job which has its plan or takes others back would change.
    private func changed(by job: Job, on endpoint: Endpoint) async throws -> Set<String> {
        if let plan = try context.state.overview(job: job.job)?.outline.endpoints.first {
            // Without those that are done, and those that an admin has left out since.
            let open = plan.folders.filter { folder in
                folder.state == .pending && job.isInTurn(folder.folder)
                    && [.pending, .running].contains(job.folders[folder.folder]?.state ?? .pending)
            }
            return Set(open.map(\.folder))
        }
        guard let target = job.rollback else { return Set(endpoint.activeFolders.map(\.name)) }
        let plan = try FolderStates(context: context, endpoint: endpoint).rollbackPlan(
            await jobs.order(of: endpoint.name))
        return Set(((try? plan.jobs(for: target)) ?? [:]).keys)
    }

    func wait(_ job: Job, for reason: String) async throws {
        if job.state == .waiting, job.waitingFor == reason { return }
        // It may be cancelled meanwhile.
        guard (try? await jobs.apply(.wait(reason: reason, at: context.clocks.now), to: job.job)) != nil else { return }
        context.logger.log(
            .jobWaiting, "job \(job.job) on \(job.endpoint) waits for \(reason)",
            EventFields(job))
    }
}
