import Logging
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
            try lock(job, .announced)
            tell(.announced, "please go down: \(job.update) \(job.version) begins in \(Int(endpoint.leadTime)) s", job)
            // By the lock's deadline, and never longer than the lead time, whatever was done to the clock since.
            let passed = job.announcedAt.map { Timestamp.now.seconds(since: $0) } ?? 0
            Clock.wait(seconds: min(endpoint.leadTime, max(0, endpoint.leadTime - passed)))
        }
        job = try await jobs.change(number) { $0.disconnectedAt = $0.disconnectedAt ?? .now }
        let isResumed = job.hasBegun
        try lock(job, isResumed ? .updating : .disconnect)
        if !isResumed { tell(.disconnected, "stay away: \(job.update) \(job.version) begins", job) }
        try await quiesce.stop(for: Set(try wanted(job, .disconnect).keys), job: job)
        try lock(job, .updating)
    }

    /// Makes the locks what the job's folders demand.
    func lock(_ job: Job, _ phase: UpdateLock.Phase) throws { try locks.set(wanted(job, phase)) }

    private func wanted(_ job: Job?, _ phase: UpdateLock.Phase) throws(StoreError) -> [String: UpdateLock] {
        try EndpointLocks(endpoint: endpoint, states: states).wanted(for: job, updating: phase)
    }

    /// Lifts the locks of folders that are fit for use, then starts their tasks again.
    ///
    /// - Parameter job: as it stands now; nil: no job is under way, only what earlier ones left is put right.
    /// - Returns: what does not come up.
    func end(_ job: Job?) async throws -> [Fault] {
        let holding = job.flatMap { $0.isHolding ? $0 : nil }
        let locked = try wanted(holding, .updating)
        try locks.set(locked)
        return try await quiesce.start(keeping: Set(locked.keys), job: job?.job)
    }

    private func tell(_ event: Event, _ text: String, _ job: Job) {
        host.log.tell(
            event, "\(endpoint.name): \(text)", EventFields(job: job.job, endpoint: endpoint.name, update: job.update))
    }
}
