import PatchConfig
import PatchFiles
import PatchModel

/// What runs beside the loop; whatever ends wakes it.
extension Scheduler {
    /// So many users' drops are taken at once: each of them has one place, and nobody all.
    private static let queues = 8

    /// Has each user's drops taken beside the loop: hashing and unpacking a large archive must hold up nobody else.
    func startUserQueues(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        guard await scans.isDue else { return false }
        await scans.begin()
        guard let found = await found() else {
            await scans.goOn()
            return true
        }
        var started = false
        for queue in found {
            if await scans.rests(queue.owner) { continue }
            let work = ActiveWork.Work.intake(owner: queue.owner)
            if await activeWork.contains(work) {
                await scans.passOver(queue.owner)
                continue
            }
            // The end of one of them asks for another look.
            guard await activeWork.intakes < Self.queues, await activeWork.begin(work) else { break }
            arrivals.begin(queue.arrivals)
            started = true
            group.addTask { [self] in
                do {
                    let (taken, again) = try await intake.work(queue)
                    await scans.end(queue.owner, hasMore: taken, again: again)
                } catch {
                    tellNotTaken("what \(UserDatabase.text(of: queue.owner)) dropped", error)
                    await scans.end(queue.owner, hasMore: false, again: context.once ? nil : 60)
                }
                await activeWork.end(work)
                watch.wake()
            }
        }
        return started
    }

    /// Nil while there is more to look through.
    private func found() async -> [Intake.UserQueue]? {
        do {
            return try intake.queues(renamed: watch.cameByRename(in: context.spool.incoming))
        } catch {
            tellNotTaken("what was dropped", error)
            await scans.retry(in: context.once ? nil : 60)
            return []
        }
    }

    private func tellNotTaken(_ what: String, _ error: any Error) {
        context.failures.note()
        context.logger.log(.cannotGoOn, "cannot take \(what): \(error)")
    }

    /// Makes the plans that approvals with changed options wait for.
    func startPlans(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for order in plans.asked {
            guard let endpoint = context.endpoint(order.job.endpoint) else { continue }
            // Their requests stay where they are while a job runs.
            guard await activeWork.begin(.endpoint(endpoint.name)) else { continue }
            plans.begin(order)
            let preflight = Preflight(
                context: context, endpoint: endpoint,
                work: WorkerRun(context: context, endpoint: endpoint, slots: slots, jobs: jobs),
                quiesce: Quiesce(context: context, endpoint: endpoint, table: units))
            let looksInside = await jobs.holding(endpoint.name) == nil
            group.addTask { [self] in
                do {
                    plans.end(order, .success(try await order.planned(preflight, looksInside: looksInside)))
                } catch {
                    plans.end(order, .failure(error))
                }
                await activeWork.end(.endpoint(endpoint.name))
                watch.wake()
            }
        }
    }

    /// Carries out requests for which workers are started.
    func startDeferredReplies(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for errand in deferredReplies.asked {
            let work = errand.endpoint.map(ActiveWork.Work.endpoint) ?? .errand
            guard await activeWork.begin(work) else { continue }
            deferredReplies.begin(errand)
            group.addTask { [self] in
                do {
                    deferredReplies.end(errand, .success(try await errand.work()))
                } catch {
                    deferredReplies.end(errand, .failure(error))
                }
                await activeWork.end(work)
                watch.wake()
            }
        }
    }

    /// Shows locks in databases.
    func startShowing(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for name in pendingNotices.endpoints {
            guard let endpoint = context.endpoint(name), let own = locks[name] else {
                _ = pendingNotices.take(name)
                continue
            }
            guard await activeWork.begin(.endpoint(name)) else { continue }
            let changed = own.current(pendingNotices.take(name))
            group.addTask { [self] in
                await DatabaseWork(context: context, endpoint: endpoint).show(changed)
                await activeWork.end(.endpoint(name))
                watch.wake()
            }
        }
    }

    /// Tells what a person waits for, beside the loop.
    func startNotices(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        if context.configuration.daemon.notify.isEmpty { return context.notices.clear() }
        guard !context.notices.isEmpty, await activeWork.begin(.notices) else { return }
        group.addTask { [self] in
            context.sendNotices()
            await activeWork.end(.notices)
            watch.wake()
        }
    }

    func startJobs(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws -> Bool {
        var moved = false
        wakeTimer.stop()
        let selector = JobSelector(context: context, jobs: jobs, queued: queued, wakeTimer: wakeTimer)
        for endpoint in context.configuration.endpoints {
            if let rest = backoff.rest(of: .endpoint(endpoint.name)) {
                if rest.isFinite { wakeTimer.ring(in: rest) }
                continue
            }
            guard let own = locks[endpoint.name], await activeWork.begin(.endpoint(endpoint.name)) else { continue }
            var next: Int?
            do {
                next = try await selector.next(endpoint)
            } catch {
                backOff(
                    .endpoint(endpoint.name), "cannot see which job of \(endpoint.name) has its turn: \(error)",
                    EventFields(endpoint: endpoint.name))
            }
            guard let number = next else {
                guard await jobs.takeRetentionDue(endpoint.name) else {
                    await activeWork.end(.endpoint(endpoint.name))
                    continue
                }
                group.addTask { [self] in
                    await tidy(endpoint)
                    await activeWork.end(.endpoint(endpoint.name))
                    watch.wake()
                }
                continue
            }
            moved = true
            let run = JobRun(
                context: context, endpoint: endpoint, jobs: jobs, slots: slots, locks: own, units: units, number: number
            )
            group.addTask { [self] in
                if let problem = await run.run() {
                    backOff(
                        .endpoint(endpoint.name), problem, EventFields(job: number, endpoint: endpoint.name))
                }
                if await jobs.takeRetentionDue(endpoint.name, atOnce: false) { await tidy(endpoint) }
                await activeWork.end(.endpoint(endpoint.name))
                await scans.ask()
                watch.wake()
            }
        }
        return moved
    }

    private func tidy(_ endpoint: Endpoint) async {
        do {
            try await Retention(context: context, jobs: jobs, slots: slots).run(endpoint)
        } catch {
            context.logger.log(
                .notForgotten, "cannot remove what is no longer kept: \(error)", EventFields(endpoint: endpoint.name))
        }
    }

    func backOff(_ work: RetryBackoff.Work, _ problem: String, _ fields: EventFields) {
        context.failures.note()
        backoff.note(work, once: context.once)
        let outlook =
            context.once
            ? "; fix this, then start patchd again"
            : "; fix this; patchd retries within \(Int(RetryBackoff.pause)) s"
        context.logger.log(.cannotGoOn, problem + outlook, fields)
    }
}
