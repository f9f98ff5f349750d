import PatchFiles
import PatchLedger
import PatchModel

/// One worker's work on one folder. It knows where it is from its ledger alone, so it can be killed and started again
/// at any instant.
public struct FolderWork: ~Copyable {
    let folder: Directory
    let tree: Directory
    let order: WorkOrder
    let trace: Trace
    /// Whether somebody asked to stop after the current step.
    let shouldStop: @Sendable () -> Bool
    /// When somebody was first asked to leave the database: all have one grace, whatever step they are in the way of.
    var askedAt: Double?
    private(set) var state: LedgerSummary
    private var ledger: Ledger

    /// Takes over what the daemon passes: the checked tree, the ledger with its order, and the trace.
    public init(
        tree: consuming Directory, ledger file: consuming File, trace: consuming File,
        shouldStop: @escaping @Sendable () -> Bool
    ) throws(WorkerError) {
        let ledger = try Self.open(file)
        let state = LedgerSummary(ledger.records)
        guard let order = state.order else {
            throw .failed(step: nil, .io, "cannot start: the ledger has no order")
        }
        let folder = try working("open folder \(order.plan.folder)") { () throws(FileError) in
            try Directory.openWithoutLinks(order.plan.path)
        }
        self.ledger = ledger
        self.state = state
        self.order = order
        self.tree = tree
        self.folder = folder
        self.trace = Trace(trace, order: order)
        self.shouldStop = shouldStop
    }

    private static func open(_ file: consuming File) throws(WorkerError) -> Ledger {
        do throws(LedgerError) {
            return try Ledger(file)
        } catch {
            throw .ledger(error)
        }
    }

    /// Looks at the folder and records what was found; of a rollback: what keeps it from being undone.
    public mutating func survey() throws(WorkerError) {
        guard order.undo.isEmpty else {
            let found = try surveyUndo()
            let database = try surveyDatabase()
            return try record(
                .surveyed(
                    faults: found.faults + database.faults, warnings: found.warnings + database.warnings, equal: []))
        }
        let found = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try Survey(folder, tree: tree, order: order)
        }
        let scripts = try working("look at the scripts for \(order.plan.folder)") { () throws(FileError) in
            try ScriptSurvey(folder, tree: tree, order: order)
        }
        if !scripts.statements.isEmpty { try record(.read(statements: scripts.statements)) }
        let database = scripts.faults.isEmpty ? try surveyDatabase() : ([], [], [])
        try record(
            .surveyed(
                faults: found.faults + scripts.faults + database.0, warnings: found.warnings + database.1,
                equal: found.equal + database.2))
    }

    /// The slots of a job in this folder.
    func areas(ofJob job: Int) throws(WorkerError) -> WorkAreas {
        try working("open \(folder.path)/\(WorkArea.name)") { () throws(FileError) in
            try WorkAreas(folder, order: order, job: job)
        }
    }

    /// The area of a mount as staging made it.
    func area(
        of slot: StepSlot, in areas: WorkAreas, _ step: PlannedStep
    ) throws(WorkerError) -> WorkArea {
        let place = slot.mount.isEmpty ? folder.path : folder.path + "/" + slot.mount
        let area = try working("open \(place)/\(WorkArea.name)", step: slot.step) { () throws(FileError) in
            try areas.existing(slot.mount)
        }
        guard let area else {
            throw .failed(
                step: slot.step, .io,
                """
                cannot reach what was staged for "\(step.path)": \(place)/\(WorkArea.name) is not there or not this \
                folder's; mount what belongs at \(place), then resume the job
                """)
        }
        return area
    }

    /// Records that the folder stopped. Called by whoever caught the error.
    public mutating func recordFailure(step: Int?, _ code: FaultCode, _ message: String) throws(WorkerError) {
        let title = step.flatMap(order.plan.step)?.title ?? ""
        trace.write(.message, step: title, "failed (\(code.rawValue)): \(message)")
        try record(.failed(step: step, code: code, message: message))
    }

    /// Appends a record, durably.
    mutating func record(_ record: LedgerRecord) throws(WorkerError) {
        do throws(LedgerError) {
            try ledger.append(record)
        } catch {
            throw .ledger(error)
        }
        state.note(record)
    }
}
