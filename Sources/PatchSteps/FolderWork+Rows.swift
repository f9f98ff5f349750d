import PatchFiles
import PatchModel
import PatchSQL

extension FolderWork {
    /// Loads the rows of a staged CSV file into a table of the folder's database: all of them and the record of it
    /// together, so rows that are recorded there and not in the ledger are not loaded again.
    ///
    /// - Returns: false when somebody asked to stop while others were in the way.
    mutating func load(
        _ step: PlannedStep, _ slot: StepSlot, in area: WorkArea, _ run: ScriptRun
    ) throws(WorkerError) -> Bool {
        let index = slot.step
        guard let key = order.key(of: step) else { return true }
        trace.write(.started, step: run.title, run.attempt > 1 ? "attempt \(run.attempt)" : "")
        let target = RowTarget(table: step.path, key: step.rows?.key ?? [], preserve: step.rows?.preserve ?? [])
        let load = PatchSQL.ScriptRun(key, version: order.plan.to, job: order.job)
        let file = try working("read the rows of \(step.path)", step: index) { () throws(FileError) in
            try area.slots.file(WorkArea.slot(index))
        }
        let session = try session(index)
        let done = try inSpite(index) { (tryAgain) throws(SQLError) in
            try session.load(file, name: step.source, into: target, as: load, tryAgain: tryAgain)
        }
        guard let count = done else { return false }
        let told = count.map { "\($0.added) rows added, \($0.changed) changed" }
        trace.write(.message, step: run.title, told ?? "the database has a record that it is done")
        return true
    }
}
