import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchPlan

/// An endpoint's normal tasks: which units they are, and what keeps them from being stopped and coming back
/// (contract §7). `Quiesce+Stop` stops them, `Quiesce+Start` starts again exactly what ran.
struct Quiesce: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let table: QuiescedUnitStore
    /// Where it is read that the job was cancelled, and shown what it waits for; nil where no job waits.
    var jobs: JobStore? = nil

    var dropIns: UnitDropIns {
        UnitDropIns(directory: context.directories.units, state: context.state, units: context.units)
    }
    var root: String { endpoint.folders.first { $0.parent == nil }?.name ?? "" }

    // MARK: Which units

    /// The units that patterns mean, with the folders for whose sake they go down.
    func named(_ texts: [String], folders: Set<String>) throws -> [String: Set<String>] {
        var named: [String: Set<String>] = [:]
        for pattern in UnitSelection.patterns(texts, endpoint: endpoint, folders: folders) {
            for name in try context.units.names(matching: pattern.glob) where !UnitSelection.isOwn(name) {
                named[try context.units.unit(name).name, default: []].insert(pattern.folder)
            }
        }
        return named
    }

    /// The templates that patterns mean: their instances stay down too, of which nobody has started some yet.
    func templates(_ folders: Set<String>) throws -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for pattern in UnitSelection.patterns(endpoint.tasks.stop, endpoint: endpoint, folders: folders) {
            for name in try context.units.templates(matching: pattern.glob) where !UnitSelection.isOwn(name) {
                found[name, default: []].insert(pattern.folder)
            }
        }
        return found
    }

    /// What can be kept down of these units, for these folders' sake.
    private func guarded(_ units: [Unit], _ folders: Set<String>) throws -> GuardedUnits {
        let templates = try templates(folders)
        let maintenance = try named(endpoint.tasks.maintenance, folders: folders).keys
        return GuardedUnits(
            names: Set(units.filter { !$0.isTransient }.map(\.name) + templates.keys).filter(UnitSelection.isGuarded),
            spared: Set(
                maintenance.filter { name in UnitSelection.template(of: name).map { templates[$0] != nil } ?? false }))
    }

    /// What goes down for these folders: named units, what systemd stops along, and what would start them.
    func selection(_ folders: Set<String>) throws -> [UnitSelection.Selected] {
        let maintenance = try named(endpoint.tasks.maintenance, folders: folders)
        var stop = try named(endpoint.tasks.stop, folders: folders).filter { maintenance[$0.key] == nil }
        // systemd does not say which units serve an accepting socket's connections.
        for (name, folders) in stop where try Unit.kind(of: name) == "socket" && context.units.unit(name).accepts {
            for connection in try context.units.names(matching: UnitSelection.connections(of: name)) {
                stop[connection, default: []].formUnion(folders)
            }
        }
        return try UnitSelection.closure(stop) { name in try context.units.unit(name) }
    }

    /// All units that may ever go down for this endpoint and can be kept down.
    func guardedUnits() throws -> GuardedUnits {
        guard context.units.areManaged else { return GuardedUnits() }
        let all = Set(endpoint.activeFolders.map(\.name))
        return try guarded(selection(all).filter { !$0.isConnection }.map(\.unit), all)
    }

    /// What keeps the tasks from being stopped and coming back; nothing is stopped.
    ///
    /// - Parameter mayChange: whether missing drop-ins are written; a test writes nothing.
    func check(_ folders: Set<String>, mayChange: Bool) throws -> (faults: [Fault], warnings: [String]) {
        guard context.units.areManaged else { return ([], []) }
        var faults: [Fault] = []
        var warnings: [String] = []
        for (key, texts) in [("stop", endpoint.tasks.stop), ("maintenance", endpoint.tasks.maintenance)] {
            for pattern in UnitSelection.patterns(texts, endpoint: endpoint, folders: folders)
            where try context.units.names(matching: pattern.glob).isEmpty {
                if pattern.isName {
                    faults.append(
                        Fault(
                            .unit,
                            "tasks.\(key): there is no unit \(pattern.glob); install it, or name it no more in tasks.\(key)"
                        ))
                } else {
                    warnings.append("tasks.\(key): no unit is called \(pattern.glob)")
                }
            }
        }
        var units = try selection(folders)
        if mayChange {
            try dropIns.add(guarded(units.filter { !$0.isConnection }.map(\.unit), folders))
            units = try selection(folders)
        }
        for unit in units.filter({ !$0.isConnection }).map(\.unit) {
            if unit.isTransient, unit.isRunning {
                faults.append(
                    Fault(
                        .unit,
                        "\(unit.name) is transient: once stopped, nothing can start it again; give it a unit file, end it, or name it no more in tasks.stop"
                    ))
            } else if unit.isRunning, !unit.obeys {
                faults.append(
                    Fault(
                        .unit,
                        "\(unit.name) could not be started again, or not be stopped: it is masked, or its file says RefuseManualStart= or RefuseManualStop=; fix this, or name it no more in tasks.stop"
                    ))
            } else if mayChange, UnitSelection.isGuarded(unit.name), !unit.isTransient,
                !unit.conditions.contains(dropIns.condition(of: unit.name))
            {
                faults.append(
                    Fault(
                        .unit,
                        "\(unit.name) cannot be kept down: a file after \(UnitDropIns.fileName) resets its conditions; look at: systemctl cat \(unit.name)"
                    ))
            }
        }
        return (faults, warnings)
    }

    // MARK: Common to stopping and starting

    /// - Parameter folders: those for whose sake the unit is down.
    func fields(_ job: Job?, unit: String, _ folders: Set<String> = []) -> EventFields {
        EventFields(
            job: job?.job, endpoint: endpoint.name, folders: Array(folders), update: job?.update ?? "", unit: unit)
    }

    /// Why a command of the configuration failed; nil when it did not.
    func run(_ command: String, _ key: String, _ job: Job?) -> String? {
        let place = "\(key) of \(endpoint.name)"
        do {
            let problem = try context.workers.run(
                command, for: endpoint.name,
                environment: ["PATCHD_ENDPOINT": endpoint.name, "PATCHD_JOB": job.map { "\($0.job)" } ?? ""],
                seconds: endpoint.scriptTimeout)
            if let problem { return "\(place) failed (\(problem)): \(command)" }
            if key != "idleCheck" { context.logger.log(.command, "\(place) is done", fields(job, unit: "")) }
            return nil
        } catch {
            return "\(place) cannot be run: \(error)"
        }
    }

    /// On the way down systemd stops units by itself and starts none: what is seen then is not what ran before, so
    /// nothing is decided any more. The job goes on after the boot.
    func stayWhileShuttingDown() async {
        while context.units.areManaged, context.units.isShuttingDown() { context.clocks.block(seconds: 1) }
    }
}
