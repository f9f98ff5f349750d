import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchPlan

/// Starting the normal tasks again.
extension Quiesce {
    /// Seconds that a start is waited for: longer than systemd's own time limit where nobody set another one. What is
    /// still starting then counts as running.
    static var startPatience: Double { 120 }

    /// Starts again what ran before, but for units of folders that stay locked. Safe to repeat. What does not come up is
    /// remembered, and tried again by the next call.
    ///
    /// - Returns: what does not come up.
    @concurrent func start(keeping locked: Set<String>, job: Job?) async throws -> [Fault] {
        guard await table.concerns(endpoint.name) else { return [] }
        await stayWhileShuttingDown()
        if context.units.areManaged { try await stopMaintenance(job) }
        try await table.endMaintenance(of: endpoint.name)
        let (start, all) = try await table.release(endpoint: endpoint.name, keeping: locked)
        var problems: [String: String] = [:]
        if context.units.areManaged, !start.isEmpty { problems = try await bringUp(start, job: job) }
        try await table.forget(all.filter { problems[$0] == nil })
        try await table.fail(problems, for: endpoint.name)
        var faults = problems.sorted { $0.key < $1.key }.map { name, problem in
            Fault(
                .unit,
                "\(name) does not come up again: \(problem); look at: journalctl -u \(name); start it, then resume the job"
            )
        }
        if !locked.contains(root), await table.isCommandDue(endpoint.name) {
            let command = endpoint.tasks.startCommand
            if !command.isEmpty, let problem = run(command, "startCommand", job) {
                faults.append(Fault(.unit, problem))
            }
            try await table.setCommand(endpoint.name, stopped: nil)
        }
        return faults
    }

    private func stopMaintenance(_ job: Job?) async throws {
        let maintenance = await table.maintenance(of: endpoint.name)
        if maintenance.isEmpty { return }
        let outcome = try context.units.stop(maintenance, seconds: Self.startPatience)
        var problems = outcome.problems
        for name in outcome.unfinished { problems[name] = "it is still stopping" }
        for (name, problem) in problems.sorted(by: { $0.key < $1.key }) {
            context.logger.log(
                .unitNotStopped, "cannot stop maintenance unit \(name): \(problem)", fields(job, unit: name))
        }
    }

    /// - Parameter units: with the folders for whose sake they were down.
    /// - Returns: by unit, why it does not come up.
    private func bringUp(_ units: [String: Set<String>], job: Job?) async throws -> [String: String] {
        let names = units.keys.sorted()
        var problems: [String: String] = [:]
        for wave in UnitSelection.waves(names) {
            let early = try await stopEarly(wave)
            problems.merge(try context.units.start(wave, seconds: Self.startPatience)) { $1 }
            // What is none of ours ran a moment ago, so it runs again.
            let others = early.filter { units[$0] == nil }
            if !others.isEmpty { _ = try context.units.start(others, seconds: Self.startPatience) }
        }
        // A service that starts and dies at once was started all the same.
        context.clocks.block(seconds: 1)
        await stayWhileShuttingDown()
        for name in names {
            let unit = try context.units.unit(name)
            guard let problem = unit.problem else {
                // Somebody else's start of it has brought it up.
                if unit.isRunning { problems[name] = nil }
                continue
            }
            if problems[name] == nil || unit.activity == "deactivating" { problems[name] = problem }
        }
        for name in names {
            // Another endpoint may have stopped it again by now.
            if await table.isHeld(name) {
                problems[name] = nil
            } else if var problem = problems[name] {
                if let need = await table.need(of: name, among: Set(problems.keys)) {
                    problem += "; it needs \(need), which does not come up either"
                    problems[name] = problem
                }
                logNotUp(name, problem, job, units[name] ?? [])
            } else {
                context.logger.log(.unitStarted, "\(name) runs again", fields(job, unit: name, units[name] ?? []))
            }
        }
        return problems
    }

    /// Stops what runs by now of the units that sockets start: systemd starts no socket whose service runs. Those that ran
    /// before are started after their sockets.
    ///
    /// - Returns: what was stopped.
    private func stopEarly(_ wave: [String]) async throws -> [String] {
        var early: Set<String> = []
        for name in wave where Unit.kind(of: name) == "socket" {
            let socket = try context.units.unit(name)
            if socket.isRunning || socket.accepts { continue }
            for other in await table.triggers(of: name) where try context.units.unit(other).isRunning {
                early.insert(other)
            }
        }
        if early.isEmpty { return [] }
        _ = try context.units.stop(early.sorted(), seconds: Self.startPatience)
        return early.sorted()
    }

    private func logNotUp(_ name: String, _ problem: String, _ job: Job?, _ folders: Set<String>) {
        var fields = fields(job, unit: name, folders)
        fields.code = FaultCode.unit.rawValue
        context.logger.log(.unitNotUp, "\(name) does not come up again: \(problem)", fields)
        var notice = Notice(.unitNotUp)
        notice.job = job?.job
        notice.endpoint = endpoint.name
        notice.code = FaultCode.unit.rawValue
        notice.message = "\(name) does not come up again: \(problem)"
        context.notices.add(notice)
    }
}
