import PatchConfig
import PatchFiles
import PatchModel

/// What runs beside the loop; whatever ends wakes it.
extension MainLoop {
    /// So many users' drops are taken at once: each of them has one place, and nobody all.
    private static let lanes = 8

    /// Has each user's drops taken beside the loop: hashing and unpacking a large archive must hold up nobody else.
    func startLanes(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        guard await scans.isDue else { return false }
        await scans.begin()
        var started = false
        for lane in await found() {
            if await scans.rests(lane.owner) { continue }
            let work = Busy.Work.intake(owner: lane.owner)
            if await busy.contains(work) {
                await scans.passOver(lane.owner)
                continue
            }
            // The end of one of them asks for another look.
            guard await busy.intakes < Self.lanes, await busy.begin(work) else { break }
            arrivals.begin(lane.arrivals)
            started = true
            group.addTask { [self] in
                do {
                    let (taken, again) = try await intake.work(lane)
                    await scans.end(lane.owner, hasMore: taken, again: again)
                } catch {
                    tellNotTaken("what \(UserDatabase.text(of: lane.owner)) dropped", error)
                    await scans.end(lane.owner, hasMore: false, again: host.once ? nil : 60)
                }
                await busy.end(work)
                watch.wake()
            }
        }
        return started
    }

    private func found() async -> [Intake.Lane] {
        do {
            return try intake.lanes(renamed: watch.cameByRename(in: host.spool.incoming))
        } catch {
            tellNotTaken("what was dropped", error)
            await scans.retry(in: host.once ? nil : 60)
            return []
        }
    }

    private func tellNotTaken(_ what: String, _ error: any Error) {
        host.failures.note()
        host.log.tell(.cannotGoOn, "cannot take \(what): \(error)")
    }

    /// Makes the plans that approvals with changed options wait for.
    func startPlans(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
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

    /// Carries out requests for which workers are started.
    func startErrands(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for errand in errands.asked {
            let work = errand.endpoint.map(Busy.Work.endpoint) ?? .errand
            guard await busy.begin(work) else { continue }
            errands.begin(errand)
            group.addTask { [self] in
                do {
                    errands.end(errand, .success(try await errand.work()))
                } catch {
                    errands.end(errand, .failure(error))
                }
                await busy.end(work)
                watch.wake()
            }
        }
    }

    /// Shows locks in databases.
    func startShowing(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for name in unshown.endpoints {
            guard let endpoint = host.endpoint(name), let own = locks[name] else {
                _ = unshown.take(name)
                continue
            }
            guard await busy.begin(.endpoint(name)) else { continue }
            let changed = own.current(unshown.take(name))
            group.addTask { [self] in
                await DatabaseWork(host: host, endpoint: endpoint).show(changed)
                await busy.end(.endpoint(name))
                watch.wake()
            }
        }
    }

    /// Tells what a person waits for, beside the loop.
    func startNotices(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        if host.configuration.daemon.notify.isEmpty { return host.notices.clear() }
        guard !host.notices.isEmpty, await busy.begin(.notices) else { return }
        group.addTask { [self] in
            host.tellNotices()
            await busy.end(.notices)
            watch.wake()
        }
    }

    func startJobs(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        var moved = false
        alarm.stop()
        let turns = Turns(host: host, jobs: jobs, queued: queued, alarm: alarm)
        for endpoint in host.configuration.endpoints {
            if let rest = setbacks.rest(of: .endpoint(endpoint.name)) {
                if rest.isFinite { alarm.ring(in: rest) }
                continue
            }
            guard let own = locks[endpoint.name], await busy.begin(.endpoint(endpoint.name)) else { continue }
            var next: Int?
            do {
                next = try await turns.next(endpoint)
            } catch {
                haveSetback(
                    .endpoint(endpoint.name), "cannot see which job of \(endpoint.name) has its turn: \(error)",
                    EventFields(endpoint: endpoint.name))
            }
            guard let number = next else {
                guard await jobs.takeUntidy(endpoint.name) else {
                    await busy.end(.endpoint(endpoint.name))
                    continue
                }
                group.addTask { [self] in
                    await tidy(endpoint)
                    await busy.end(.endpoint(endpoint.name))
                    watch.wake()
                }
                continue
            }
            moved = true
            let run = JobRun(
                host: host, endpoint: endpoint, jobs: jobs, slots: slots, locks: own, units: units, number: number)
            group.addTask { [self] in
                if let problem = await run.run() {
                    haveSetback(
                        .endpoint(endpoint.name), problem, EventFields(job: number, endpoint: endpoint.name))
                }
                if await jobs.takeUntidy(endpoint.name) { await tidy(endpoint) }
                await busy.end(.endpoint(endpoint.name))
                await scans.ask()
                watch.wake()
            }
        }
        return moved
    }

    private func tidy(_ endpoint: Endpoint) async {
        do {
            try await Retention(host: host, jobs: jobs, slots: slots).run(endpoint)
        } catch {
            host.log.tell(
                .notForgotten, "cannot remove what is no longer kept: \(error)", EventFields(endpoint: endpoint.name))
        }
    }

    func haveSetback(_ work: Setbacks.Work, _ problem: String, _ fields: EventFields) {
        host.failures.note()
        setbacks.note(work, once: host.once)
        let outlook =
            host.once
            ? "; mend that, then start patchd again"
            : "; mend that: it goes on by itself within \(Int(Setbacks.pause)) s"
        host.log.tell(.cannotGoOn, problem + outlook, fields)
    }
}
