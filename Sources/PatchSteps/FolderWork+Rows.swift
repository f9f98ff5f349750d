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
        let load = PatchSQL.ScriptRun(key, version: order.plan.to, job: order.job)
        let file = try working("read the rows of \(step.path)", step: index) { () throws(FileError) in
            try area.slots.file(WorkArea.slot(index))
        }
        let session = try session(index)
        let done = try inSpite(index) { (tryAgain) throws(SQLError) in
            try session.load(file, name: step.source, into: step.target, as: load, tryAgain: tryAgain)
        }
        guard let count = done else { return false }
        let told = count.map { "\($0.added) rows added, \($0.changed) changed" }
        trace.write(.message, step: run.title, told ?? "the database has a record that it is done")
        return true
    }

    /// Looks at the rows of the plan: what is wrong with them, and which tables have them already. Changes nothing.
    ///
    /// - Parameter session: nil where the database cannot be asked now; nothing counts as equal then.
    func surveyRows(_ session: (any Session)?) throws(WorkerError) -> (faults: [Fault], equal: [Int]) {
        var faults: [Fault] = []
        var equal: [Int] = []
        // What a program before does to the tables nobody knows; hooks are the admin's own and leave them alone.
        let steps = order.plan.steps
        let end = steps.firstIndex { [.script, .handler].contains($0.kind) } ?? steps.count
        // To SQL, RATES and rates are one table.
        var changed: Set<String> = []
        for (index, step) in steps.enumerated() where step.kind == .rows {
            let file = try working("read the rows of \(step.path)") { () throws(FileError) in
                try tree.file(step.source)
            }
            do throws(SQLError) {
                // Also of a table that an earlier step fills: its rules stay the same.
                if index < end, try isEqual(step, file, session), !changed.contains(step.path.lowercased()) {
                    equal.append(index)
                    continue
                }
                try RowFile.check(file, name: step.source)
            } catch {
                let wayOut = "drop a corrected archive, or switch the patch \(step.patch) off"
                faults.append(Fault(folder: order.plan.folder, error.code, "\(error); \(wayOut)"))
            }
            changed.insert(step.path.lowercased())
        }
        return (faults, equal)
    }

    private func isEqual(
        _ step: PlannedStep, _ file: borrowing File, _ session: (any Session)?
    ) throws(SQLError) -> Bool {
        guard let session else { return false }
        do throws(SQLError) { return try session.has(file, name: step.source, in: step.target) } catch {
            // Whoever is in the way now will be asked to leave before the rows are loaded.
            if error.code == .inUse { return false }
            throw error
        }
    }
}

extension PlannedStep {
    /// Where rows go.
    fileprivate var target: RowTarget { RowTarget(table: path, key: rows?.key ?? [], preserve: rows?.preserve ?? []) }
}
