import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchPlan

/// Stops an endpoint's normal tasks, keeps them stopped, and starts again exactly what ran (contract §7).
struct Quiesce: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let table: QuiescedUnitStore

    private var dropIns: UnitDropIns {
        UnitDropIns(directory: context.directories.units, state: context.state, units: context.units)
    }
    private var root: String { endpoint.folders.first { $0.parent == nil }?.name ?? "" }

    // MARK: Which units

    /// The units that patterns mean, with the folders for whose sake they go down.
    private func named(_ texts: [String], folders: Set<String>) throws -> [String: Set<String>] {
        var named: [String: Set<String>] = [:]
        for pattern in UnitSelection.patterns(texts, endpoint: endpoint, folders: folders) {
            for name in try context.units.names(matching: pattern.glob) where !UnitSelection.isOwn(name) {
                named[try context.units.unit(name).name, default: []].insert(pattern.folder)
            }
        }
        return named
    }

    /// The templates that patterns mean: their instances stay down too, of which nobody has started some yet.
    private func templates(_ folders: Set<String>) throws -> [String: Set<String>] {
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
    private func selection(_ folders: Set<String>) throws -> [(unit: Unit, folders: Set<String>)] {
        let maintenance = try named(endpoint.tasks.maintenance, folders: folders)
        let stop = try named(endpoint.tasks.stop, folders: folders).filter { maintenance[$0.key] == nil }
        return try UnitSelection.closure(stop) { name in try context.units.unit(name) }
    }

    /// All units that may ever go down for this endpoint and can be kept down.
    func guardedUnits() throws -> GuardedUnits {
        guard context.units.areManaged else { return GuardedUnits() }
        let all = Set(endpoint.activeFolders.map(\.name))
        return try guarded(selection(all).map(\.unit), all)
    }

    /// What keeps the tasks from being stopped and coming back; nothing is stopped.
    ///
    /// - Parameter mayChange: whether missing drop-ins are written; a test writes nothing.
    func check(_ folders: Set<String>, mayChange: Bool) throws -> (faults: [Fault], warnings: [String]) {
        guard context.units.areManaged else { return ([], []) }
        var faults: [Fault] = []
        var warnings: [String] = []
        for pattern in UnitSelection.patterns(endpoint.tasks.stop, endpoint: endpoint, folders: folders)
        where try context.units.names(matching: pattern.glob).isEmpty {
            warnings.append("tasks.stop: no unit is called \(pattern.glob)")
        }
        var units = try selection(folders)
        if mayChange {
            try dropIns.add(guarded(units.map(\.unit), folders))
            units = try selection(folders)
        }
        for (unit, _) in units {
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

    // MARK: Down

    /// Stops what runs and keeps all of it down. Safe to repeat: what was recorded as running before stays so.
    ///
    /// - Throws: ``Fault`` `unit` when something does not stop, `inUse` when `idleCheck` finds somebody at work.
    func stop(for folders: Set<String>, job: Job) async throws {
        if context.units.areManaged {
            try await stopUnits(for: folders, job: job)
            try await startMaintenance(for: folders, job: job)
        }
        try await stopByCommand(job)
        try await waitUntilIdle(job)
    }

    /// Stops a unit that nobody named, with what systemd stops along and what would start it, and keeps it down until the
    /// job's end: it has a folder's database in use. Afterwards it is started again like the others.
    func stop(inTheWay name: String, of folder: String, job: Job) async throws {
        guard context.units.areManaged else { return }
        let select = { try UnitSelection.closure([name: [folder]]) { name in try context.units.unit(name) } }
        let names = try select().map(\.unit).filter { !$0.isTransient }.map(\.name).filter(UnitSelection.isGuarded)
        try dropIns.add(GuardedUnits(names: Set(names)))
        try await stop(job, [], select)
    }

    private func stopUnits(for folders: Set<String>, job: Job) async throws {
        let templates = try templates(folders).map { name, folders in
            UnitHold(unit: name, isRunning: false, folders: folders.sorted())
        }
        try await stop(job, templates) { try selection(folders) }
    }

    /// - Parameter templates: none of them is a unit, and none is stopped.
    private func stop(
        _ job: Job, _ templates: [UnitHold], _ selection: () throws -> [(unit: Unit, folders: Set<String>)]
    ) async throws {
        // The first round only records and puts the files in place that keep units down; from then on nothing new
        // starts, so the second round sees all that is to be stopped.
        for round in 0..<5 {
            await stayWhileShuttingDown()
            let units = try selection()
            await stayWhileShuttingDown()
            let holds = units.map {
                UnitHold(unit: $0.unit.name, isRunning: $0.unit.isRunning, folders: $0.folders.sorted())
            }
            try await table.hold(holds + templates, endpoint: endpoint.name)
            let waves = UnitSelection.waves(holds)
            if round == 0 { continue }
            if waves.isEmpty { return }
            for wave in waves {
                let problems = try context.units.stop(wave)
                for name in wave {
                    let problem = problems[name]
                    context.logger.log(
                        problem == nil ? .unitStopped : .unitNotStopped,
                        problem.map { "cannot stop \(name): \($0)" } ?? "\(name) is stopped",
                        fields(job, unit: name, units.first { $0.unit.name == name }?.folders ?? []))
                }
            }
        }
        let left = try selection().map(\.unit).filter(\.isRunning).map(\.name)
        if left.isEmpty { return }
        throw Fault(
            .unit,
            "cannot stop \(left.joined(separator: ", ")): still running after several tries; stop it by hand (systemctl status \(left[0])), then resume job \(job.job)"
        )
    }

    /// - Parameter folders: those for whose sake the unit is down.
    private func fields(_ job: Job?, unit: String, _ folders: Set<String> = []) -> EventFields {
        EventFields(
            job: job?.job, endpoint: endpoint.name, folders: Array(folders), update: job?.update ?? "", unit: unit)
    }

    private func startMaintenance(for folders: Set<String>, job: Job) async throws {
        let names = try named(endpoint.tasks.maintenance, folders: folders).keys.sorted()
        let own = await table.maintenance(of: endpoint.name)
        // One that runs by itself is not ours to stop afterwards.
        let start = try names.filter { name in try own.contains(name) || !context.units.unit(name).isRunning }
        if start.isEmpty { return }
        try await table.startMaintenance(start, endpoint: endpoint.name)
        for (name, problem) in try context.units.start(start) {
            context.logger.log(
                .maintenanceNotUp, "cannot start maintenance unit \(name): \(problem); the update goes on without it",
                fields(job, unit: name))
        }
    }

    /// Once a boot: what the command has stopped may be up again after the next.
    private func stopByCommand(_ job: Job) async throws {
        let command = endpoint.tasks.stopCommand
        // What is down by itself during an update may have to be started after it all the same.
        if command.isEmpty, endpoint.tasks.startCommand.isEmpty { return }
        let boot = BootID.current
        if await table.commandStopped(endpoint.name, in: boot) { return }
        try await table.setCommand(endpoint.name, stopped: "")
        if !command.isEmpty, let problem = run(command, "stopCommand", job) { throw Fault(.unit, problem) }
        try await table.setCommand(endpoint.name, stopped: boot)
    }

    private func waitUntilIdle(_ job: Job) async throws {
        guard !endpoint.tasks.idleCheck.isEmpty else { return }
        let end = MonotonicClock.seconds + endpoint.grace
        while run(endpoint.tasks.idleCheck, "idleCheck", job) != nil {
            guard MonotonicClock.seconds < end else {
                throw Fault(
                    .inUse,
                    "idleCheck of \(endpoint.name) still fails after grace (\(Int(endpoint.grace)) s): somebody is at work; drop the archive again when it is idle"
                )
            }
            MonotonicClock.wait(seconds: 1)
        }
    }

    /// Why a command of the configuration failed; nil when it did not.
    private func run(_ command: String, _ key: String, _ job: Job?) -> String? {
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

    // MARK: Up

    /// Starts again what ran before, but for units of folders that stay locked. Safe to repeat.
    ///
    /// - Returns: what does not come up.
    func start(keeping locked: Set<String>, job: Job?) async throws -> [Fault] {
        guard await table.concerns(endpoint.name) else { return [] }
        await stayWhileShuttingDown()
        var faults: [Fault] = []
        if context.units.areManaged {
            let maintenance = await table.maintenance(of: endpoint.name)
            if !maintenance.isEmpty { _ = try context.units.stop(maintenance) }
        }
        try await table.endMaintenance(of: endpoint.name)
        let (start, all) = try await table.release(endpoint: endpoint.name, keeping: locked)
        if context.units.areManaged, !start.isEmpty { faults = try await bringUp(start, job: job) }
        try await table.forget(all)
        if !locked.contains(root), await table.isCommandDue(endpoint.name) {
            let command = endpoint.tasks.startCommand
            if !command.isEmpty, let problem = run(command, "startCommand", job) {
                faults.append(Fault(.unit, problem))
            }
            try await table.setCommand(endpoint.name, stopped: nil)
        }
        return faults
    }

    /// - Parameter units: with the folders for whose sake they were down.
    private func bringUp(_ units: [String: Set<String>], job: Job?) async throws -> [Fault] {
        let names = units.keys.sorted()
        var problems = try context.units.start(names)
        // A service that starts and dies at once was started all the same.
        MonotonicClock.wait(seconds: 1)
        await stayWhileShuttingDown()
        for name in names where problems[name] == nil {
            let unit = try context.units.unit(name)
            if !unit.cameUp { problems[name] = "it is \(unit.activity) (\(unit.result))" }
        }
        var faults: [Fault] = []
        for name in names {
            // Another endpoint may have stopped it again by now.
            if await table.isHeld(name) { continue }
            guard let problem = problems[name] else {
                context.logger.log(.unitStarted, "\(name) runs again", fields(job, unit: name, units[name] ?? []))
                continue
            }
            var fields = fields(job, unit: name, units[name] ?? [])
            fields.code = FaultCode.unit.rawValue
            context.logger.log(.unitNotUp, "\(name) does not come up again: \(problem)", fields)
            var notice = Notice(.unitNotUp)
            notice.job = job?.job
            notice.endpoint = endpoint.name
            notice.code = FaultCode.unit.rawValue
            notice.message = "\(name) does not come up again: \(problem)"
            context.notices.add(notice)
            faults.append(
                Fault(
                    .unit,
                    "\(name) does not come up again: \(problem); the folders are done; look at: journalctl -u \(name)"))
        }
        return faults
    }

    /// On the way down systemd stops units by itself and starts none: what is seen then is not what ran before, so
    /// nothing is decided any more. The job goes on after the boot.
    private func stayWhileShuttingDown() async {
        while context.units.areManaged, context.units.isShuttingDown() { MonotonicClock.wait(seconds: 1) }
    }
}
