import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// Which migrations are done: the record that patchd keeps in the database says it, so that a dump brings it along.
extension FolderDatabase {
    /// Of the phase `facts`: what the database knows of the plan's steps, which are migrations.
    ///
    /// - Returns: nothing where none are asked for; why, where the database cannot be asked now. What is wrong with it, the
    ///   survey says.
    func migrations() throws(WorkerError) -> (known: MigrationRecords?, unasked: String?) {
        guard let database = order.database, !order.plan.steps.isEmpty else { return (nil, nil) }
        guard database.isKnown else {
            // Of a database that patchd does not speak, the folder's history is the record.
            return database.done.map { (MigrationRecords($0), nil) } ?? (nil, "the folder's history was not read")
        }
        do throws(WorkerError) {
            let database = try find()
            let record = try asking { () throws(SQLError) in
                try database.open(lockTimeout: Databases.lockTimeout, create: false).record()
            }
            var known = record?.migrations ?? MigrationRecords()
            known.changed = try changed(record, database.sessions.dialect)
            return (known, nil)
        } catch {
            guard case .failed(_, let code, let why) = error, code == .inUse || code == .database else { throw error }
            return (nil, why)
        }
    }

    /// Those that are done and have other statements in this archive.
    private func changed(
        _ record: DatabaseRecord?, _ dialect: SQLDialect
    ) throws(WorkerError) -> [MigrationRecords.Record] {
        var hashes: [StepKey: String] = [:]
        for marker in record?.steps ?? [] where marker.state == .done { hashes[marker.key] = marker.hash }
        var changed: [MigrationRecords.Record] = []
        for step in order.plan.steps {
            guard let key = order.key(of: step), let ran = hashes[key], !ran.isEmpty, let name = step.migrationName
            else { continue }
            let bytes = try working("read \(step.path)") { () throws(FileError) in
                try context.tree.readFile(step.source, limit: SQLScript.sizeLimit) ?? []
            }
            let script = try? SQLScript(bytes, name: step.path, dialect: dialect)
            if script?.hash() != ran { changed.append(.init(sequence: key.patch, name: name.description)) }
        }
        return changed
    }

    /// Whether the database has no record that the migration of a way back was begun: a statement that failed at once took
    /// all with it, and there is nothing that could be undone.
    func leftNothing(_ wayBack: PlannedStep) throws(WorkerError) -> Bool {
        guard isKnown, let rule = wayBack.migration, let name = wayBack.migrationName else { return false }
        let key = StepKey(migration: name, in: rule.sequence)
        let session = try session()
        guard let marker = try patiently(nil, { () throws(SQLError) in try session.marker(of: key) }) else {
            return true
        }
        // Where statements take effect one by one, the first that failed leaves this.
        return !type(of: session).isScriptAtomic && marker.state == .running && marker.statements == 0
    }

    /// Looks again under the lock, before the first step in the database: what is done by now is not run, also where the
    /// plan was made without asking.
    func compareMigrations() throws(WorkerError) {
        let steps = order.plan.steps.enumerated().filter { $1.migration != nil }
        guard isKnown, order.undo.isEmpty, !steps.isEmpty else { return }
        let session = try session()
        let record = try patiently(nil) { () throws(SQLError) in try session.record() }
        let known = record?.migrations ?? MigrationRecords()
        var equal = context.state.equal
        var open: [String: [MigrationName]] = [:]
        for (index, step) in steps {
            guard let rule = step.migration, let name = step.migrationName else { continue }
            if known.isDone(name, in: rule.sequence) {
                equal.insert(index)
            } else if !rule.anyOrder {
                open[rule.sequence, default: []].append(name)
            }
        }
        for (sequence, names) in open.sorted(by: { $0.key < $1.key }) {
            if let first = known.trouble(with: names, among: [], in: sequence).first {
                throw .failed(
                    step: nil, .sql,
                    "cannot run the migrations of \(order.update): \(first)\(MigrationRecords.wayOut)")
            }
        }
        if equal == context.state.equal { return }
        let survey = context.state.survey
        try context.record(
            .surveyed(faults: survey?.faults ?? [], warnings: survey?.warnings ?? [], equal: equal.sorted()))
    }
}
