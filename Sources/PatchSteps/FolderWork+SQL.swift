import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

extension FolderWork {
    /// Runs a script in SQL in the folder's database. It and the record of it take effect together, so one that is
    /// recorded there and not in the ledger was cut off between the two, and nothing is run.
    ///
    /// - Returns: false when somebody asked to stop while others were in the way.
    mutating func runSQL(
        _ step: PlannedStep, _ slot: StepSlot, in area: WorkArea, _ run: ScriptRun, key: StepKey
    ) throws(WorkerError) -> Bool {
        let index = slot.step
        trace.write(.started, step: run.title, run.attempt > 1 ? "attempt \(run.attempt)" : "")
        let bytes = try working("read script \(step.path)", step: index) { () throws(FileError) in
            try area.slots.readFile(WorkArea.slot(index), limit: SQLScript.sizeLimit) ?? []
        }
        let dialect = try database(index).sessions.dialect
        let script = try asking(index) { () throws(SQLError) in
            try SQLScript(bytes, name: step.path, dialect: dialect)
        }
        let order = PatchSQL.ScriptRun(
            key, version: ScriptName(step.path)?.version ?? order.plan.to, job: order.job, seconds: order.scriptTimeout)
        let session = try session(index)
        let voice = SQLVoice(trace: trace, title: run.title)
        let done = try inSpite(index) { (tryAgain) throws(SQLError) in
            try session.run(script, as: order, onEvent: voice.tell, tryAgain: tryAgain)
        }
        guard let isNew = done else { return false }
        if !isNew { trace.write(.message, step: run.title, "the database has a record that it is done") }
        return true
    }

    /// Does something in the database although others have it in use.
    ///
    /// - Parameter body: is given what to ask when somebody is in the way: whether to try again.
    /// - Returns: nil when somebody asked to stop meanwhile.
    mutating func inSpite<Value>(
        _ index: Int, _ body: ((SQLError) -> Bool) throws(SQLError) -> Value
    ) throws(WorkerError) -> Value? {
        var way = WayThrough(order, askedAt: askedAt)
        var trouble: WorkerError?
        do throws(SQLError) {
            return try body { error in
                do throws(WorkerError) {
                    return try makeRoom(error.blockers, &way, step: index)
                } catch {
                    trouble = error
                    return false
                }
            }
        } catch {
            if let trouble { throw trouble }
            if error.code == .inUse, way.reason == nil, shouldStop() { return nil }
            let reason = way.reason.map { "; \($0)" } ?? ""
            throw .failed(
                step: index, error.code,
                "\(error)\(reason); see the trace, fix the cause, then resume the job or drop a corrected archive")
        }
    }
}

/// Tells the trace what a script in SQL does.
private struct SQLVoice {
    let trace: Trace
    let title: String

    func tell(_ event: ScriptEvent) {
        switch event {
        case .started(let statement):
            write("statement \(statement.number), line \(statement.line): \(statement.summary)")
        case .finished(_, let result):
            for line in result.output { write("  \(line)") }
            if result.rows > result.output.count { write("  … \(result.rows) rows") }
            if result.changes > 0 { write("  \(result.changes) rows changed") }
        case .skipped(let statement, let why): write("statement \(statement.number) is left out: \(why)")
        case .committed(let count): write("committed: \(count) statements")
        }
    }

    private func write(_ text: String) { trace.write(.output, step: title, text) }
}
