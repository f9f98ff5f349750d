import Logging
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// The time in which an endpoint's folders are locked: how it begins, and how it ends.
struct Downtime: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let supervisor: EndpointSupervisor
    let jobs: JobStore
    let quiesce: Quiesce

    /// Makes room for the locks of all folders that the job will lock, before anybody is asked to leave.
    ///
    /// - Throws: ``Fault`` where one has no room. Nothing is locked then.
    func reserve(_ number: Int) async throws {
        guard let job = await jobs.job(number) else { return }
        let faults = await supervisor.reserveLocks(in: touched(by: job))
        guard let first = faults.first else { return }
        throw Fault(first.code, faults.map(\.description).joined(separator: "\n"))
    }

    /// Tells the applications to go, gives them their time, and stops the normal tasks. Gone on with after a crash by
    /// calling it again: what the job's file says was announced is not announced anew.
    ///
    /// Whoever holds a folder or stays inside comes first. The order is what makes that sure: the lock is written, then
    /// holds are looked for; a hold is written, then the lock is looked for. Of any two, one sees the other. Once nobody
    /// was found, that is recorded before anything is stopped, and what comes later waits for this job.
    ///
    /// - Parameter isCritical: the update allows no lead time.
    /// - Throws: ``JobDeferred`` where somebody keeps patchd away.
    func begin(_ number: Int, isCritical: Bool) async throws {
        guard var job = await jobs.job(number) else { return }
        if endpoint.leadTime > 0, !isCritical, job.disconnectedAt == nil {
            job = try await jobs.apply(.announce(at: context.clocks.now), to: number)
            try await lock(job)
            try await yieldToHolds(job)
            log(
                .announced,
                "applications should close: \(job.update) \(job.version) begins in \(Int(endpoint.leadTime)) s", job)
            // By the lock's deadline, and never longer than the lead time, whatever was done to the clock since.
            let passed = job.announcedAt.map { context.clocks.now.seconds(since: $0) } ?? 0
            let end = context.clocks.seconds + min(endpoint.leadTime, max(0, endpoint.leadTime - passed))
            while context.clocks.seconds < end {
                try await stopIfCancelled(number)
                try await context.clocks.sleep(seconds: min(1, max(0, end - context.clocks.seconds)))
            }
        }
        if job.triedAt != nil || isTriedFirst(job) { return try await beginTrying(job) }
        job = try await jobs.apply(.disconnect(at: context.clocks.now), to: number)
        let isResumed = job.hasBegunPart
        try await stopIfCancelled(number)
        try await lock(job)
        if !isResumed { log(.disconnected, "applications must leave: \(job.update) \(job.version) begins", job) }
        if job.admittedAt == nil {
            if !isResumed {
                try await yieldToHolds(job)
                try await drain(touched(by: job), told: job.disconnectedAt, job)
            }
            job = try await jobs.apply(.admit(at: context.clocks.now), to: number)
        }
        try await quiesce.stop(for: try await supervisor.wantedDowntime().folders, job: job)
        job = try await jobs.apply(.quiesce(at: context.clocks.now), to: number)
        await supervisor.setLocks()
    }

    /// Whether scripts are tried while applications work. Where a copy of the database would be put back by itself, they
    /// leave first: what they wrote since the copy would be lost.
    private func isTriedFirst(_ job: Job) -> Bool {
        endpoint.disconnect == .onDemand && job.disconnectedAt == nil && job.rollback == nil
            && (endpoint.onFailure == .hold || endpoint.backup == "none")
    }

    /// Says that nothing new may be started, and stops the normal tasks. Nobody who is inside is asked to leave: each
    /// folder comes to that by itself, see ``disconnect(_:by:in:)``.
    private func beginTrying(_ before: Job) async throws {
        var job = try await jobs.apply(.tryOut(at: context.clocks.now), to: before.job)
        let isResumed = job.hasBegunPart
        try await stopIfCancelled(job.job)
        try await lock(job)
        if !isResumed { log(.announced, "nothing new may be started: \(job.update) \(job.version) is tried", job) }
        if job.admittedAt == nil {
            if !isResumed { try await yieldToHolds(job) }
            job = try await jobs.apply(.admit(at: context.clocks.now), to: job.job)
        }
        try await quiesce.stop(for: try await supervisor.wantedDowntime().folders, job: job)
        try await jobs.apply(.quiesce(at: context.clocks.now), to: job.job)
        await supervisor.setLocks()
    }

    /// Has everybody leave one folder, and waits until nobody is inside.
    ///
    /// - Parameter blockers: who is in the way in its database; they have their time beyond this, and are ended then.
    /// - Returns: when they were told to leave.
    /// - Throws: ``Fault`` `inUse` where somebody stays beyond his time. The folder is half done, so the job does not wait.
    func disconnect(_ folder: String, by blockers: [Blocker], in number: Int) async throws -> Timestamp {
        var job = try await jobs.apply(.disconnect(at: context.clocks.now), to: folder, of: number)
        job = try await jobs.apply(.inTheWay(blockers), to: folder, of: number)
        let told = job.folders[folder]?.disconnectedAt ?? context.clocks.now
        await supervisor.setLocks()
        await supervisor.waitUntilShown()
        log(.disconnected, "applications must leave \(folder): \(job.update) \(job.version) is applied", job)
        do {
            try await drain([folder], told: told, job)
        } catch let deferred as JobDeferred {
            throw Fault(folder: folder, .inUse, "waited for \(deferred.reason); then resume job \(number)")
        }
        try await jobs.apply(.admit(at: context.clocks.now), to: folder, of: number)
        await supervisor.setLocks()
        return told
    }

    private func stopIfCancelled(_ number: Int) async throws {
        guard let job = await jobs.job(number), job.cancelledAt != nil, !job.hasBegunPart else { return }
        throw Fault(.cancelled, "cancelled before a folder was changed")
    }

    private func yieldToHolds(_ job: Job) async throws {
        if job.admittedAt != nil || job.hasBegunPart { return }
        guard let standing = try context.hold(on: endpoint, touched(by: job)) else { return }
        throw JobDeferred(reason: standing.description)
    }

    /// The folders that a job changes, or the part of it that has its turn, and those below them. Others may be locked, too, because another job failed in them or
    /// they are behind: who holds one of those is in nobody's way. Whoever gives a job its turn has to ask for as many holds
    /// at least, or it would get it again at once, without end.
    private func touched(by job: Job) -> Set<String> {
        let changed = job.folders.filter { name, folder in
            folder.state == .running || folder.state == .pending && job.isInTurn(name)
        }.keys
        return Set(changed).union(changed.flatMap(endpoint.descendants))
    }

    /// Waits until nobody is inside the folders any more: `grace` and a little longer, in which who is inside is killed by
    /// the `patchctl guard` that let him in.
    ///
    /// - Parameter told: when they were told to leave.
    private func drain(_ folders: Set<String>, told: Timestamp?, _ job: Job) async throws {
        let passed = told.map { max(0, context.clocks.now.seconds(since: $0)) } ?? 0
        let end = context.clocks.seconds + max(0, endpoint.grace - passed) + Self.patience
        for folder in endpoint.activeFolders where folders.contains(folder.name) {
            let thread = context.threads.thread(of: folder)
            var pause = 0.005
            while try await !thread.run("look into", { try FolderGate.open(folder.path).drain() }) {
                try await stopIfCancelled(job.job)
                if context.clocks.seconds >= end {
                    let (holders, group) = try await thread.run("look into") {
                        (
                            try FolderGate.open(folder.path).holders(),
                            try Directory.openWithoutLinks(folder.path).status().gid
                        )
                    }
                    let counting = holders.filter { mayStay(RunningProcess($0), in: folder, group: group) }
                    if holders.isEmpty || !counting.isEmpty { throw deferred(by: counting, in: folder) }
                    logStrangers(holders, in: folder, job)
                    break
                }
                try await context.clocks.sleep(seconds: pause)
                pause = min(pause * 2, 0.25)
            }
        }
    }

    /// Whether an update is put off for a process: anybody who can read a directory can lock it, and must not so keep an
    /// endpoint from its updates. Who may hold the folder may, and who belongs to its group.
    private func mayStay(_ process: RunningProcess, in folder: Folder, group: UInt32) -> Bool {
        guard let uid = process.user else { return false }
        if context.mayHold(.folder(endpoint: endpoint.name, folder: folder.name), uid, on: endpoint) { return true }
        return UserIdentity(uid: uid)?.groups.contains(group) ?? false
    }

    private func logStrangers(_ holders: [Int32], in folder: Folder, _ job: Job) {
        context.logger.log(
            .strangerInside,
            "\(endpoint.name)/\(folder.name) is updated though \(names(holders)) stayed inside: no user of the folder's",
            EventFields(job: job.job, endpoint: endpoint.name, folder: folder.name, update: job.update))
    }

    private func names(_ holders: [Int32]) -> String {
        holders.map { pid in
            let process = RunningProcess(pid)
            return "\(process.name ?? "?") (pid \(pid)\(process.unit.map { ", \($0)" } ?? ""))"
        }.joined(separator: ", ")
    }

    /// Seconds that whoever is inside gets beyond `grace` (contract §8).
    private static let patience = 10.0

    private func deferred(by holders: [Int32], in folder: Folder) -> JobDeferred {
        let who = holders.isEmpty ? "a process that cannot be seen from here" : names(holders)
        return JobDeferred(
            reason: "\(who) to leave \(endpoint.name)/\(folder.name), in which it stayed beyond grace "
                + "(\(Int(endpoint.grace)) s); end it, or wait until it has ended",
            process: BlockingProcess(
                folder: folder.name, pid: holders.first ?? 0,
                started: holders.first.map { RunningProcess($0).started } ?? 0))
    }

    /// Locks the folders of a job that is about to begin, and has their databases show it.
    ///
    /// - Throws: ``Fault`` where one cannot be locked. Nothing was changed yet, so the job ends.
    private func lock(_ job: Job) async throws {
        let own = touched(by: job)
        let problems = await supervisor.setLocks().filter { own.contains($0.key) }
        if !job.hasBegunPart, let (_, fault) = problems.min(by: { $0.key < $1.key }) { throw fault }
        await supervisor.waitUntilShown()
    }

    /// Lifts the locks of folders that are fit for use, then starts their tasks again. A lock that cannot be lifted is tried
    /// again later, and keeps nothing else from going on.
    ///
    /// - Parameter number: the job that ends; nil: none does.
    /// - Returns: what does not come up.
    func end(_ number: Int?) async throws -> [Fault] {
        await supervisor.setLocks()
        await supervisor.waitUntilShown()
        let locked = try await supervisor.wantedDowntime().folders
        var job: Job?
        if let number { job = await jobs.job(number) }
        return try await quiesce.start(keeping: locked, job: job)
    }

    private func log(_ event: Event, _ text: String, _ job: Job) {
        context.logger.log(
            event, "\(endpoint.name): \(text)", EventFields(job))
    }
}
