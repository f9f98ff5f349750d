import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchStore

/// Takes drops, answers requests, and gives each endpoint's jobs their turns.
struct MainLoop: Sendable {
    private var host: Host
    private let notifications: any ServiceNotifications
    private let read: @Sendable () throws -> Configuration?
    private let jobs: JobTable
    private let units: UnitTable
    private let slots: WorkerSlots
    private let watch: DirectoryWatch
    private let plans = OptionPlans()
    private let busy = Busy()
    private var locks: [String: Locks] = [:]
    /// Endpoints whose configuration is to be taken up; later, where a job runs.
    private var fresh: Set<String> = []
    /// When to look at drops that were not complete; nil: when something happens.
    private let scans = ScanTimes()
    private let alarm = Alarm()

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
        if !host.once { Signals.listen(waking: watch) }
    }

    /// Runs until the process is ended, or with `once` until nothing can run; then returns the exit code.
    mutating func run() async throws -> Int32 {
        fresh = Set(host.configuration.endpoints.map(\.name))
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
            while true {
                try await reloadIfAsked(&group)
                try await load()
                for own in locks.values { own.restore() }
                await showAgain()
                try await dropStaleHolds()
                let requests = Requests(host: host, jobs: jobs, slots: slots, locks: locks, plans: plans)
                if await scans.isDue { try requests.removeOld() }
                var (moved, isOpen) = try await requests.answerSome()
                await startPlans(&group)
                // Whoever holds a request open for longer does not mean it yet.
                openSince = isOpen ? openSince ?? MonotonicClock.seconds : nil
                isOpen = openSince.map { MonotonicClock.seconds - $0 < host.configuration.daemon.settle } ?? false
                moved = try await startScan(&group) || moved
                moved = try await startJobs(&group) || moved
                await startNotices(&group)
                notifications.alive()
                if moved { continue }
                if host.once, await busy.isEmpty, await scans.next == nil, !isOpen, host.notices.isEmpty { break }
                // Once a minute the scan is the truth, whatever the events said.
                // A scan that is under way wakes the loop at its end; asking again meanwhile must not keep it turning.
                let scan = await busy.contains(.intake) ? nil : await scans.next
                let pause = min(scan ?? 60, isOpen ? 0.2 : 60, alarm.rest ?? 60, (notifications.watchdog ?? 120) / 2)
                let onlyWoken = watch.wait(seconds: pause)
                if !onlyWoken { await scans.ask() }
            }
            return try await exitCode()
        }
    }

    private var intake: Intake { Intake(host: host, jobs: jobs) }

    // MARK: What runs beside the loop

    /// Looks at the drops unless that is under way: hashing and unpacking a large archive must hold up nobody.
    private func startScan(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        guard await scans.isDue, await busy.begin(.intake) else { return false }
        await scans.begin()
        group.addTask { [self] in
            do {
                let (taken, again) = try await intake.scan()
                await scans.end(again: taken ? 0 : again)
            } catch {
                host.failures.note()
                host.log.tell(.cannotGoOn, "cannot take what was dropped: \(error)")
                await scans.end(again: host.once ? nil : 60)
            }
            await busy.end(.intake)
            watch.wake()
        }
        return true
    }

    /// Makes the plans that approvals with changed options wait for.
    private func startPlans(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for order in plans.asked {
            guard let endpoint = host.endpoint(order.job.endpoint) else { continue }
            // Their requests stay where they are while a job runs.
            guard await busy.begin(.endpoint(endpoint.name)) else { continue }
            plans.begin(order)
            let preflight = Preflight(
                host: host, endpoint: endpoint,
                work: FolderRun(host: host, endpoint: endpoint, slots: slots, jobs: jobs),
                quiesce: Quiesce(host: host, endpoint: endpoint, table: units))
            let looksInside = await jobs.holding(endpoint.name) == nil
            group.addTask { [self] in
                do {
                    plans.end(order, .success(try await order.planned(preflight, looksInside: looksInside)))
                } catch {
                    plans.end(order, .failure(error))
                }
                await busy.end(.endpoint(endpoint.name))
                watch.wake()
            }
        }
    }

    /// Tells what a person waits for, beside the loop.
    private func startNotices(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        if host.configuration.daemon.notify.isEmpty { return host.notices.clear() }
        guard !host.notices.isEmpty, await busy.begin(.notices) else { return }
        group.addTask { [self] in
            host.tellNotices()
            await busy.end(.notices)
            watch.wake()
        }
    }

    private func startJobs(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        var moved = false
        alarm.stop()
        let turns = Turns(host: host, jobs: jobs, alarm: alarm)
        for endpoint in host.configuration.endpoints {
            guard let own = locks[endpoint.name], await busy.begin(.endpoint(endpoint.name)) else { continue }
            guard let number = try await turns.next(endpoint) else {
                await busy.end(.endpoint(endpoint.name))
                continue
            }
            moved = true
            let run = JobRun(
                host: host, endpoint: endpoint, jobs: jobs, slots: slots, locks: own, units: units, number: number)
            group.addTask { [self] in
                await run.run()
                do {
                    try await Retention(host: host, jobs: jobs, slots: slots).run(endpoint)
                } catch {
                    host.log.warning("cannot remove what is no longer kept: \(error)")
                }
                await busy.end(.endpoint(endpoint.name))
                await scans.ask()
                watch.wake()
            }
        }
        return moved
    }

    // MARK: Configuration

    private mutating func reloadIfAsked(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        guard Signals.takeReload() else { return }
        notifications.reloading()
        if let configuration = try read() {
            host.configuration = configuration
            fresh = Set(configuration.endpoints.map(\.name))
            try await load()
            try guardUnits()
            try await settle(&group)
            host.log.tell(.reloaded, "the configuration was read again: \(configuration.endpoints.count) endpoints")
        }
        notifications.ready()
    }

    /// Takes endpoints up: state files and locks. Those at which a job runs keep what they have until it is over.
    private mutating func load() async throws {
        for endpoint in host.configuration.endpoints where fresh.contains(endpoint.name) {
            if await busy.contains(.endpoint(endpoint.name)) { continue }
            fresh.remove(endpoint.name)
            let states = FolderStates(host: host, endpoint: endpoint)
            try states.recordNewFolders()
            let own = Locks(endpoint: endpoint, log: host.log, watch: watch)
            locks[endpoint.name] = own
            let unfinished = await jobs.unfinished(endpoint.name)
            let holding = await jobs.holding(endpoint.name)
            let wanted = EndpointLocks(endpoint: endpoint, states: states)
            do {
                if let damaged = jobs.damaged(on: endpoint.name) {
                    try own.set(wanted.wanted(for: damaged, found: own.found()))
                    continue
                }
                // A job that has not come to its locks will set them itself; what is there is left over.
                let changed = try own.set(wanted.standing(for: unfinished, holding: holding))
                await DatabaseWork(host: host, endpoint: endpoint).show(changed)
            } catch let fault as Fault {
                host.log.tell(
                    .cannotUnlock, "cannot restore the locks: \(fault)",
                    EventFields(endpoint: endpoint.name, folder: fault.folder))
            }
        }
    }

    /// Once a minute, and at the start: a database that could not be told that its folder is free is told again.
    private func showAgain() async {
        guard await scans.isDue else { return }
        for endpoint in host.configuration.endpoints {
            guard let own = locks[endpoint.name], await !busy.contains(.endpoint(endpoint.name)) else { continue }
            await DatabaseWork(host: host, endpoint: endpoint).showLeftovers(own.free)
        }
    }

    /// Once a minute: nobody need wait for a hold for it to go when it is over.
    private func dropStaleHolds() async throws {
        guard await scans.isDue else { return }
        for endpoint in host.configuration.endpoints {
            _ = try host.hold(on: endpoint, Set(endpoint.folders.map(\.name)))
        }
    }

    /// Lets files keep down all units that may have to be.
    private func guardUnits() throws {
        guard host.units.areManaged else { return }
        var guarded: Set<String> = []
        for endpoint in host.configuration.endpoints {
            guarded.formUnion(try Quiesce(host: host, endpoint: endpoint, table: units).guardedUnits())
        }
        do {
            try UnitGuards(directory: host.places.units, state: host.state, units: host.units).set(guarded)
        } catch {
            // The preflight says it again, for those units that it concerns.
            host.log.tell(.unitNotGuarded, "cannot write what keeps units down during updates: \(error)")
        }
    }

    /// Starts again what an earlier run of the daemon left down and no job accounts for.
    private func settle(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        let endpoints = host.configuration.endpoints
        let gone = await units.endpoints.subtracting(endpoints.map(\.name))
        for endpoint in endpoints + gone.sorted().map({ Endpoint(name: $0, path: "/", folders: []) }) {
            // What it has left down is perhaps to stay down.
            guard jobs.damaged(on: endpoint.name) == nil, await units.concerns(endpoint.name),
                await jobs.unfinished(endpoint.name)?.state.isFinal != false,
                await busy.begin(.endpoint(endpoint.name))
            else { continue }
            let own = locks[endpoint.name] ?? Locks(endpoint: endpoint, log: host.log, watch: watch)
            let downtime = Downtime(
                host: host, endpoint: endpoint, jobs: jobs, locks: own,
                quiesce: Quiesce(host: host, endpoint: endpoint, table: units))
            let holding = await jobs.holding(endpoint.name)
            group.addTask { [self] in
                do {
                    if try await !downtime.end(holding).isEmpty { host.failures.note() }
                } catch {
                    host.log.tell(
                        .cannotGoOn, "cannot start the tasks of \(endpoint.name) again: \(error)",
                        EventFields(endpoint: endpoint.name))
                }
                await busy.end(.endpoint(endpoint.name))
                watch.wake()
            }
        }
    }

    private func exitCode() async throws -> Int32 {
        if !host.failures.isEmpty { return 1 }
        var states: [Job.State] = []
        for endpoint in host.configuration.endpoints { states += await jobs.all(of: endpoint.name).map(\.state) }
        let open = states.filter { !$0.isFinal }
        if open.contains(where: { $0 != .pendingApproval }) { return 5 }
        return open.isEmpty ? 0 : 6
    }
}
