import PatchModel
import Supervisor
import Systemd

/// The units of this host's systemd.
struct SystemdUnits: Units {
    private let manager = ServiceManager()

    var areManaged: Bool { true }

    func names(matching glob: String) throws -> [String] { try manager.units(matching: [glob]) }

    func templates(matching glob: String) throws -> [String] { try manager.templates(matching: glob) }

    func unit(_ name: String) throws -> Unit {
        let status = try manager.status(of: name)
        return Unit(
            name: status.id.isEmpty ? name : status.id, exists: status.exists,
            // A unit whose turn in the boot has not come yet would run by now.
            activity: status.isDown && status.isBeingStarted ? "activating" : status.activeState,
            type: status.type, isTransient: status.isTransient, obeys: status.canStart && status.canStop,
            stoppedAlong: status.stopsAlong,
            triggeredBy: status.triggeredBy, triggers: status.triggers, accepts: status.accepts,
            mainPID: status.mainPID,
            conditions: status.conditions.filter { !$0.isTrigger }.map {
                "\($0.type)=\($0.isNegated ? "!" : "")\($0.parameter)"
            },
            result: status.result.isEmpty ? "success" : status.result, detail: status.subState)
    }

    func stop(_ names: [String], seconds: Double) throws -> UnitStop {
        let results = try manager.stop(names, patience: .seconds(seconds))
        return UnitStop(
            problems: results.filter { $0.value != .done && $0.value != .enqueued }.mapValues(\.description),
            unfinished: results.filter { $0.value == .enqueued }.keys.sorted())
    }

    func start(_ names: [String], seconds: Double) throws -> [String: String] {
        var unawaited: Set<String> = []
        for name in names {
            let status = try manager.status(of: name)
            // One that is still stopping is started when it has stopped, whenever that is.
            if status.type == "oneshot" || status.activeState == "deactivating" { unawaited.insert(name) }
            // Several updates in a row would come up against the unit's StartLimitBurst=.
            try manager.resetFailed(name)
        }
        return try manager.start(names, withoutWaitingFor: unawaited, patience: .seconds(seconds))
            .filter { $0.value != .done && $0.value != .enqueued }.mapValues(\.description)
    }

    func reload() throws { try manager.reload() }

    func isShuttingDown() -> Bool { (try? manager.systemState()) == "stopping" }
}
