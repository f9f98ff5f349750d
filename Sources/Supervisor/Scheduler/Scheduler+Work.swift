import PatchConfig
import PatchFiles
import PatchModel

/// What runs beside the loop; whatever ends wakes it.
extension Scheduler {
    /// So many users' drops are taken at once: each of them has one place, and nobody all.
    private static let queues = 8

    /// Has each user's drops taken beside the loop: hashing and unpacking a large archive must hold up nobody else.
    func startUserQueues(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async -> Bool {
        guard await scans.isDue else { return false }
        let look = await scans.begin()
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
                    await scans.end(queue.owner, since: look, hasMore: taken, again: again)
                } catch {
                    tellNotTaken("what \(UserDatabase.text(of: queue.owner)) dropped", error)
                    await scans.end(queue.owner, since: look, hasMore: false, again: context.once ? nil : 60)
                }
                await activeWork.end(work)
                stores.watch.wake()
            }
        }
        return started
    }

    /// Nil while there is more to look through.
    private func found() async -> [Intake.UserQueue]? {
        do {
            return try intake.queues(renamed: stores.watch.cameByRename(in: context.spool.incoming))
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

    /// Carries out commands for which workers are started, and that concern no single endpoint.
    func startReplies(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        for reply in answers.asked {
            guard await activeWork.begin(.reply) else { continue }
            answers.begin(reply)
            group.addTask { [self] in
                do {
                    answers.end(reply, .success(try await reply.work()))
                } catch {
                    answers.end(reply, .failure(error))
                }
                await activeWork.end(.reply)
                stores.watch.wake()
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
            stores.watch.wake()
        }
    }
}
