import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// The folder's database. A session lives as long as one step: what a script left in it is no concern of the next one,
/// and between two steps nothing is locked.
final class FolderDatabase {
    let context: FolderContext

    var order: WorkOrder { context.order }

    /// Whether newcomers are kept out since somebody was in the way, or that was tried.
    private var isClosed = false
    /// When somebody was first asked to leave the database: all have one grace, whatever step they are in the way of.
    private var askedAt: Double? {
        get { context.askedAt }
        set { context.askedAt = newValue }
    }

    init(_ context: FolderContext) { self.context = context }

    /// Runs database work and turns its errors into a failure of the step.
    func asking<Value>(
        _ step: Int? = nil, _ body: () throws(SQLError) -> Value
    ) throws(WorkerError) -> Value {
        do throws(SQLError) { return try body() } catch { throw .failed(step: step, error.code, "\(error)") }
    }

    /// The database that the order names.
    func find(_ step: Int? = nil) throws(WorkerError) -> any Database {
        try asking(step) { () throws(SQLError) in try named() }
    }

    /// The same, with the database's own error.
    func named() throws(SQLError) -> any Database {
        guard let url = order.database?.url else {
            throw SQLError(
                .database, "use a database", "folder \(order.plan.folder) has none",
                wayOut: "name one in the configuration, or exclude the folder")
        }
        return try Databases.find(
            url, in: context.folder, as: DatabaseLogin(name: context.target, credentials: credentials()))
    }

    /// Who logs in and how, where the configuration says it.
    private func credentials() throws(SQLError) -> Credentials? {
        guard let path = order.database?.credentials else { return nil }
        guard let place = context.credentials else {
            throw SQLError(
                .database, "read the credentials \(path)", "this worker was not given them", wayOut: "resume")
        }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.open(place).read(limit: 64 << 10) } catch {
            throw SQLError(
                .database, "read the credentials \(path)", "\(error)", wayOut: "correct the file, then resume")
        }
        return try Credentials(bytes, name: path)
    }

    /// Opens a session, however long others keep the database locked.
    func session(_ step: Int? = nil) throws(WorkerError) -> any Session {
        let database = try find(step)
        let session = try patiently(step) { () throws(SQLError) in
            try database.open(lockTimeout: Databases.lockTimeout, create: false)
        }
        session.shouldEnd = context.isStopOverdue
        return session
    }

    // MARK: Others who are in the way

    /// Repeats what fails because others have the database in use, until they have left, were ended, or cannot be.
    func patiently<Value>(
        _ step: Int?, _ body: () throws(SQLError) -> Value
    ) throws(WorkerError) -> Value {
        var contention = Contention(order, askedAt: askedAt)
        while true {
            do throws(SQLError) { return try body() } catch {
                guard error.code == .inUse, try makeRoom(error.blockers, &contention, step: step) else {
                    throw .failed(step: step, error.code, contention.reason.map { "\(error); \($0)" } ?? "\(error)")
                }
            }
        }
    }

    /// Does something in the database although others have it in use.
    ///
    /// - Parameter body: is given what to ask when somebody is in the way: whether to try again.
    func inSpite<Value>(
        _ index: Int, _ body: ((SQLError) -> Bool) throws(SQLError) -> Value
    ) throws(WorkerError) -> Value {
        var contention = Contention(order, askedAt: askedAt)
        var trouble: WorkerError?
        do throws(SQLError) {
            return try body { error in
                do throws(WorkerError) {
                    return try makeRoom(error.blockers, &contention, step: index)
                } catch {
                    trouble = error
                    return false
                }
            }
        } catch {
            if let trouble { throw trouble }
            if context.isStopOverdue() { throw .stopped }
            let reason = contention.reason.map { "; \($0)" } ?? ""
            // Of a rehearsal there is nothing to resume.
            if context.recorder != nil { throw .failed(step: index, error.code, "\(error)\(reason)") }
            throw .failed(
                step: index, error.code,
                "\(error)\(reason); see the trace, fix the cause, then resume the job or drop a corrected archive")
        }
    }

    /// What is done about those who are in the way of one step.
    private struct Contention {
        var escalation: Escalation
        /// Why it is given up.
        var reason: String?
        /// Since when only workers that show a lock or a version are in the way; nil while others are.
        private var ownSince: Double?

        init(_ order: WorkOrder, askedAt: Double?) {
            // A session that belongs to a unit is stopped by systemd, which has a time-out of its own.
            escalation = Escalation(
                grace: order.database?.grace ?? 0, spare: Set(order.database?.spare ?? []), patience: 100,
                askedAt: askedAt)
        }

        /// Whether those in the way are patchd's own: they show something and are gone in a moment, so nobody has to leave for
        /// them. Not for long: anybody can call a process so.
        mutating func passesBy(_ blockers: [Blocker]) -> Bool {
            guard !blockers.isEmpty, blockers.allSatisfy(\.isOwn) else {
                ownSince = nil
                return false
            }
            let since = ownSince ?? MonotonicClock.seconds
            ownSince = since
            return MonotonicClock.seconds - since < 30
        }
    }

    /// Asks others to leave, or has them ended.
    ///
    /// - Returns: whether to try again.
    private func makeRoom(
        _ blockers: [Blocker], _ contention: inout Contention, step: Int?
    ) throws(WorkerError) -> Bool {
        try context.stopIfTold()
        if contention.passesBy(blockers) { return true }
        try context.yield(step, to: blockers)
        let title = step.flatMap(order.plan.step)?.title ?? ""
        let names = { (all: [Blocker]) in all.map(\.description).joined(separator: ", ") }
        let action = contention.escalation.next(blockers, at: MonotonicClock.seconds)
        askedAt = contention.escalation.askedAt
        // Also where those in the way were asked before this worker began.
        if step != nil { keepNewcomersOut(title) }
        switch action {
        case .ask(let all):
            let grace = Int(order.database?.grace ?? 0)
            context.trace.write(
                .message, step: title, "the database is in use by \(names(all)), who have \(grace) s to leave")
            try context.record(.inUse(step: step, by: all, ends: false))
        case .wait: break
        case .end(let all):
            context.trace.write(
                .message, step: title, "the database is still in use by \(names(all)), who are ended now")
            try context.record(.inUse(step: step, by: all, ends: true))
            endSessions(all.filter { $0.session != nil }, step: title)
        case .giveUp(let why):
            contention.reason = why
            return false
        }
        return true
    }

    /// With `disconnect: onDemand`, from the first who is asked to leave: nobody else is to come in his place. What fails
    /// here changes nothing for the step: who comes is ended.
    private func keepNewcomersOut(_ title: String) {
        if isClosed { return }
        isClosed = true
        // A file has no door: who opens it is seen only then.
        guard let own = order.database, own.disconnect == .onDemand, own.url.file == nil, context.recorder == nil else {
            return
        }
        let spare = Set(own.spare)
        do throws(WorkerError) {
            let database = try find()
            try asking { () throws(SQLError) in
                try database.open(lockTimeout: 0.5, create: false).keepNewcomersOut(sparing: spare)
            }
        } catch {
            context.trace.write(.message, step: title, "newcomers cannot be kept out: \(error)")
        }
    }

    /// Ends sessions on a server, as far as the role may; who stays is named when it is given up.
    private func endSessions(_ all: [Blocker], step title: String) {
        if all.isEmpty { return }
        do throws(WorkerError) {
            let database = try find()
            try asking { () throws(SQLError) in
                let own = try database.open(lockTimeout: 0.5, create: false)
                for blocker in all where try !own.end(blocker) {
                    context.trace.write(.message, step: title, "\(blocker) cannot be ended")
                }
            }
        } catch {
            context.trace.write(.message, step: title, "\(error)")
        }
    }

    /// With `disconnect: always`, has everybody leave before the first step. Who cannot be ended and is not in the way
    /// does no harm.
    func disconnectOthers() throws(WorkerError) {
        guard order.database?.disconnect == .always else { return }
        let session = try session()
        let spare = Set(order.database?.spare ?? [])
        try patiently(nil) { () throws(SQLError) in try session.keepNewcomersOut(sparing: spare) }
        var contention = Contention(order, askedAt: askedAt)
        while true {
            let others = session.others().filter { !contention.escalation.isSpared($0) && !$0.isOwn }
            if others.isEmpty { return }
            guard try makeRoom(others, &contention, step: nil) else {
                // With those who come again and again the folder is never alone.
                if contention.escalation.isOverrun { throw .failed(step: nil, .inUse, contention.reason ?? "") }
                return
            }
            MonotonicClock.wait(seconds: 0.2)
        }
    }

    // MARK: Without a job

    /// Shows the lock of the order in the database, or that there is none.
    func show() throws(WorkerError) {
        let database = try find()
        let revision = order.lock.map { Revision($0) }
        let versions = order.plan.from.map {
            FolderVersions(version: $0, recommended: order.database?.recommended)
        }
        // A session that is writing is not disturbed for it, and the wait is short: the folder is locked.
        try asking { () throws(SQLError) in
            let session = try database.open(lockTimeout: 0.5, create: false)
            try session.show(revision, versions)
            if revision == nil { try session.letNewcomersIn() }
        }
        try context.record(.done)
    }

    /// Takes the database as it is for the version that the order names.
    func baseline() throws(WorkerError) {
        let session = try session()
        let (version, done) = (order.plan.to, order.database?.done.map { Set($0) })
        let mark = order.mark.flatMap(MigrationName.init)
        try patiently(nil) { () throws(SQLError) in
            try session.baseline(version, expecting: done, migrations: mark)
        }
        try context.record(.done)
    }
}

extension WorkOrder {
    /// What a script of this job is called in a database; nil for other steps.
    func key(of step: PlannedStep) -> StepKey? { StepKey(update: update, version: plan.to, step: step) }
}
