import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchPlan

/// Stopping the normal tasks.
extension Quiesce {
    /// Stops what runs and keeps all of it down. Safe to repeat: what was recorded as running before stays so.
    ///
    /// - Throws: ``Fault`` `unit` when something does not stop, `cancelled` when the job was cancelled meanwhile; ``JobDeferred``
    ///   when `idleCheck` finds somebody at work, or ``Fault`` `inUse` where a folder is half done, so that the job cannot wait.
    @concurrent func stop(for folders: Set<String>, job: Job) async throws {
        if context.units.areManaged {
            try await stopUnits(for: folders, job: job)
            try await startMaintenance(for: folders, job: job)
        }
        try await stopByCommand(job)
        try await waitUntilIdle(job)
    }

    /// Stops a unit that nobody named, with what systemd stops along and what would start it, and keeps it down until the
    /// job's end: its main process has a folder's database in use. Afterwards it is started again like the others.
    @concurrent func stop(inTheWay name: String, of folder: String, job: Job) async throws {
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
        _ job: Job, _ templates: [UnitHold], _ selection: () throws -> [UnitSelection.Selected]
    ) async throws {
        // The first round only records and puts the files in place that keep units down; from then on nothing new
        // starts, so the second round sees all that is to be stopped.
        for round in 0..<5 {
            await stayWhileShuttingDown()
            let units = try selection()
            await stayWhileShuttingDown()
            try await table.hold(units.map(\.hold) + templates, endpoint: endpoint.name)
            // One that is stopping already is waited for like the others.
            let names = units.map(\.unit).filter { $0.isRunning || $0.activity == "deactivating" }.map(\.name)
            let waves = UnitSelection.waves(names)
            if round == 0 { continue }
            if waves.isEmpty { return }
            let folders = Dictionary(units.map { ($0.unit.name, $0.folders) }) { first, _ in first }
            for wave in waves { try await stop(wave, folders, job) }
        }
        let left = try selection().map(\.unit).filter(\.isRunning).map(\.name)
        if left.isEmpty { return }
        throw Fault(
            .unit,
            "cannot stop \(left.joined(separator: ", ")): still running after several tries; stop it by hand (systemctl status \(left[0])), then resume job \(job.job)"
        )
    }

    /// Stops units and waits for them as long as they take, which their own TimeoutStopSec= decides, and no longer than
    /// the job is wanted.
    private func stop(_ wave: [String], _ folders: [String: Set<String>], _ job: Job) async throws {
        var patience = StopPatience(since: context.clocks.now, at: context.clocks.seconds)
        var left = wave
        while !left.isEmpty {
            await stayWhileShuttingDown()
            let outcome = try context.units.stop(left, seconds: 1)
            for name in left where !outcome.unfinished.contains(name) {
                let problem = outcome.problems[name]
                context.logger.log(
                    problem == nil ? .unitStopped : .unitNotStopped,
                    problem.map { "cannot stop \(name): \($0)" } ?? "\(name) is stopped",
                    fields(job, unit: name, folders[name] ?? []))
            }
            left = outcome.unfinished
            guard let first = left.first else { break }
            try Task.checkCancellation()
            if await jobs?.job(job.job)?.cancelledAt != nil {
                throw Fault(.cancelled, "cancelled while \(left.joined(separator: ", ")) was stopping")
            }
            guard let seconds = patience.due(at: context.clocks.seconds) else { continue }
            let text = patience.message(left, job: job.job)
            context.logger.log(
                .unitStopping, "\(text) (\(seconds) s)", fields(job, unit: first, folders[first] ?? []))
            await show(text, of: job)
        }
        if patience.wasTold { await show("", of: job) }
    }

    /// Shows what a job waits for while it runs. That it cannot be shown is no reason to stop.
    private func show(_ text: String, of job: Job) async { _ = try? await jobs?.apply(.note(text), to: job.job) }

    private func startMaintenance(for folders: Set<String>, job: Job) async throws {
        let names = try named(endpoint.tasks.maintenance, folders: folders).keys.sorted()
        let own = await table.maintenance(of: endpoint.name)
        // One that runs by itself is not ours to stop afterwards.
        let start = try names.filter { name in try own.contains(name) || !context.units.unit(name).isRunning }
        if start.isEmpty { return }
        try await table.startMaintenance(start, endpoint: endpoint.name)
        for (name, problem) in try context.units.start(start, seconds: Self.startPatience) {
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

    /// Seconds after which a job that was put back tries again: nothing tells when somebody has ended his work.
    private static let idlePause = 600.0

    private func waitUntilIdle(_ job: Job) async throws {
        guard !endpoint.tasks.idleCheck.isEmpty else { return }
        let end = context.clocks.seconds + endpoint.grace
        while run(endpoint.tasks.idleCheck, "idleCheck", job) != nil {
            if !job.hasBegunPart, await jobs?.job(job.job)?.cancelledAt != nil {
                throw Fault(.cancelled, "cancelled while somebody was at work, as idleCheck says")
            }
            guard context.clocks.seconds < end else {
                let finding = "idleCheck of \(endpoint.name) still fails after grace (\(Int(endpoint.grace)) s)"
                if job.hasBegunPart {
                    throw Fault(.inUse, "\(finding): somebody is at work; end that, then resume job \(job.job)")
                }
                throw JobDeferred(
                    reason:
                        "somebody to end his work: \(finding); it is tried again after \(Int(Self.idlePause / 60)) minutes",
                    again: Self.idlePause)
            }
            context.clocks.block(seconds: 1)
        }
    }
}
