import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore

/// Takes drops, answers requests, and gives each endpoint's jobs their turns.
struct MainLoop: Sendable {
    var host: Host
    let notifications: any ServiceNotifications
    let read: @Sendable () throws -> Configuration?
    let jobs: JobTable
    let units: UnitTable
    let slots: WorkerSlots
    let watch: DirectoryWatch
    let plans = OptionPlans()
    let errands = Errands()
    let unshown = Unshown()
    let busy = Busy()
    var locks: [String: Locks] = [:]
    /// Endpoints whose configuration is to be taken up; later, where a job runs.
    var fresh: Set<String> = []
    let arrivals = Arrivals()
    let scans = ScanTimes()
    let queued = QueuedUpdates()
    let setbacks = Setbacks()
    let alarm = Alarm()

    /// A loop that has not begun.
    ///
    /// - Parameter read: reads the configuration again; nil when it is refused.
    init(host: Host, notifications: any ServiceNotifications, read: @escaping @Sendable () throws -> Configuration?)
        throws
    {
        self.host = host
        self.notifications = notifications
        self.read = read
        jobs = try JobTable(host.state, notices: host.notices) { notifications.status($0) }
        units = try UnitTable(host.state)
        watch = try DirectoryWatch([host.spool.incoming, host.spool.requests, host.spool.holds])
        let workers = host.configuration.daemon.workers
        slots = WorkerSlots(workers > 0 ? workers : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        if !host.once { Signals.wake(watch) }
    }

    /// Runs until the process is ended, or with `once` until nothing can run; then returns the exit code.
    mutating func run() async throws -> Int32 {
        fresh = Set(host.configuration.endpoints.map(\.name))
        try intake.removeLeftovers()
        try await load()
        try guardUnits()
        notifications.status(await jobs.summary())
        notifications.ready()
        for damaged in jobs.damaged {
            host.failures.note()
            let place = damaged.endpoint ?? "any endpoint, as nothing says which is its own"
            host.log.tell(
                .jobDamaged, "job \(damaged.job) is damaged, so no job begins on \(place): \(damaged.message)",
                EventFields(job: damaged.job, endpoint: damaged.endpoint ?? ""))
        }
        host.log.tell(.ready, "ready: \(host.configuration.endpoints.count) endpoints")
        return try await withThrowingDiscardingTaskGroup { group in
            try await settle(&group)
            var openSince: Double?
            var leavesSomething = false
            var leftSince: Double?
            while true {
                try await reloadIfAsked(&group)
                try await load()
                for own in locks.values { own.restore() }
                await showAgain()
                var (moved, isOpen) = await lookAfterSpool()
                await startPlans(&group)
                await startErrands(&group)
                await startShowing(&group)
                moved = try await startLanes(&group) || moved
                let isGrowing = await scans.next.map { $0 > 0 } ?? false
                // Whoever holds a request open for longer does not mean it yet. With `--once` it is left for the next run.
                openSince = isOpen && !host.once ? openSince ?? MonotonicClock.seconds : nil
                let patience = openSince.map { $0 + host.configuration.daemon.settle - MonotonicClock.seconds } ?? 0
                let isPatient = patience > 0
                let isLeft = isOpen && host.once
                isOpen = isOpen && isPatient
                moved = try await startJobs(&group) || moved
                await startNotices(&group)
                notifications.alive()
                if moved { continue }
                let scan = await scans.next
                // What was carried out and cannot be answered is left for the next run.
                let isAnswered = errands.isEmpty || setbacks.rest(of: .spool) != nil
                if host.once, await busy.isEmpty, host.notices.isEmpty, unshown.endpoints.isEmpty, isAnswered, !isOpen {
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
                    scan ?? 60, isOpen ? 0.2 : 60, isPatient ? patience : 60, alarm.rest ?? 60,
                    setbacks.rest(of: .spool) ?? 60, (notifications.watchdog ?? 120) / 2)
                let onlyWoken = watch.wait(seconds: pause)
                if !onlyWoken { await scans.ask() }
            }
            let code = try await exitCode()
            return leavesSomething && code != 1 ? 5 : code
        }
    }

    /// - Returns: whether any was answered, and whether one is still being written.
    private func lookAfterSpool() async -> (answered: Bool, isOpen: Bool) {
        var found = (answered: false, isOpen: false)
        if setbacks.rest(of: .spool) != nil { return found }
        let requests = Requests(
            host: host, jobs: jobs, slots: slots, locks: locks, plans: plans, errands: errands, unshown: unshown)
        let isDue = await scans.isDue
        do {
            if isDue {
                try dropStaleHolds()
                try requests.removeOld()
            }
            found = try await requests.answerSome()
        } catch {
            haveSetback(.spool, "cannot look after requests and holds: \(error)", EventFields())
        }
        return found
    }

    var intake: Intake { Intake(host: host, jobs: jobs, arrivals: arrivals) }

    /// Seconds in which `--once` looks again at what somebody has open: a program that starts another has its files open twice
    /// for an instant, and what it has just closed and dropped must not be left for that.
    private static let instant = 1.0

    private func exitCode() async throws -> Int32 {
        if !host.failures.isEmpty { return 1 }
        var states: [Job.State] = []
        for endpoint in host.configuration.endpoints { states += await jobs.all(of: endpoint.name).map(\.state) }
        let open = states.filter { !$0.isFinal }
        if open.contains(where: { $0 != .pendingApproval }) { return 5 }
        return open.isEmpty ? 0 : 6
    }
}
