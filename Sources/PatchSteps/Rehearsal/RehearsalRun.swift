import Glibc
import PatchFiles
import PatchLedger
import PatchModel
import PatchSQL

/// Tries the scripts of a folder's plan on a copy of its database, and programs in a copy of the folder: staged and run as in
/// an update. What is live is only read.
///
/// It always begins anew: what an earlier one left is removed first.
struct RehearsalRun {
    let context: FolderContext
    private let asked: RehearsalOrder
    private let recorder = RehearsalRecorder()

    private var order: WorkOrder { context.order }

    /// Three more after the first one: a vendor's script that ends the worker itself must not do so for ever.
    private static let attempts = 4

    /// Rehearses and records what came out.
    static func run(_ context: FolderContext) throws(WorkerError) {
        guard let asked = context.order.rehearsal else {
            throw .failed(step: nil, .io, "cannot rehearse: the order does not say how")
        }
        let attempt = context.state.rehearsals + 1
        try clear(context)
        guard attempt <= attempts else {
            var report = FolderRehearsal(folder: context.order.plan.folder)
            report.error =
                "the worker was ended \(attempts) times in the middle of it; look at the trace for what ends it"
            report.code = .script
            return try context.record(.rehearsed(report))
        }
        try context.record(.rehearsing(attempt: attempt))
        let report: FolderRehearsal
        do throws(WorkerError) { report = try RehearsalRun(context: context, asked: asked).rehearse() } catch {
            // A worker that was asked to stop was not cut off.
            if case .stopped = error { try context.record(.rehearsing(attempt: attempt - 1)) }
            throw error
        }
        try context.record(.rehearsed(report.limited))
    }

    /// Removes what an interrupted rehearsal of this folder left, also on a server; what cannot be removed now is the next
    /// one's.
    static func clear(_ context: FolderContext) throws(WorkerError) {
        let leftover = try working("look for what a rehearsal left") { () throws(FileError) in
            try RehearsalPlace.leftover(in: context.folder)
        }
        guard let leftover else { return }
        context.trace.write(.message, "removing what an interrupted rehearsal left in \(leftover.path)")
        remove(context)
    }

    /// - Returns: whether nothing is left.
    private static func remove(_ context: FolderContext) {
        do throws(WorkerError) {
            let database = FolderDatabase(context)
            switch context.order.database?.url.engine {
            case .postgresql, .mariadb:
                try database.asking { () throws(SQLError) in
                    guard let order = try context.copyOrder() else { return }
                    let live = try database.named()
                    try live.open(lockTimeout: Databases.lockTimeout, create: false).removeCopies(order)
                }
            case .sqlite, .firebird, .embeddedFirebird, .foreign, nil: break
            }
            try working("remove the copies of a rehearsal") { () throws(FileError) in
                try RehearsalPlace.remove(in: context.folder)
            }
        } catch {
            context.trace.write(.message, "a rehearsal's copies are left until the next one: \(error)")
        }
    }

    private func rehearse() throws(WorkerError) -> FolderRehearsal {
        let begun = ContinuousClock.now
        context.trace.write(.message, "rehearsing \(order.update) \(order.plan.to) on copies")
        let place = try working("make room for a rehearsal") { () throws(FileError) in
            try RehearsalPlace(in: context.folder)
        }
        var report: FolderRehearsal
        do throws(WorkerError) { report = try rehearse(in: place) } catch {
            Self.remove(context)
            throw error
        }
        Self.remove(context)
        report.seconds = ((ContinuousClock.now - begun) / .seconds(1)).thousandths
        let end =
            report.error.map { "failed: \($0)" } ?? (report.ok ? "went well" : "tried nothing, or not all went well")
        context.trace.write(.message, "the rehearsal \(end)")
        for omission in report.notRehearsed {
            context.trace.write(
                .message, "not rehearsed: \(omission.script.isEmpty ? "" : omission.script + ": ")\(omission.reason)")
        }
        return report
    }

    // MARK: Copies

    private func rehearse(in place: borrowing RehearsalPlace) throws(WorkerError) -> FolderRehearsal {
        let plan = order.plan
        let programs = plan.steps.contains(where: \.isProgram) ? copyFolder(place) : nil
        try context.stopIfTold()
        var copy: DatabaseCopy?
        var obstacle: String?
        if order.database?.isKnown == false {
            obstacle = Self.foreign
        } else if order.database != nil {
            do throws(SQLError) { copy = try copyDatabase(place) } catch { obstacle = "\(error)" }
            try context.stopIfTold()
        }
        let steps = RehearsalSteps(
            plan, equal: context.state.equal, database: obstacle,
            // A program would not find the database.
            programs: obstacle.map { "there is no copy of the database: \($0)" } ?? programs,
            outreach: try outreach())
        var report = FolderRehearsal(folder: plan.folder)
        report.notRehearsed = steps.omissions
        guard steps.kept.contains(where: { plan.steps[$0].kind.isRun && plan.steps[$0].kind != .upload }) else {
            return report
        }
        try run(steps, on: copy, in: place, &report)
        recorder.thin()
        report.statements = recorder.statements
        report.statementsLeftOut = recorder.leftOut
        let backup = order.database?.backup == "auto" ? copy?.seconds ?? 0 : 0
        report.downtimeSeconds = (recorder.seconds + backup).thousandths
        return report
    }

    private static let foreign = "patchd does not speak the folder's database (sql), so it cannot be copied"

    /// - Returns: why no program can be tried; nil where one can.
    private func copyFolder(_ place: borrowing RehearsalPlace) -> String? {
        switch order.database?.url.engine {
        case .postgresql, .mariadb, .firebird:
            return "with the copied database it would reach the live one, which is on the same server"
        case .foreign: return Self.foreign
        case .sqlite, .embeddedFirebird, nil: break
        }
        if let error = cage(place).obstacle() {
            return "this host does not allow it to be kept apart from what is live (\(error.reason))"
        }
        do throws(FolderCopy.Obstacle) {
            let own = order.database?.url.files(in: order.plan.path) ?? []
            try FolderCopy(limit: asked.limit, leftOut: Set(own), shouldEnd: context.isToldToStop).make(
                of: context.folder, in: place.copy)
        } catch {
            return error.reason
        }
        do throws(FileError) {
            // What patchd has brought is known in the copy, too.
            let area = try WorkArea(place.copy, mount: "", job: order.job, order: order)
            if let known = try WorkArea.root(existing: context.folder, order: order),
                try known.status(InstalledFiles.name)?.kind == .directory
            {
                let source = try known.directory(InstalledFiles.name)
                let target = try area.root.ensureDirectory(InstalledFiles.name)
                for name in try source.names() { _ = try source.file(name).copy(to: target.createFile(name)) }
            }
            let status = try context.folder.status()
            _ = fchown(place.copy.descriptor, status.uid, status.gid)
            _ = fchmod(place.copy.descriptor, mode_t(status.mode))
        } catch {
            return "the folder cannot be copied: \(error)"
        }
        return nil
    }

    private func cage(_ place: borrowing RehearsalPlace) -> Cage { Cage(copy: place.copy.path, place: order.plan.path) }

    private func copyDatabase(_ place: borrowing RehearsalPlace) throws(SQLError) -> DatabaseCopy? {
        guard let copy = try context.copyOrder() else { return nil }
        let session = try FolderDatabase(context).named().open(lockTimeout: Databases.lockTimeout, create: false)
        session.shouldEnd = context.isToldToStop
        if let why = try session.copyObstacle(copy) {
            throw SQLError(.database, "copy the database for a rehearsal", why)
        }
        do throws(FileError) {
            var path = ""
            for name in (Directory.split(copy.place).parent ?? "").split(separator: "/") {
                let above = try path.isEmpty ? place.copy.duplicate() : place.copy.directory(path)
                _ = try above.makeDirectory(String(name))
                path += (path.isEmpty ? "" : "/") + name
            }
        } catch {
            throw SQLError(.io, "copy the database for a rehearsal", "\(error)")
        }
        context.trace.write(.message, "copying the database for the rehearsal")
        return try session.makeCopy(copy, in: place.copy) { context.trace.write(.message, $0) }
    }

    /// Scripts in SQL that could reach beyond the copy, by step.
    private func outreach() throws(WorkerError) -> [Int: String] {
        guard order.database?.isKnown == true else { return [:] }
        let sessions = try FolderDatabase(context).find().sessions
        var found: [Int: String] = [:]
        for (index, step) in order.plan.steps.enumerated() where step.kind == .script && !step.isProgram {
            let bytes = try working("read script \(step.path)", step: index) { () throws(FileError) in
                try context.tree.readFile(step.source, limit: SQLScript.sizeLimit) ?? []
            }
            guard let script = try? SQLScript(bytes, name: step.path, dialect: sessions.dialect),
                let statement = sessions.outreach(of: script)
            else { continue }
            found[index] =
                "statement \(statement.number), line \(statement.line) (\(statement.summary)) could reach beyond the copy"
        }
        return found
    }

    // MARK: Scripts

    private func run(
        _ steps: RehearsalSteps, on copy: DatabaseCopy?, in place: borrowing RehearsalPlace,
        _ report: inout FolderRehearsal
    ) throws(WorkerError) {
        let scratch = try scratch(steps, copy, place)
        do throws(WorkerError) {
            if let version = asked.from, copy != nil {
                let database = FolderDatabase(scratch)
                let session = try database.session()
                try database.asking { () throws(SQLError) in try session.baseline(version) }
            }
            try FolderStaging.run(scratch)
            try FolderApply.run(scratch)
            report.ok = true
        } catch {
            guard case .failed(let step, let code, let message) = error else { throw error }
            try context.stopIfTold()
            return note(step.map { steps.kept[$0] }, code, message, steps, &report)
        }
        guard asked.isTwice else { return }
        recorder.isCounting = false
        let failures = try SecondRun(context: scratch).failures()
        report.notIdempotent = failures
        if !failures.isEmpty { report.ok = false }
    }

    /// Takes down an error; one that may come from what was left out is no failure.
    private func note(
        _ index: Int?, _ code: FaultCode, _ message: String, _ steps: RehearsalSteps, _ report: inout FolderRehearsal
    ) {
        let step = index.map { order.plan.steps[$0] } ?? recorder.step
        let name = step.map { [.script, .rows].contains($0.kind) ? $0.rehearsalName : $0.path } ?? ""
        if let index, let omitted = steps.firstOmitted, omitted < index {
            let before = order.plan.steps[omitted].title
            report.notRehearsed.append(
                .init(script: name, reason: "\(before), which was not tried, may be missing: \(message)"))
        } else if let step, [.script, .rows].contains(step.kind) {
            report.error = message
            report.code = code
        } else {
            report.notRehearsed.append(.init(script: name, reason: "the copy could not be updated: \(message)"))
        }
    }

    /// The copies as a folder of their own, with an order and a ledger that nobody else sees.
    private func scratch(
        _ steps: RehearsalSteps, _ copy: DatabaseCopy?, _ place: borrowing RehearsalPlace
    ) throws(WorkerError) -> FolderContext {
        var own = order
        own.rehearsal = nil
        own.plan.path = place.copy.path
        own.plan.steps = steps.kept.map { order.plan.steps[$0] }
        own.plan.downgrades = []
        own.database = copy.map { copy in
            DatabaseOrder(
                url: copy.reference, backup: "none", disconnect: .onDemand, grace: 0,
                credentials: credentials(copy))
        }
        let ledger = try working("make a ledger for the rehearsal") { () throws(FileError) in
            try place.root.appendingFile("ledger")
        }
        let scratch = try context.copied(
            with: own, ledger: ledger,
            credentials: copy?.login == .account ? context.rehearseCredentials : context.credentials)
        scratch.recorder = recorder
        scratch.cage = cage(place)
        return scratch
    }

    /// Where the configuration has the credentials for a copy.
    private func credentials(_ copy: DatabaseCopy) -> String? {
        switch copy.login {
        case .same: order.database?.credentials
        case .account: "rehearseCredentials"
        case .none: nil
        }
    }
}
