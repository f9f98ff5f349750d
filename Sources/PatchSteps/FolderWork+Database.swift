import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// The folder's database. A session lives as long as one step: what a script left in it is no concern of the next one,
/// and between two steps nothing is locked.
extension FolderWork {
    /// Runs database work and turns its errors into a failure of the step.
    func asking<Value>(
        _ step: Int? = nil, _ body: () throws(SQLError) -> Value
    ) throws(WorkerError) -> Value {
        do throws(SQLError) { return try body() } catch { throw .failed(step: step, error.code, "\(error)") }
    }

    /// The database of the folder.
    func database(_ step: Int? = nil) throws(WorkerError) -> any Database {
        guard let url = order.database?.url else {
            throw .failed(
                step: step, .database,
                "folder \(order.plan.folder) has no database; name one in the configuration, or exclude the folder")
        }
        return try asking(step) { () throws(SQLError) in try Databases.find(url, in: folder) }
    }

    /// Opens a session, however long others keep the database locked.
    mutating func session(_ step: Int? = nil) throws(WorkerError) -> any Session {
        let database = try database(step)
        return try patiently(step) { () throws(SQLError) in
            try database.open(lockTimeout: Databases.lockTimeout, create: false)
        }
    }

    /// Repeats what fails because others have the database in use, until they have left, were ended, or cannot be.
    mutating func patiently<Value>(
        _ step: Int?, _ body: () throws(SQLError) -> Value
    ) throws(WorkerError) -> Value {
        var way = WayThrough(order, askedAt: askedAt)
        while true {
            do throws(SQLError) { return try body() } catch {
                guard error.code == .inUse, try makeRoom(error.blockers, &way, step: step) else {
                    throw .failed(step: step, error.code, way.reason.map { "\(error); \($0)" } ?? "\(error)")
                }
            }
        }
    }

    /// What is done about those who are in the way of one step.
    struct WayThrough {
        var escalation: Escalation
        /// Why it is given up.
        var reason: String?

        init(_ order: WorkOrder, askedAt: Double?) {
            // Whoever has a unit is stopped by systemd, which has a time-out of its own.
            escalation = Escalation(
                grace: order.database?.grace ?? 0, spare: Set(order.database?.spare ?? []), patience: 100,
                askedAt: askedAt)
        }
    }

    /// Asks others to leave, or has them ended.
    ///
    /// - Returns: whether to try again.
    mutating func makeRoom(
        _ blockers: [Blocker], _ way: inout WayThrough, step: Int?
    ) throws(WorkerError) -> Bool {
        if shouldStop() { return false }
        let title = step.flatMap(order.plan.step)?.title ?? ""
        let names = { (all: [Blocker]) in all.map(\.description).joined(separator: ", ") }
        let action = way.escalation.next(blockers, at: MonotonicClock.seconds)
        askedAt = way.escalation.askedAt
        switch action {
        case .ask(let all):
            let grace = Int(order.database?.grace ?? 0)
            trace.write(.message, step: title, "the database is in use by \(names(all)), who have \(grace) s to leave")
            try record(.inUse(step: step, by: all, ends: false))
        case .wait: break
        case .end(let all):
            trace.write(.message, step: title, "the database is still in use by \(names(all)), who are ended now")
            try record(.inUse(step: step, by: all, ends: true))
        case .giveUp(let why):
            way.reason = why
            return false
        }
        return true
    }

    /// With `disconnect: always`, has everybody leave before the first step. Who cannot be ended and is not in the way
    /// does no harm; with those who come again and again the folder is never alone.
    mutating func disconnectOthers() throws(WorkerError) {
        guard order.database?.disconnect == .always else { return }
        let session = try session()
        var way = WayThrough(order, askedAt: askedAt)
        let spare = Set(order.database?.spare ?? [])
        while true {
            let others = session.others().filter {
                !spare.contains($0.command) && !($0.unit.map(spare.contains) ?? false)
            }
            if others.isEmpty { return }
            guard try makeRoom(others, &way, step: nil) else {
                if way.escalation.isOverrun { throw .failed(step: nil, .inUse, way.reason ?? "") }
                return
            }
            MonotonicClock.wait(seconds: 0.2)
        }
    }

    // MARK: Before and after the steps

    /// Makes everything ready for the first step that may change the database; where there is none, nobody has to leave
    /// and nothing is copied. Done already: nothing happens.
    mutating func prepareDatabase(in areas: WorkAreas) throws(WorkerError) {
        guard let database = order.database, state.ran.isDisjoint(with: touching),
            state.finished.isDisjoint(with: touching)
        else { return }
        if !touching.isEmpty { try disconnectOthers() }
        try compareDatabase()
        if touching.isEmpty || state.backup != nil || database.backup == "none" { return }
        let area = try working("open \(folder.path)/\(WorkArea.name)") { () throws(FileError) in try areas.existing("")
        }
        guard let area else { throw .failed(step: nil, .io, "cannot copy the database: nothing is staged") }
        trace.write(.message, "copying the database")
        let backup: DatabaseBackup
        if database.backup == "auto" {
            let session = try session()
            backup = try patiently(nil) { () throws(SQLError) in
                try session.backUp(to: area.slots, as: WorkArea.backup)
            }
        } else {
            try run(command: database.backup, "backup", area)
            backup = DatabaseBackup(name: WorkArea.backup, size: 0, sha256: "", mode: "")
        }
        try record(.backedUp(backup))
    }

    /// Steps that may change the database.
    private var touching: Set<Int> {
        let steps = order.plan.steps
        return Set(steps.indices.filter { steps[$0].kind.isRun && steps[$0].kind != .hook }).subtracting(state.equal)
    }

    /// Looks at the database while the applications use it: nobody is asked to leave.
    func surveyDatabase() throws(WorkerError) -> (faults: [Fault], warnings: [String], equal: [Int]) {
        guard order.database != nil, !isReplaced else { return ([], [], []) }
        let found: any Database
        do throws(WorkerError) { found = try database() } catch {
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
            faults = try compare(open.record())
            session = open
        } catch {
            guard error.code == .inUse else { return ([error.fault(folder: order.plan.folder)], [], []) }
            warnings = ["the database cannot be looked at before the update begins: \(error)"]
        }
        let rows = try surveyRows(session)
        return (faults + rows.faults, warnings, rows.equal)
    }

    /// Makes sure, under the lock, that the folder's state and its database say the same.
    mutating func compareDatabase() throws(WorkerError) {
        guard order.database != nil, !isReplaced else { return }
        let session = try session()
        let faults = compare(try patiently(nil) { () throws(SQLError) in try session.record() })
        guard let first = faults.first else { return }
        throw .failed(step: nil, first.code, faults.map(\.message).joined(separator: "\n"))
    }

    /// Whether a command of the admin's puts the whole database back, whatever is there by now.
    private var isReplaced: Bool { order.undo.contains(where: \.restoresDatabase) && order.database?.backup != "auto" }

    private func compare(_ record: DatabaseRecord?) -> [Fault] {
        // What a copy replaces need not fit.
        guard let expected = order.database, !order.undo.contains(where: \.restoresDatabase) else { return [] }
        let own = order.plan.steps + order.plan.downgrades
        let undone = order.undo.flatMap { $0.keys(withSteps: !$0.isDone) }
        // Without steps in the database, nothing but its version tells that the job came to its end there.
        let coming =
            order.undo.isEmpty
            ? (touching.isEmpty && state.isPrepared ? order.plan.to : nil)
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
    mutating func settleDatabase() throws(WorkerError) {
        guard order.database != nil else { return }
        let session = try session()
        var markers: [StepMarker] = []
        for (index, step) in order.plan.steps.enumerated() where step.kind == .script || state.equal.contains(index) {
            guard let key = order.key(of: step) else { continue }
            let script = step.kind == .script ? ScriptName(step.path) : nil
            let version = script?.version ?? order.plan.to
            // What an admin said was done has left no marker of its own.
            let isSQL = script?.kind == .sql
            markers.append(StepMarker(key, version: version, state: isSQL ? .assumed : .done, job: order.job))
        }
        let version = order.plan.to
        try patiently(nil) { () throws(SQLError) in try session.settle(version, adding: markers) }
    }

    /// Lets the database know that jobs were undone.
    mutating func settleDatabase(without jobs: [UndoneJob]) throws(WorkerError) {
        guard order.database != nil, let oldest = jobs.last, !order.undo.isEmpty || mayHaveChangedDatabase else {
            return
        }
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
        return !state.ran.isDisjoint(with: touching)
            || state.finished.union(state.equal).isSuperset(of: order.plan.steps.indices.prefix(end))
    }

    /// Puts the database back as it was before a job.
    mutating func restoreDatabase(_ job: UndoneJob, in areas: WorkAreas) throws(WorkerError) {
        guard let backup = job.backup, !state.restored.contains(job.job), let database = order.database else { return }
        let area = try working("open \(folder.path)/\(WorkArea.name)") { () throws(FileError) in try areas.existing("")
        }
        guard let area else {
            throw .failed(step: nil, .irreversible, "cannot restore the database: its copy is not kept any more")
        }
        trace.write(.message, "restoring the database from before job \(job.job)")
        if database.backup == "auto" {
            let session = try session()
            try patiently(nil) { () throws(SQLError) in try session.restore(backup, from: area.slots) }
        } else {
            try run(command: database.restore, "restore", area)
        }
        try record(.restored(job: job.job))
    }

    private func run(command: String, _ key: String, _ area: WorkArea) throws(WorkerError) {
        let path = area.slots.path + "/" + WorkArea.backup
        let environment = environment() + ["PATCHD_BACKUP=\(path)"]
        let result = try working("run \(key)") { () throws(FileError) in
            try Script.run(
                ["/bin/sh", "-c", command], environment: environment, in: folder, seconds: order.scriptTimeout
            ) { line in trace.write(.output, line) }
        }
        guard result != .exit(.code(0)) else {
            return try working("make what \(key) wrote durable") { () throws(FileError) in try folder.syncFileSystem() }
        }
        throw .failed(
            step: nil, .database,
            "the command \"\(key)\" of \(order.endpoint) failed (\(result)): \(command); see the trace, then resume")
    }

    // MARK: Without a job

    /// Shows the lock of the order in the database, or that there is none.
    public mutating func show() throws(WorkerError) {
        let database = try database()
        let revision = order.lock.map { Revision($0) }
        // Whoever is in the middle of writing is not disturbed for it, and nobody waits long: the folder is locked.
        try asking { () throws(SQLError) in try database.open(lockTimeout: 0.5, create: false).show(revision) }
        try record(.done)
    }

    /// Takes the database as it is for the version that the order names.
    public mutating func baseline() throws(WorkerError) {
        let session = try session()
        let (version, done) = (order.plan.to, order.database?.done.map { Set($0) })
        try patiently(nil) { () throws(SQLError) in try session.baseline(version, expecting: done) }
        try record(.done)
    }
}

extension WorkOrder {
    /// What a script of this job is called in a database; nil for other steps.
    func key(of step: PlannedStep) -> StepKey? { StepKey(update: update, version: plan.to, step: step) }
}

extension UndoneJob {
    /// What its way back leaves in a database, and what its steps do.
    fileprivate func keys(withSteps: Bool) -> [StepKey] {
        ((withSteps ? plan.steps : []) + plan.downgrades).compactMap {
            StepKey(update: update, version: plan.to, step: $0)
        } + plan.downgrades.map { StepKey(update: update, patch: $0.patch, script: "downgrades/\($0.path)") }
    }
}
