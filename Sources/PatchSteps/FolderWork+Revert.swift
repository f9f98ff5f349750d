import PatchFiles
import PatchLedger
import PatchModel

extension FolderWork {
    /// Undoes, in reverse order, what this job did in the folder, or what the jobs did that its order names. Goes on
    /// where an earlier run was cut off. What cannot be undone is refused before anything is touched.
    public mutating func revert() throws(WorkerError) {
        if state.outcome == .reverted { return }
        if !state.isReverting {
            let found = try surveyUndo()
            if let first = found.faults.first {
                throw .failed(step: nil, first.code, found.faults.map(\.message).joined(separator: "\n"))
            }
            if !order.undo.isEmpty { try compareDatabase() }
            try record(.reverting)
        } else if case .failed(let step, let code, let message) = state.outcome {
            throw .failed(step: step, code, message)
        }
        // Before that mark nothing live was changed, and what the ledger says of the slots need not be true.
        for job in undoneJobs where job.isPrepared {
            trace.write(.message, "undoing job \(job.job), \(job.update)")
            let areas = try areas(ofJob: job.job)
            for part in job.parts {
                if shouldStop() { return try record(.interrupted) }
                switch part {
                case .downgrade(let number):
                    guard try run(downgrade: number, of: job, in: areas) else { return try record(.interrupted) }
                case .files(let slots): try undo(slots, of: job, in: areas)
                case .database: try restoreDatabase(job, in: areas)
                }
            }
            try working("take back the list of what job \(job.job) brought") { () throws(FileError) in
                if let root = try WorkArea.root(existing: folder, order: order) {
                    try Registry.withdraw(root, job: job.job)
                }
            }
        }
        try settleDatabase(without: undoneJobs.filter(\.isPrepared))
        try record(.reverted)
        let version = undoneJobs.last?.plan.from?.description ?? "?"
        trace.write(.message, "undone: \(order.plan.folder) has \(version) again")
    }

    /// What is undone: newest first.
    private var undoneJobs: [UndoneJob] {
        guard order.undo.isEmpty else { return order.undo }
        // The folder is still locked: nothing was written since the copy but by this job.
        guard var own = order.undoneJob(state) else { return [] }
        own.restoresDatabase = own.backup != nil
        own.halfRun = state.ran.subtracting(state.finished).max()
        return [own]
    }

    /// What keeps the way back from being gone.
    func surveyUndo() throws(WorkerError) -> UndoSurvey {
        let jobs = undoneJobs
        return try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try UndoSurvey(folder, order: order, jobs: jobs)
        }
    }

    private mutating func undo(
        _ slots: [StepSlot], of job: UndoneJob, in areas: WorkAreas
    ) throws(WorkerError) {
        let open = slots.filter { state.undone[job.job]?.contains($0.step) != true }
        if open.isEmpty { return }
        for slot in open {
            guard let step = job.plan.step(slot.step) else { continue }
            let title = "undo \(step.title)"
            trace.write(.started, step: title)
            let change = Switch(area: try area(of: slot, in: areas, step), step: step, slot: slot)
            let undone = try working("undo \"\(step.path)\"", step: nil) { () throws(FileError) in try change.undo() }
            switch undone {
            case .plain: break
            case .saved(let name): trace.write(.message, step: title, "it was changed since; kept as \(name)")
            case .left: trace.write(.message, step: title, "the directory is not empty and stays")
            case .lost:
                throw .failed(
                    step: nil, .irreversible,
                    "cannot undo \"\(step.path)\": its original is not in \(change.area.slots.path) any more; "
                        + "put the file back from a backup, then resume the job")
            }
        }
        try working("make the undo of \(open.count) files durable") { () throws(FileError) in try areas.sync() }
        try record(.undone(job: job.job, steps: open.map(\.step)))
        for slot in open {
            if let step = job.plan.step(slot.step) { trace.write(.finished, step: "undo \(step.title)") }
        }
    }

    /// - Returns: false when somebody asked to stop before it could begin.
    private mutating func run(
        downgrade number: Int, of job: UndoneJob, in areas: WorkAreas
    ) throws(WorkerError) -> Bool {
        guard state.undone[job.job]?.contains(number) != true, let step = job.plan.step(number),
            let slot = job.slots.first(where: { $0.step == number })
        else { return true }
        var attempt = 1
        if let undoing = state.undoing, undoing.job == job.job, undoing.step == number { attempt = undoing.attempt + 1 }
        try checkAttempt(attempt, step, number)
        try record(.undoing(job: job.job, step: number, attempt: attempt))
        let title = "downgrade \(step.path)"
        let run = ScriptRun(
            title: title, attempt: attempt, from: job.plan.to, to: job.plan.scriptsFrom ?? job.plan.from)
        // A name of its own: the upgrade's record goes when everything is undone, with this one.
        let key = StepKey(update: job.update, patch: step.patch, script: "downgrades/\(step.path)")
        guard try self.run(step, slot, in: area(of: slot, in: areas, step), run, key: key) else { return false }
        try record(.undone(job: job.job, steps: [number]))
        trace.write(.finished, step: title)
        return true
    }
}
