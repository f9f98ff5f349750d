import PatchFiles
import PatchModel
import PatchSQL

/// Loads the rows of a CSV file into a table of the folder's database: all of them and the record of it together, so rows
/// that are recorded there and not in the ledger are not loaded again.
struct RowsStep: RunStep {
    let index: Int
    let planned: PlannedStep

    private var target: RowTarget {
        RowTarget(table: planned.path, key: planned.rows?.key ?? [], preserve: planned.rows?.preserve ?? [])
    }

    func survey(_ survey: FolderSurvey) throws(FileError) { try survey.need(planned.size, on: "") }

    /// Whether the table has these rows already.
    ///
    /// - Throws: what is wrong with the file.
    func isDone(_ file: borrowing File, _ session: (any Session)?) throws(SQLError) -> Bool {
        guard let session else { return false }
        do throws(SQLError) { return try session.has(file, name: planned.source, in: target) } catch {
            // Those who are in the way now will be asked to leave before the rows are loaded.
            if error.code == .inUse { return false }
            throw error
        }
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) { try staging.stage(self, mode: 0o600) }

    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) {
        let area = try run.staged(slot, in: areas)
        guard let key = run.key else { return }
        run.traceStart()
        let order = run.context.order
        let load = PatchSQL.ScriptRun(key, version: order.plan.to, job: order.job)
        let file = try working("read the rows of \(planned.path)", step: index) { () throws(FileError) in
            try area.slots.file(WorkArea.slot(index))
        }
        let session = try run.database.session(index)
        let count = try run.database.inSpite(index) { (tryAgain) throws(SQLError) in
            try session.load(file, name: planned.source, into: target, as: load, tryAgain: tryAgain)
        }
        let told = count.map { "\($0.added) rows added, \($0.changed) changed" }
        run.context.trace.write(.message, step: run.title, told ?? "the database has a record that it is done")
    }
}
