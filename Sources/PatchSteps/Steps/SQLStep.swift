import PatchFiles
import PatchModel
import PatchSQL

/// Runs a script in SQL in the folder's database. It and the record of it take effect together, so one that is recorded
/// there and not in the ledger was cut off between the two, and nothing is run. For a database that patchd does not speak
/// it is the standard input of the endpoint's command `sql`, and the ledger alone records it, as a `.sh`.
struct SQLStep: RunStep {
    let index: Int
    let planned: PlannedStep

    /// How many statements of one script a plan shows.
    static let shownStatements = 1000

    func survey(_ survey: FolderSurvey) throws(FileError) {
        let name = planned.scriptPlace(index, in: survey.order.plan)
        guard let named = survey.order.database else {
            return survey.fault(
                .database,
                """
                cannot run script \(name): the folder has no database; name one in the endpoint's configuration, \
                switch the patch \(planned.patch) off, or exclude \(survey.order.plan.folder)
                """)
        }
        guard named.isKnown else { return }
        // That it is not found was said once.
        guard let database = try? survey.database.find() else { return }
        let bytes = try survey.context.tree.readFile(planned.source, limit: SQLScript.sizeLimit) ?? []
        do throws(SQLError) {
            let script = try SQLScript(bytes, name: name, dialect: database.sessions.dialect)
            survey.statements[index] = script.statements.prefix(Self.shownStatements).map(\.summary)
            for problem in database.sessions.problems(of: script) { survey.fault(problem.code, "\(problem)") }
        } catch {
            survey.fault(error.code, "\(error)")
        }
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) { try staging.stage(self, mode: 0o700) }

    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) {
        let area = try run.staged(slot, in: areas)
        if let command = run.context.order.database?.command {
            let file = try working("read script \(planned.path)", step: index) { () throws(FileError) in
                try area.slots.file(WorkArea.slot(index))
            }
            return try run.run(["/bin/sh", "-c", command], input: file, failing: .sql)
        }
        guard let key = run.key else { return }
        run.traceStart()
        let bytes = try working("read script \(planned.path)", step: index) { () throws(FileError) in
            try area.slots.readFile(WorkArea.slot(index), limit: SQLScript.sizeLimit) ?? []
        }
        let dialect = try run.database.find(index).sessions.dialect
        let script = try run.database.asking(index) { () throws(SQLError) in
            try SQLScript(bytes, name: planned.path, dialect: dialect)
        }
        let order = run.context.order
        let execution = PatchSQL.ScriptRun(
            key, version: planned.scriptVersion ?? order.plan.to, job: order.job,
            seconds: order.scriptTimeout)
        let session = try run.database.session(index)
        let output = run.output
        defer { output.finish() }
        let report = StatementReport(total: script.statements.count) { output.write($0) }
        let isNew: Bool
        do throws(WorkerError) {
            isNew = try run.database.inSpite(index) { (tryAgain) throws(SQLError) in
                try session.run(
                    script, as: execution,
                    onEvent: { event in
                        report.add(event)
                        run.context.recorder?.add(event)
                    }, tryAgain: tryAgain)
            }
        } catch {
            report.fail()
            throw error
        }
        if !isNew { run.context.trace.write(.message, step: run.title, "the database has a record that it is done") }
    }
}
