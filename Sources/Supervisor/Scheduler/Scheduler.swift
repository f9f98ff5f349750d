import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// The loop that serves everybody. It hands drops, requests and notices to those who deal with them, keeps an endpoint
/// supervisor for each endpoint, and feeds the watchdog; it touches no folder's file system and computes no plan.
struct Scheduler: Sendable {
    var context: DaemonContext
    let notifications: any ServiceNotifications
    let status: ServiceStatus
    let reloadSignal: ReloadSignal?
    let read: @Sendable () throws -> Configuration?
    let stores: DaemonStores
    var supervisors: [String: EndpointSupervisor] = [:]
    /// The configuration as it was read last.
    var requested: Configuration
    /// What of it has to wait until a job is over.
    var deferrals: [ConfigurationChange.Deferral] = []
    /// Endpoints of which it cannot be told what was in effect before this start, with the paths of their folders.
    var unread: [String: [ExactText]] = [:]
    /// Commands that concern no single endpoint.
    let answers = DeferredAnswers()
    let activeWork = ActiveWork()
    let arrivals = ArrivalOrder()
    let scans = ScanSchedule()
    let backoff = RetryBackoff()
    let signals: EndpointSignals
    private let unwatched = SaidOnce()

    /// A loop that has not begun.
    ///
    /// - Parameter read: reads the configuration again; nil when it is refused.
    init(
        context: DaemonContext, notifications: any ServiceNotifications, reloadSignal: ReloadSignal?,
        read: @escaping @Sendable () throws -> Configuration?
    ) throws {
        self.context = context
        self.notifications = notifications
        self.read = read
        requested = context.configuration
        let signals = EndpointSignals()
        self.signals = signals
        let status = ServiceStatus(notifications)
        let (metrics, published) = (context.metrics, context.published)
        self.status = status
        self.reloadSignal = reloadSignal
        let workers = context.configuration.daemon.workers
        stores = DaemonStores(
            jobs: try JobStore(
                context.state, notices: context.notices, clocks: context.clocks,
                report: { jobs in
                    status.show(jobs: jobs)
                    metrics.show(jobs: jobs)
                    published.show(jobs: jobs)
                },
                onChange: { signals.raise($0) }),
            units: try QuiescedUnitStore(context.state, clocks: context.clocks) { status.show(unitsDown: $0) },
            slots: WorkerSlots(workers > 0 ? workers : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))),
            watch: try DirectoryWatch([context.spool.incoming, context.spool.requests, context.spool.holds]))
    }

    /// Runs until the process is ended, or with `once` until nothing can run; then returns the exit code.
    mutating func run() async throws -> Int32 {
        try intake.removeLeftovers()
        return try await withThrowingDiscardingTaskGroup { group in
            // An endpoint that waits at it would never end.
            defer { stores.gate.open() }
            let (metrics, state, logger) = (context.metrics, context.state, context.logger)
            group.addTask { await metrics.keep(state, logger) }
            defer { metrics.retire() }
            let before = try inEffectBefore()
            await takeUp(context.configuration, from: before, &group)
            try guardUnits()
            let jobs = Array(await stores.jobs.jobs.values)
            status.show(jobs: jobs)
            metrics.show(jobs: jobs)
            context.published.show(jobs: jobs)
            // Nobody's answer: a reload that is asked for meanwhile gets one of its own.
            try context.state.write(ConfigurationAnswer(refused: [], began: 0))
            notifications.ready()
            context.published.publish(context.logger)
            logDamagedJobs()
            context.logger.log(.ready, "ready: \(context.configuration.endpoints.count) endpoints")
            await restoreUnitsOfRemovedEndpoints(&group)
            let leavesSomething = try await serve(&group)
            for supervisor in supervisors.values { await supervisor.retire() }
            let code = await exitCode()
            return leavesSomething && code != 1 ? 5 : code
        }
    }

    /// - Returns: with `once`, whether a file was left because somebody has it open.
    private mutating func serve(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        var nextTick = MonotonicClock.seconds
        var openSince: Double?
        var leftSince: Double?
        while true {
            await reloadIfAsked(&group)
            await takeUpDeferred(&group)
            logUnwatched()
            if MonotonicClock.seconds >= nextTick {
                nextTick = MonotonicClock.seconds + 60
                await tick()
                // Once a minute the look is the truth, whatever the events said and however busy it is.
                await scans.ask()
                wakeEndpoints()
            }
            // What waited for room may be taken when a job is over.
            if stores.jobIsOver.take() { await scans.ask() }
            stores.gate.close()
            var (moved, isOpen) = await lookAfterSpool()
            stores.gate.open()
            await startReplies(&group)
            moved = await startUserQueues(&group) || moved
            await startNotices(&group)
            notifications.alive()
            if moved {
                if stores.watch.wait(seconds: 0) == .changed { await scans.ask() }
                continue
            }
            // A request that is held open for longer is not meant yet. With `--once` it is left for the next run.
            openSince = isOpen && !context.once ? openSince ?? MonotonicClock.seconds : nil
            let patience = openSince.map { $0 + context.configuration.daemon.settle - MonotonicClock.seconds } ?? 0
            let isLeft = isOpen && context.once
            isOpen = isOpen && patience > 0
            let isAtRest = context.once && !isOpen ? await rests() : false
            // Only now: a look that has just ended says here what it left, before it is no longer under way.
            let scan = await scans.next
            if isAtRest {
                let leavesSomething = isLeft || (scan ?? 0) > 0
                if scan == nil, !leavesSomething { return false }
                if leavesSomething {
                    leftSince = leftSince ?? MonotonicClock.seconds
                    if MonotonicClock.seconds - (leftSince ?? 0) >= Self.instant { return true }
                    stores.watch.wait(seconds: 0.05)
                    await scans.ask()
                    continue
                }
            }
            let pause = min(
                scan ?? 60, isOpen ? 0.2 : 60, patience > 0 ? patience : 60, backoff.rest(of: .spool) ?? 60,
                (notifications.watchdog ?? 120) / 2)
            if stores.watch.wait(seconds: pause, or: reloadSignal?.descriptor ?? -1) != .woken {
                await scans.ask()
                wakeEndpoints()
            }
        }
    }

    /// Seconds in which `--once` looks again at what somebody has open: a program that starts another has its files open twice
    /// for an instant, and what it has just closed and dropped must not be left for that.
    private static let instant = 1.0

    /// Whether nothing is under way, and nothing can begin before something happens.
    private func rests() async -> Bool {
        // What was carried out and cannot be answered is left for the next run.
        var hasCommands = !answers.isEmpty
        for supervisor in supervisors.values where await !supervisor.hasGivenUp {
            if !supervisor.answers.isEmpty || !supervisor.plans.isEmpty { hasCommands = true }
        }
        guard !hasCommands || backoff.rest(of: .spool) != nil, await activeWork.isEmpty, context.notices.isEmpty
        else { return false }
        for supervisor in supervisors.values {
            guard await supervisor.rests else { return false }
        }
        return true
    }

    private func wakeEndpoints() {
        for supervisor in supervisors.values {
            supervisor.turn.raise()
            supervisor.upkeep.raise()
        }
    }

    /// Once a minute, and at the start.
    private func tick() async {
        for supervisor in supervisors.values { await supervisor.showAgain() }
    }

    /// - Returns: whether any was answered, and whether one is still being written.
    private func lookAfterSpool() async -> (answered: Bool, isOpen: Bool) {
        var found = (answered: false, isOpen: false)
        if backoff.rest(of: .spool) != nil { return found }
        let requests = Requests(
            context: context, jobs: stores.jobs, slots: stores.slots, supervisors: supervisors,
            requested: requested, answers: answers)
        let isDue = await scans.isDue
        do {
            if isDue {
                try removeEndedHolds()
                await DueUnits(context: context, table: stores.units).recheck()
            }
            try context.spool.sweep.advance()
            found = try await requests.answerSome()
        } catch {
            context.failures.note()
            backoff.note(.spool, once: context.once)
            context.logger.log(
                .cannotGoOn, "cannot look after requests and holds: \(error)" + RetryBackoff.outlook(once: context.once)
            )
        }
        return found
    }

    /// Nobody need wait for a hold for it to be removed when it is over.
    private func removeEndedHolds() throws {
        var held: Set<String> = []
        for endpoint in context.configuration.endpoints {
            for standing in try context.holds(on: endpoint, Set(endpoint.folders.map(\.name))) {
                held.insert("\(standing.hold.target)")
            }
        }
        context.metrics.show(held: held.sorted())
    }

    /// Says once that changes cannot be watched.
    private func logUnwatched() {
        guard let problem = stores.watch.problem, unwatched.note() else { return }
        context.logger.log(
            .notWatched,
            "\(problem): the spool is looked through once a second instead; fs.inotify.max_user_instances and "
                + "max_user_watches (sysctl) say how much there is")
    }

    var intake: Intake { Intake(context: context, jobs: stores.jobs, arrivals: arrivals) }

    private func exitCode() async -> Int32 {
        if !context.failures.isEmpty { return 1 }
        var open: [Job] = []
        for endpoint in context.configuration.endpoints { open += await stores.jobs.open(of: endpoint.name) }
        if open.contains(where: { !$0.needsApprover }) { return 5 }
        return open.isEmpty ? 0 : 6
    }

    private func logDamagedJobs() {
        for damaged in stores.jobs.damaged {
            context.failures.note()
            let place = damaged.endpoint ?? "any endpoint, as nothing says which is its own"
            context.logger.log(
                .jobDamaged, "job \(damaged.job) is damaged, so no job begins on \(place): \(damaged.message)",
                EventFields(job: damaged.job, endpoint: damaged.endpoint ?? ""))
        }
    }
}
