import Glibc
import PatchFiles
import PatchModel
import PatchSQL

/// Looks at the scripts of a plan before anything is touched: whether they can be run, and what those in SQL say. Changes
/// nothing.
struct ScriptSurvey {
    private(set) var faults: [Fault] = []
    /// By step, the first line of each statement.
    private(set) var statements: [Int: [String]] = [:]

    /// How many statements of one script are shown.
    static let shown = 1000

    private let order: WorkOrder
    private let database: (any Database)?

    init(_ folder: borrowing Directory, tree: borrowing Directory, order: WorkOrder) throws(FileError) {
        self.order = order
        do throws(SQLError) {
            database = try order.database.map { (order) throws(SQLError) in try Databases.find(order.url, in: folder) }
        } catch {
            database = nil
            faults.append(error.fault(folder: order.plan.folder))
        }
        for (index, step) in order.plan.steps.enumerated() where step.kind == .script {
            try look(at: step, index, "upgrades/\(step.path)", in: tree)
        }
        for (offset, step) in order.plan.downgrades.enumerated() {
            try look(at: step, order.plan.steps.count + offset, "downgrades/\(step.path)", in: tree)
        }
    }

    private mutating func look(
        at step: PlannedStep, _ index: Int, _ name: String, in tree: borrowing Directory
    ) throws(FileError) {
        let kind = ScriptName(step.path)?.kind ?? .sh
        if kind == .sql { return try look(atSQL: step, index, name, in: tree) }
        let interpreter = try Script.interpreter(of: tree.file(step.source), kind)
        guard access(interpreter[0], X_OK) != 0 else { return }
        faults.append(
            Fault(
                folder: order.plan.folder, .interpreter,
                "cannot run script \(name): its interpreter \(interpreter[0]) is not there; install it"))
    }

    private mutating func look(
        atSQL step: PlannedStep, _ index: Int, _ name: String, in tree: borrowing Directory
    ) throws(FileError) {
        guard let database else {
            if order.database == nil {
                faults.append(
                    Fault(
                        folder: order.plan.folder, .database,
                        """
                        cannot run script \(name): the folder has no database; name one in the endpoint's configuration, \
                        switch the patch \(step.patch) off, or exclude \(order.plan.folder)
                        """))
            }
            return
        }
        let bytes = try tree.readFile(step.source, limit: SQLScript.sizeLimit) ?? []
        do throws(SQLError) {
            let script = try SQLScript(bytes, name: name, dialect: database.sessions.dialect)
            statements[index] = script.statements.prefix(Self.shown).map(\.summary)
            faults += database.sessions.problems(of: script).map { $0.fault(folder: order.plan.folder) }
        } catch {
            faults.append(error.fault(folder: order.plan.folder))
        }
    }
}
