import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Which endpoints are supervised, and by which configuration.
extension Scheduler {
    mutating func reloadIfAsked(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        guard reloadSignal?.take() == true else { return }
        notifications.reloading()
        let began = MonotonicClock.seconds
        do {
            let configuration = try read()
            status.show(isRefused: configuration == nil)
            context.metrics.show(isRefused: configuration == nil)
            if let configuration {
                deferrals = []
                await takeUp(configuration, from: context.configuration.endpoints, &group)
                try guardUnits()
                await restoreUnitsOfRemovedEndpoints(&group)
                try context.state.write(ConfigurationAnswer(refused: [], began: began))
                context.logger.log(
                    .reloaded, "the configuration was read again: \(configuration.endpoints.count) endpoints")
            }
        } catch {
            context.logger.log(.cannotGoOn, "cannot read the configuration again: \(error)")
        }
        notifications.ready()
    }

    /// What was in effect when the daemon ended. An endpoint of which that cannot be read is left alone until the next start:
    /// a folder of it may be half done, and not be the one that its file names now.
    mutating func inEffectBefore() throws -> [Endpoint] {
        var found: [Endpoint] = []
        for name in try context.state.endpointsInEffect() {
            do throws(StoreError) {
                if let endpoint = try context.state.inEffect(name) { found.append(endpoint) }
            } catch {
                unread[name] = ((try? context.state.folders(of: name)) ?? [:]).values.map { ExactText($0.path) }
                context.failures.note()
                context.logger.log(
                    .cannotGoOn,
                    "endpoint \(name): nothing is begun, unlocked or started there, as it cannot be told which configuration was in "
                        + "effect: \(error); put the file back, or move it away where no folder is locked, then restart patchd",
                    EventFields(endpoint: name))
            }
        }
        return found
    }

    /// Takes up a configuration, but for what has to wait until a job is over.
    mutating func takeUp(
        _ configuration: Configuration, from current: [Endpoint], _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async {
        let change = await change(to: configuration, from: current)
        requested = configuration
        context.configuration = configuration
        context.configuration.endpoints = change.endpoints
        for deferral in change.deferrals where !deferrals.contains(deferral) {
            context.logger.log(
                .configurationDeferred, "endpoint \(deferral.endpoint): \(deferral.reason)",
                EventFields(endpoint: deferral.endpoint))
        }
        deferrals = change.deferrals
        context.threads.keep(change.endpoints.flatMap(\.folders))
        context.metrics.show(endpoints: change.endpoints.map(\.name))
        context.published.show(endpoints: change.endpoints.map(\.name))
        for (name, supervisor) in supervisors where !change.endpoints.contains(where: { $0.name == name }) {
            await supervisor.retire()
            supervisors[name] = nil
            signals.set(nil, for: name)
        }
        for endpoint in change.endpoints where unread[endpoint.name] == nil {
            if let other = unreadOwner(of: endpoint) {
                context.logger.log(
                    .configurationDeferred,
                    "endpoint \(endpoint.name): a folder of it still belongs to endpoint \(other), of which it cannot be told what was "
                        + "in effect; it is taken up after a start at which it can",
                    EventFields(endpoint: endpoint.name))
                continue
            }
            if let supervisor = supervisors[endpoint.name] {
                await supervisor.offer(endpoint, context)
                continue
            }
            let supervisor = EndpointSupervisor(endpoint, context: context, stores: stores)
            supervisors[endpoint.name] = supervisor
            signals.set(supervisor.turn, for: endpoint.name)
            group.addTask { await supervisor.run() }
            group.addTask { await supervisor.keep() }
        }
    }

    /// An endpoint that is left alone and has a folder where this one has one; nil for none.
    private func unreadOwner(of endpoint: Endpoint) -> String? {
        let own = endpoint.folders.map { ExactText($0.path) }
        return unread.first { _, paths in
            paths.contains { path in own.contains { $0 == path || $0.isBelow(path) || path.isBelow($0) } }
        }?.key
    }

    /// What had to wait is taken up as soon as the job that was in its way is over.
    mutating func takeUpDeferred(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        if deferrals.isEmpty { return }
        let current = context.configuration.endpoints
        if await change(to: requested, from: current).endpoints != current {
            await takeUp(requested, from: current, &group)
        }
    }

    private func change(to configuration: Configuration, from current: [Endpoint]) async -> ConfigurationChange {
        var engaged: [String: Set<String>] = [:]
        for endpoint in current { engaged[endpoint.name] = await engagedFolders(of: endpoint) }
        return ConfigurationChange(from: current, to: configuration.endpoints, engaged: engaged)
    }

    /// The folders of an endpoint that are locked, half done, or a running job's. Where that is unknown, it may be any.
    private func engagedFolders(of endpoint: Endpoint) async -> Set<String> {
        // What a job that cannot be read has come to is not known.
        if stores.jobs.damaged(on: endpoint.name) != nil { return Set(endpoint.folders.map(\.name)) }
        do {
            let jobs = await stores.jobs.live(on: endpoint.name)
            let wanted = WantedDowntime(
                endpoint: endpoint, jobs: jobs, states: try context.state.folders(of: endpoint.name))
            if jobs.contains(where: { $0.state == .running && $0.folders.isEmpty }) {
                return Set(endpoint.folders.map(\.name))
            }
            // What has begun goes on with the plan that it has, also after a pause.
            let running = jobs.filter { $0.state == .running || !$0.state.isFinal && $0.hasBegun }.flatMap { job in
                job.folders.filter { [.pending, .running].contains($0.value.state) }.keys
            }
            return wanted.folders.union(running)
        } catch {
            return Set(endpoint.folders.map(\.name))
        }
    }

    /// Lets files keep down all units that may have to be.
    func guardUnits() throws {
        guard context.units.areManaged else { return }
        var guarded = GuardedUnits()
        for endpoint in context.configuration.endpoints {
            guarded.formUnion(try Quiesce(context: context, endpoint: endpoint, table: stores.units).guardedUnits())
        }
        do {
            try UnitDropIns(directory: context.directories.units, state: context.state, units: context.units).set(
                guarded)
        } catch {
            // The preflight says it again, for those units that it concerns.
            context.logger.log(.unitNotGuarded, "cannot write what keeps units down during updates: \(error)")
        }
    }

    /// Starts again what endpoints left down that nobody configures any more.
    func restoreUnitsOfRemovedEndpoints(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        let configured = Set(unread.keys).union(context.configuration.endpoints.map(\.name))
        for name in await stores.units.endpoints.subtracting(configured).sorted() {
            guard stores.jobs.damaged(on: name) == nil, await stores.jobs.live(on: name).isEmpty,
                await activeWork.begin(.endpoint(name))
            else { continue }
            let quiesce = Quiesce(
                context: context, endpoint: Endpoint(name: name, path: "/", folders: []), table: stores.units)
            group.addTask { [self] in
                do {
                    if try await !quiesce.start(keeping: [], job: nil).isEmpty { context.failures.note() }
                } catch {
                    context.logger.log(
                        .cannotGoOn, "cannot start the tasks of \(name) again: \(error)", EventFields(endpoint: name))
                }
                await activeWork.end(.endpoint(name))
                stores.watch.wake()
            }
        }
    }
}
