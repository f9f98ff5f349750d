import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// What the database says about the folder, and what is written to it.
extension FolderDatabase {
    /// Makes sure that a database that is named can be found.
    func check() throws(WorkerError) {
        if isKnown { _ = try find() }
    }

    /// Whether there is a database to which patchd speaks itself.
    var isKnown: Bool { order.database?.isKnown ?? false }

    /// Steps that may change the database.
    var touching: Set<Int> {
        let steps = order.plan.steps
        return Set(steps.indices.filter { [.script, .rows, .handler].contains(steps[$0].kind) })
            .subtracting(context.state.equal)
    }

    /// Looks at the database while the applications use it: nobody is asked to leave.
    func survey() throws(WorkerError) -> (faults: [Fault], warnings: [String], equal: [Int]) {
        guard isKnown, !isReplaced else { return ([], [], []) }
        let found: any Database
        do throws(WorkerError) { found = try find() } catch {
            guard case .failed(_, let code, let message) = error else { throw error }
            return ([Fault(folder: order.plan.folder, code, message)], [], [])
        }
        var session: (any Session)?
        var faults: [Fault] = []
        var warnings: [String] = []
        do throws(SQLError) {
            let open = try found.open(lockTimeout: Databases.lockTimeout, create: false)
            let others = open.others().map(\.description).joined(separator: ", ")
            if !others.isEmpty, !touching.isEmpty {
                warnings = ["the database is in use by \(others), who will have to leave"]
            }
            if !touching.isEmpty { warnings += try open.checkRights() + open.nearLimits() }
            if !touching.isEmpty { warnings += try rehearsalWarnings(open) }
            faults = try self.faults(of: open.record())
            session = open
        } catch {
            guard error.code == .inUse else { return ([error.fault(folder: order.plan.folder)], [], []) }
            warnings = ["the database cannot be looked at before the update begins: \(error)"]
        }
        let rows = try survey(rows: session)
        return (faults + rows.faults, warnings, rows.equal)
    }

    /// Looks whether the database can be used at all, and what its user may do there, for who checks the configuration.
    func examine() throws(WorkerError) {
        var faults: [Fault] = []
        var warnings: [String] = []
        do throws(SQLError) {
            let session = try named().open(lockTimeout: Databases.lockTimeout, create: false)
            warnings = try session.checkRights() + session.nearLimits()
            warnings += try rehearsalWarnings(session)
        } catch {
            if error.code == .inUse {
                warnings.append("\(error)")
            } else {
                faults = [error.fault(folder: order.plan.folder)]
            }
        }
        try context.record(.surveyed(faults: faults, warnings: warnings, equal: []))
    }

    /// What keeps the update of the database from being rehearsed, where that is asked for.
    private func rehearsalWarnings(_ session: any Session) throws(SQLError) -> [String] {
        guard let asked = order.rehearsal, let copy = try context.copyOrder() else { return [] }
        // What is wrong with them was said when they were read.
        if asked.hasCredentials, copy.account == nil { return [] }
        return try session.copyObstacle(copy).map { ["the update of the database cannot be rehearsed: \($0)"] } ?? []
    }

    /// Looks at the rows of the plan: what is wrong with them, and which tables have them already. Changes nothing.
    ///
    /// - Parameter session: nil where the database cannot be asked now; nothing counts as equal then.
    private func survey(rows session: (any Session)?) throws(WorkerError) -> (faults: [Fault], equal: [Int]) {
        var faults: [Fault] = []
        var equal: [Int] = []
        // What a program before does to the tables nobody knows; hooks are the admin's own and leave them alone.
        let steps = order.plan.steps
        let end = steps.firstIndex { [.script, .handler].contains($0.kind) } ?? steps.count
        // To SQL, RATES and rates are one table.
        var changed: Set<String> = []
        for (index, planned) in steps.enumerated() {
            guard let step = planned.step(index) as? RowsStep else { continue }
            let file = try working("read the rows of \(planned.path)") { () throws(FileError) in
                try context.tree.file(planned.source)
            }
            do throws(SQLError) {
                // Also of a table that an earlier step fills: its rules stay the same.
                if index < end, try step.isDone(file, session), !changed.contains(planned.path.lowercased()) {
                    equal.append(index)
                    continue
                }
                try RowFile.check(file, name: planned.source)
            } catch {
                let wayOut = "drop a corrected archive, or switch the patch \(planned.patch) off"
                faults.append(Fault(folder: order.plan.folder, error.code, "\(error); \(wayOut)"))
            }
            changed.insert(planned.path.lowercased())
        }
        return (faults, equal)
    }

    /// Makes sure, under the lock, that the folder's state and its database say the same.
    func compare() throws(WorkerError) {
        guard isKnown, !isReplaced else { return }
        let session = try session()
        let faults = faults(of: try patiently(nil) { () throws(SQLError) in try session.record() })
        guard let first = faults.first else { return }
        throw .failed(step: nil, first.code, faults.map(\.message).joined(separator: "\n"))
    }

    /// Whether a command of the admin's puts the whole database back, whatever is there by now.
    private var isReplaced: Bool { order.undo.contains(where: \.restoresDatabase) && order.database?.backup != "auto" }

    private func faults(of record: DatabaseRecord?) -> [Fault] {
        // What a copy replaces need not fit.
        guard let expected = order.database, !order.undo.contains(where: \.restoresDatabase) else { return [] }
        let own = order.plan.steps + order.plan.downgrades
        let undone = order.undo.flatMap { $0.keys(withSteps: !$0.isDone) }
        // Without steps in the database, only its version shows that the job came to its end there.
        let coming =
            order.undo.isEmpty
            ? (touching.isEmpty && context.state.isPrepared ? order.plan.to : nil)
            : order.undo.first { !$0.isDone }?.plan.to
        let comparison = Comparison(
            version: order.plan.from, scripts: expected.done.map { Set($0) }, record: record,
            underWay: Set(own.compactMap { order.key(of: $0) } + undone), coming: coming)
        return comparison.faults(of: "\(order.endpoint)/\(order.plan.folder)").map {
            Fault(folder: order.plan.folder, $0.code, $0.message)
        }
    }

    /// Lets the database know its version, also where the update had nothing else for it, and what was done in it, other
    /// scripts than those in SQL and rows that it had already too.
    func settle() throws(WorkerError) {
        guard isKnown else { return }
        let session = try session()
        var markers: [StepMarker] = []
        for (index, step) in order.plan.steps.enumerated()
        where step.kind == .script || context.state.equal.contains(index) {
            // Up to a mark there are migrations without a record.
            if step.migration != nil, context.state.equal.contains(index) { continue }
            guard let key = order.key(of: step) else { continue }
            let version = step.scriptVersion ?? order.plan.to
            // What an admin said was done has left no marker of its own.
            let isSQL = step.scriptKind == .sql
            markers.append(StepMarker(key, version: version, state: isSQL ? .assumed : .done, job: order.job))
        }
        let version = order.plan.to
        try patiently(nil) { () throws(SQLError) in try session.settle(version, adding: markers) }
    }

    /// Lets the database know that jobs were undone.
    func settle(without jobs: [UndoneJob]) throws(WorkerError) {
        guard isKnown, let oldest = jobs.last, !order.undo.isEmpty || mayHaveChangedDatabase else { return }
        let session = try session()
        var version = oldest.plan.from
        if order.undo.isEmpty {
            // A job that stopped because the two did not agree must not make them agree.
            let known = try patiently(nil) { () throws(SQLError) in try session.record() }
            if known?.version != oldest.plan.to { version = nil }
        }
        let keys = jobs.flatMap { $0.keys(withSteps: true) }
        try patiently(nil) { () throws(SQLError) in try session.settle(version, forgetting: keys) }
    }

    /// Whether this job has come to its first step in the database, or to the version that it writes there in the end.
    private var mayHaveChangedDatabase: Bool {
        let end = order.plan.number(of: .after) ?? order.plan.steps.count
        return !context.state.ran.isDisjoint(with: touching)
            || context.state.finished.union(context.state.equal).isSuperset(of: order.plan.steps.indices.prefix(end))
    }
}

extension UndoneJob {
    /// What its way back leaves in a database, and what its steps do.
    fileprivate func keys(withSteps: Bool) -> [StepKey] {
        // A way back of a migration has the name of the migration.
        let ways = plan.downgrades.filter { $0.migration == nil }
        return (withSteps ? stepKeys : []) + ways.compactMap { StepKey(update: update, version: plan.to, step: $0) }
            + plan.downgrades.map(key(ofWayBack:))
    }
}
