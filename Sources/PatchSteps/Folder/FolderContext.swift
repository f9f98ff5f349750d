import PatchFiles
import PatchLedger
import PatchModel

/// What all parts of a folder's work share: the folder, the order, the ledger with what it says so far, the trace.
final class FolderContext {
    let folder: Directory
    /// The checked tree.
    let tree: Directory
    let order: WorkOrder
    let trace: Trace
    /// The file with the credentials of the database that this worker was given; nil for none.
    let credentials: String?
    /// The same for an account whose rights end at the copy on which updates are rehearsed.
    let rehearseCredentials: String?
    private var ledger: Ledger
    /// When somebody was first asked to leave the folder's database; nil for never.
    var askedAt: Double?
    /// Whether applications work in the folder until ``yield(_:to:)``.
    var isTryout = false
    /// Set where this is a rehearsal in a copy: takes down how long everything took.
    var recorder: RehearsalRecorder?
    /// What programs are kept in; nil for nothing.
    var cage: Cage?
    /// Where the folder stands.
    var state: LedgerSummary { ledger.summary }
    /// Seconds that a script or statement gets to end by itself when the worker is asked to stop.
    let stopGrace: Double
    private let wasToldToStop: @Sendable () -> Bool
    private var stopDeadline: Double?

    convenience init(
        order: WorkOrder, tree: consuming Directory, ledger: consuming File, trace: consuming File,
        credentials: String?, rehearseCredentials: String? = nil, stopGrace: Double,
        wasToldToStop: @escaping @Sendable () -> Bool
    ) throws(WorkerError) {
        try self.init(
            order: order, tree: tree, ledger: ledger, trace: Trace(trace, order: order), credentials: credentials,
            rehearseCredentials: rehearseCredentials, stopGrace: stopGrace, wasToldToStop: wasToldToStop)
    }

    private init(
        order: WorkOrder, tree: consuming Directory, ledger file: consuming File, trace: Trace, credentials: String?,
        rehearseCredentials: String?, stopGrace: Double, wasToldToStop: @escaping @Sendable () -> Bool
    ) throws(WorkerError) {
        let ledger = try Self.open(file)
        let folder = try working("open folder \(order.plan.folder)") { () throws(FileError) in
            try Directory.openWithoutLinks(order.plan.path)
        }
        self.folder = folder
        self.tree = tree
        self.order = order
        self.trace = trace
        self.ledger = ledger
        self.credentials = credentials
        self.rehearseCredentials = rehearseCredentials
        self.stopGrace = stopGrace
        self.wasToldToStop = wasToldToStop
        // Those in the way have had some of their time already.
        askedAt = state.admittedAt.map { MonotonicClock.seconds - max(0, Timestamp.now.seconds(since: $0)) }
    }

    private static func open(_ file: consuming File) throws(WorkerError) -> Ledger {
        do throws(LedgerError) {
            return try Ledger(file)
        } catch {
            throw .ledger(error)
        }
    }

    /// The same work somewhere else, with a ledger of its own; what runs is ended as soon as the worker is to stop.
    func copied(
        with order: WorkOrder, ledger: consuming File, credentials: String?
    ) throws(WorkerError) -> FolderContext {
        let tree = try working("open the checked tree") { () throws(FileError) in try self.tree.duplicate() }
        return try FolderContext(
            order: order, tree: tree, ledger: ledger, trace: trace, credentials: credentials, rehearseCredentials: nil,
            stopGrace: 0, wasToldToStop: wasToldToStop)
    }

    /// `payroll/SEED`, for messages.
    var target: String { "\(order.endpoint)/\(order.plan.folder)" }

    /// Appends a record, durably.
    func record(_ record: LedgerRecord) throws(WorkerError) {
        do throws(LedgerError) {
            try ledger.append(record)
        } catch {
            throw .ledger(error)
        }
    }

    // MARK: Being asked to stop

    /// Ends the work before the next step when the worker was asked to stop.
    func stopIfTold() throws(WorkerError) {
        if wasToldToStop() { throw .stopped }
    }

    /// Whether the worker was asked to stop.
    func isToldToStop() -> Bool { wasToldToStop() }

    /// Whether a script or statement that still runs is to be ended: the worker was asked to stop ``stopGrace`` ago.
    func isStopOverdue() -> Bool {
        guard wasToldToStop() else { return false }
        let deadline = stopDeadline ?? MonotonicClock.seconds + stopGrace
        stopDeadline = deadline
        return MonotonicClock.seconds >= deadline
    }

    /// Ends the work where applications work in the folder and must leave before it is gone on with.
    func yield(_ step: Int?, to blockers: [Blocker] = []) throws(WorkerError) {
        guard isTryout, state.admittedAt == nil else { return }
        let why =
            blockers.isEmpty
            ? "files are switched next" : "in the way: " + blockers.map(\.description).joined(separator: ", ")
        trace.write(
            .message, step: step.flatMap(order.plan.step)?.title ?? "", "applications must leave the folder: \(why)")
        try record(.yielded(step: step, by: blockers))
        throw .stopped
    }

    // MARK: Slots

    /// The slots of a job in this folder.
    func areas(ofJob job: Int) throws(WorkerError) -> WorkAreas {
        try working("open \(folder.path)/\(WorkArea.name)") { () throws(FileError) in
            try WorkAreas(folder, order: order, job: job)
        }
    }

    /// The area of a mount as staging made it.
    func area(of slot: StepSlot, in areas: WorkAreas, _ step: PlannedStep) throws(WorkerError) -> WorkArea {
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

    func resolver() throws(WorkerError) -> PathResolver {
        try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try PathResolver(folder, order: order)
        }
    }

    func installedFiles() throws(WorkerError) -> InstalledFiles {
        try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try InstalledFiles(folder, order: order)
        }
    }

    /// Where a step's path leads.
    func resolve(
        _ step: PlannedStep, _ index: Int, with resolver: PathResolver
    ) throws(WorkerError) -> PathResolver.Resolved {
        do throws(PathResolver.Failure) {
            return try resolver.resolve(step)
        } catch {
            switch error {
            case .link(let why): throw .failed(step: index, .ownership, "cannot write \"\(step.path)\": \(why)")
            case .file(let error): throw WorkerError(error, "look at \"\(step.path)\"", step: index)
            }
        }
    }
}
