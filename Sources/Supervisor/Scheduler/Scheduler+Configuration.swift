import Logging
import PatchFiles
import PatchModel
import PatchStore

/// What follows from the configuration, and is kept as it says.
extension Scheduler {
    mutating func reloadIfAsked(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        guard reloadSignal?.take() == true else { return }
        notifications.reloading()
        let began = MonotonicClock.seconds
        let configuration = try read()
        status.show(isRefused: configuration == nil)
        if let configuration {
            context.configuration = configuration
            fresh = Set(configuration.endpoints.map(\.name))
            try await load()
            try guardUnits()
            try await settle(&group)
            try context.state.write(ConfigurationAnswer(refused: [], began: began))
            context.logger.log(
                .reloaded, "the configuration was read again: \(configuration.endpoints.count) endpoints")
        }
        notifications.ready()
    }

    /// Takes endpoints up: state files and locks. Those at which a job runs keep what they have until it is over.
    mutating func load() async throws {
        for endpoint in context.configuration.endpoints where fresh.contains(endpoint.name) {
            if await activeWork.contains(.endpoint(endpoint.name)) { continue }
            fresh.remove(endpoint.name)
            // A kill may have come between a job's end and what follows from it, and `retain` be another one.
            await jobs.markRetentionDue(endpoint.name)
            let states = FolderStates(context: context, endpoint: endpoint)
            try states.recordNewFolders()
            let own = Locks(endpoint: endpoint, logger: context.logger, watch: watch)
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
                pendingNotices.add(changed, on: endpoint)
            } catch let fault as Fault {
                context.logger.log(
                    .cannotUnlock, "cannot restore the locks: \(fault)",
                    EventFields(endpoint: endpoint.name, folder: fault.folder))
            }
        }
    }

    /// Once a minute, and at the start: a database that could not be told that its folder is free is told again.
    func showAgain() async {
        guard await scans.isDue else { return }
        for endpoint in context.configuration.endpoints {
            guard let own = locks[endpoint.name], await !activeWork.contains(.endpoint(endpoint.name)) else { continue }
            pendingNotices.add(DatabaseWork(context: context, endpoint: endpoint).leftovers(own.free), on: endpoint)
        }
    }

    /// Once a minute: nobody need wait for a hold for it to go when it is over.
    func dropStaleHolds() throws {
        for endpoint in context.configuration.endpoints {
            _ = try context.hold(on: endpoint, Set(endpoint.folders.map(\.name)))
        }
    }

    /// Lets files keep down all units that may have to be.
    func guardUnits() throws {
        guard context.units.areManaged else { return }
        var guarded = GuardedUnits()
        for endpoint in context.configuration.endpoints {
            guarded.formUnion(try Quiesce(context: context, endpoint: endpoint, table: units).guardedUnits())
        }
        do {
            try UnitDropIns(directory: context.directories.units, state: context.state, units: context.units).set(
                guarded)
        } catch {
            // The preflight says it again, for those units that it concerns.
            context.logger.log(.unitNotGuarded, "cannot write what keeps units down during updates: \(error)")
        }
    }

    /// Starts again what an earlier run of the daemon left down and no job accounts for.
    func settle(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        let endpoints = context.configuration.endpoints
        let gone = await units.endpoints.subtracting(endpoints.map(\.name))
        for endpoint in endpoints + gone.sorted().map({ Endpoint(name: $0, path: "/", folders: []) }) {
            // What it has left down is perhaps to stay down.
            guard jobs.damaged(on: endpoint.name) == nil, await units.concerns(endpoint.name),
                await jobs.unfinished(endpoint.name)?.state.isFinal != false,
                await activeWork.begin(.endpoint(endpoint.name))
            else { continue }
            let own = locks[endpoint.name] ?? Locks(endpoint: endpoint, logger: context.logger, watch: watch)
            let downtime = Downtime(
                context: context, endpoint: endpoint, jobs: jobs, locks: own,
                quiesce: Quiesce(context: context, endpoint: endpoint, table: units))
            let holding = await jobs.holding(endpoint.name)
            group.addTask { [self] in
                do {
                    if try await !downtime.end(holding).isEmpty { context.failures.note() }
                } catch {
                    context.logger.log(
                        .cannotGoOn, "cannot start the tasks of \(endpoint.name) again: \(error)",
                        EventFields(endpoint: endpoint.name))
                }
                await activeWork.end(.endpoint(endpoint.name))
                watch.wake()
            }
        }
    }
}
