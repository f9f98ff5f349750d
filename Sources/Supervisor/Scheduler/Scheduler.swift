import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// Takes drops, answers requests, and gives each endpoint's jobs their turns.
struct Scheduler: Sendable {
    var context: DaemonContext
    let notifications: any ServiceNotifications
    let read: @Sendable () throws -> Configuration?
    let jobs: JobStore
    let units: QuiescedUnitStore
    let slots: WorkerSlots
    let watch: DirectoryWatch
    let plans = OptionPlans()
    let deferredReplies = DeferredAnswers()
    let pendingNotices = PendingDatabaseNotices()
    let activeWork = ActiveWork()
    var locks: [String: Locks] = [:]
    /// Endpoints whose configuration is to be taken up; later, where a job runs.
    var fresh: Set<String> = []
    let arrivals = ArrivalOrder()
    let scans = ScanSchedule()
    let queued = QueuedUpdates()
    let backoff = RetryBackoff()
    let wakeTimer = WakeTimer()
    private let unwatched = SaidOnce()

    /// A loop that has not begun.
    ///
    /// - Parameter read: reads the configuration again; nil when it is refused.
    init(
        context: DaemonContext, notifications: any ServiceNotifications,
        read: @escaping @Sendable () throws -> Configuration?
    )
        throws
    {
        self.context = context
        self.notifications = notifications
        self.read = read
        jobs = try JobStore(context.state, notices: context.notices) { notifications.status($0) }
        units = try QuiescedUnitStore(context.state)
        watch = try DirectoryWatch([context.spool.incoming, context.spool.requests, context.spool.holds])
        let workers = context.configuration.daemon.workers
        slots = WorkerSlots(workers > 0 ? workers : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        if !context.once { Signals.wake(watch) }
    }

    /// Runs until the process is ended, or with `once` until nothing can run; then returns the exit code.
    mutating func run() async throws -> Int32 {
        fresh = Set(context.configuration.endpoints.map(\.name))
        try intake.removeLeftovers()
        try await load()
        try guardUnits()
        notifications.status(await jobs.summary())
        notifications.ready()
        for damaged in jobs.damaged {
            context.failures.note()
            let place = damaged.endpoint ?? "any endpoint, as nothing says which is its own"
            context.logger.log(
                .jobDamaged, "job \(damaged.job) is damaged, so no job begins on \(place): \(damaged.message)",
                EventFields(job: damaged.job, endpoint: damaged.endpoint ?? ""))
        }
        context.logger.log(.ready, "ready: \(context.configuration.endpoints.count) endpoints")
        return try await withThrowingDiscardingTaskGroup { group in
            try await settle(&group)
            var openSince: Double?
            var leavesSomething = false
            var leftSince: Double?
            while true {
                try await reloadIfAsked(&group)
                try await load()
                for own in locks.values { own.restore() }
                logUnwatched()
                await showAgain()
                var (moved, isOpen) = await lookAfterSpool()
                await startPlans(&group)
                await startDeferredReplies(&group)
                await startShowing(&group)
                moved = try await startUserQueues(&group) || moved
                let isGrowing = await scans.next.map { $0 > 0 } ?? false
                // Whoever holds a request open for longer does not mean it yet. With `--once` it is left for the next run.
                openSince = isOpen && !context.once ? openSince ?? MonotonicClock.seconds : nil
                let patience = openSince.map { $0 + context.configuration.daemon.settle - MonotonicClock.seconds } ?? 0
                let isPatient = patience > 0
                let isLeft = isOpen && context.once
                isOpen = isOpen && isPatient
                moved = try await startJobs(&group) || moved
                await startNotices(&group)
                notifications.alive()
                if moved {
                    if watch.wait(seconds: 0) == .changed { await scans.ask() }
                    continue
                }
                let scan = await scans.next
                // What was carried out and cannot be answered is left for the next run.
                let isAnswered = deferredReplies.isEmpty || backoff.rest(of: .spool) != nil
                if context.once, await activeWork.isEmpty, context.notices.isEmpty, pendingNotices.endpoints.isEmpty,
                    isAnswered, !isOpen
                {
                    leavesSomething = isGrowing || isLeft
                    if scan == nil, !leavesSomething { break }
                    if leavesSomething {
                        leftSince = leftSince ?? MonotonicClock.seconds
                        if MonotonicClock.seconds - (leftSince ?? 0) >= Self.instant { break }
                        watch.wait(seconds: 0.05)
                        await scans.ask()
                        continue
                    }
                }
                // Once a minute the scan is the truth, whatever the events said.
                let pause = min(
                    scan ?? 60, isOpen ? 0.2 : 60, isPatient ? patience : 60, wakeTimer.rest ?? 60,
                    backoff.rest(of: .spool) ?? 60, (notifications.watchdog ?? 120) / 2)
                if watch.wait(seconds: pause) != .woken { await scans.ask() }
            }
            let code = try await exitCode()
            return leavesSomething && code != 1 ? 5 : code
        }
    }

    /// - Returns: whether any was answered, and whether one is still being written.
    private func lookAfterSpool() async -> (answered: Bool, isOpen: Bool) {
        var found = (answered: false, isOpen: false)
        if backoff.rest(of: .spool) != nil { return found }
        let requests = Requests(
            context: context, jobs: jobs, slots: slots, locks: locks, plans: plans, deferredReplies: deferredReplies,
            pendingNotices: pendingNotices)
        let isDue = await scans.isDue
        do {
            if isDue {
                try dropStaleHolds()
            }
            try context.spool.sweep.advance()
            found = try await requests.answerSome()
        } catch {
            backOff(.spool, "cannot look after requests and holds: \(error)", EventFields())
        }
        return found
    }

    /// Says once that there are changes which nobody will be told of.
    private func logUnwatched() {
        guard let problem = watch.problem, unwatched.note() else { return }
        context.logger.log(
            .notWatched,
            "\(problem): the spool is looked through once a second instead; fs.inotify.max_user_instances and "
                + "max_user_watches (sysctl) say how much there is")
    }

    var intake: Intake { Intake(context: context, jobs: jobs, arrivals: arrivals) }

    /// Seconds in which `--once` looks again at what somebody has open: a program that starts another has its files open twice
    /// for an instant, and what it has just closed and dropped must not be left for that.
    private static let instant = 1.0

    private func exitCode() async throws -> Int32 {
        if !context.failures.isEmpty { return 1 }
        var states: [Job.State] = []
        for endpoint in context.configuration.endpoints { states += await jobs.all(of: endpoint.name).map(\.state) }
        let open = states.filter { !$0.isFinal }
        if open.contains(where: { $0 != .pendingApproval }) { return 5 }
        return open.isEmpty ? 0 : 6
    }
}
