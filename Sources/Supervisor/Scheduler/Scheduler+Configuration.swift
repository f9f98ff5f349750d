import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Which endpoints are supervised, and by which configuration.
extension Scheduler {
    mutating func reloadIfAsked(_ group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        guard Signals.takeReload() else { return }
        notifications.reloading()
        do {
            if let configuration = try read() {
                await takeUp(configuration, from: context.configuration.endpoints, &group)
                try guardUnits()
                await restoreUnitsOfRemovedEndpoints(&group)
                context.logger.log(
                    .reloaded, "the configuration was read again: \(configuration.endpoints.count) endpoints")
            }
        } catch {
            context.logger.log(.cannotGoOn, "cannot read the configuration again: \(error)")
        }
        notifications.ready()
    }

    /// What was in effect when the daemon ended.
    func inEffectBefore() -> [Endpoint] {
        do {
            return try context.state.endpointsInEffect().compactMap { try context.state.inEffect($0) }
        } catch {
            context.logger.log(.cannotGoOn, "cannot read which configuration was in effect before: \(error)")
            return []
        }
    }

    /// Takes up a configuration, but for what has to wait until a job is over.
    mutating func takeUp(
        _ configuration: Configuration, from current: [Endpoint], _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async {
        var engaged: [String: Set<String>] = [:]
        for endpoint in current { engaged[endpoint.name] = await engagedFolders(of: endpoint) }
        let change = ConfigurationChange(from: current, to: configuration.endpoints, engaged: engaged)
        context.configuration = configuration
        context.configuration.endpoints = change.endpoints
        for deferral in change.deferrals {
            context.logger.log(
                .configurationDeferred, "endpoint \(deferral.endpoint): \(deferral.reason)",
                EventFields(endpoint: deferral.endpoint))
        }
        for (name, supervisor) in supervisors where !change.endpoints.contains(where: { $0.name == name }) {
            await supervisor.retire()
            supervisors[name] = nil
            signals.set(nil, for: name)
        }
        for endpoint in change.endpoints {
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

    /// The folders of an endpoint that are locked or half done. Where that cannot be told, it may be any.
    private func engagedFolders(of endpoint: Endpoint) async -> Set<String> {
        do {
            let wanted = WantedDowntime(
                endpoint: endpoint, jobs: await stores.jobs.live(on: endpoint.name),
                states: try context.state.folders(of: endpoint.name))
            return wanted.folders
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
        for name in await stores.units.endpoints.subtracting(context.configuration.endpoints.map(\.name)).sorted() {
            guard await stores.jobs.live(on: name).isEmpty, await activeWork.begin(.endpoint(name)) else { continue }
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
