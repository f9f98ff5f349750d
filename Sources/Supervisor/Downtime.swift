import Logging
import PatchFiles
import PatchModel
import PatchStore

/// The time in which an endpoint's folders are locked: how it begins, and how it ends.
struct Downtime: Sendable {
    let host: Host
    let endpoint: Endpoint
    let jobs: JobTable
    let locks: Locks
    let quiesce: Quiesce

    private var states: FolderStates { FolderStates(host: host, endpoint: endpoint) }

    /// Tells the applications to go, gives them their time, and stops the normal tasks. Gone on with after a crash by
    /// calling it again: what the job's file says was announced is not announced anew.
    ///
    /// - Parameter isCritical: the update allows no lead time.
    func begin(_ number: Int, isCritical: Bool) async throws {
        guard var job = await jobs.job(number) else { return }
        if endpoint.leadTime > 0, !isCritical, job.disconnectedAt == nil {
            job = try await jobs.change(number) { $0.announcedAt = $0.announcedAt ?? .now }
            try await lock(job, .announced)
            tell(.announced, "please go down: \(job.update) \(job.version) begins in \(Int(endpoint.leadTime)) s", job)
            // By the lock's deadline, and never longer than the lead time, whatever was done to the clock since.
            let passed = job.announcedAt.map { Timestamp.now.seconds(since: $0) } ?? 0
            let end = MonotonicClock.seconds + min(endpoint.leadTime, max(0, endpoint.leadTime - passed))
            while MonotonicClock.seconds < end {
                try await stopIfCancelled(number)
                MonotonicClock.wait(seconds: min(1, end - MonotonicClock.seconds))
            }
        }
        job = try await jobs.change(number) { $0.disconnectedAt = $0.disconnectedAt ?? .now }
        let isResumed = job.hasBegun
        try await stopIfCancelled(number)
        try await lock(job, isResumed ? job.lockPhase : .disconnect)
        if !isResumed { tell(.disconnected, "stay away: \(job.update) \(job.version) begins", job) }
        try await quiesce.stop(for: Set(try await wanted(job, .disconnect).keys), job: job)
        try await lock(job, job.lockPhase)
    }

    private func stopIfCancelled(_ number: Int) async throws {
        guard let job = await jobs.job(number), job.cancelledAt != nil, !job.hasBegun else { return }
        throw Fault(.cancelled, "cancelled before a folder was changed")
    }

    /// Makes the locks what the job's folders demand.
    func lock(_ job: Job, _ phase: UpdateLock.Phase) async throws { try await set(await wanted(job, phase)) }

    private func set(_ wanted: [String: UpdateLock]) async throws {
        await DatabaseWork(host: host, endpoint: endpoint).show(try locks.set(wanted))
    }

    private func wanted(_ job: Job?, _ phase: UpdateLock.Phase) async throws -> [String: UpdateLock] {
        let holding = await jobs.holding(endpoint.name)
        return try EndpointLocks(endpoint: endpoint, states: states).wanted(
            for: job, updating: phase, holding: holding?.job == job?.job ? nil : holding)
    }

    /// Lifts the locks of folders that are fit for use, then starts their tasks again.
    ///
    /// - Parameter job: as it stands now; nil: no job is under way, only what earlier ones left is put right.
    /// - Returns: what does not come up.
    func end(_ job: Job?) async throws -> [Fault] {
        let holding = job.flatMap { $0.isHolding ? $0 : nil }
        let locked = try await wanted(holding, .updating)
        try await set(locked)
        return try await quiesce.start(keeping: Set(locked.keys), job: job?.job)
    }

    private func tell(_ event: Event, _ text: String, _ job: Job) {
        host.log.tell(
            event, "\(endpoint.name): \(text)", EventFields(job: job.job, endpoint: endpoint.name, update: job.update))
    }
}
