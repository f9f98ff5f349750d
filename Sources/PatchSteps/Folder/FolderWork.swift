import PatchFiles
import PatchLedger
import PatchModel

/// One worker's work on one folder, a method a phase. It knows where it is from its ledger alone, so it can be killed and
/// started again at any instant.
public struct FolderWork: ~Copyable {
    let context: FolderContext

    /// Takes over what the daemon passes: the order, the checked tree, the ledger, and the trace.
    ///
    /// - Parameters:
    ///   - credentials: the path of the file with the credentials of the folder's database; nil for none.
    ///   - rehearseCredentials: the same for an account whose rights end at a copy.
    ///   - stopGrace: seconds that a script or statement gets to end when the worker is asked to stop.
    ///   - shouldStop: whether the worker was asked to stop; a file step is ended first.
    public init(
        order: WorkOrder, tree: consuming Directory, ledger: consuming File, trace: consuming File,
        credentials: String? = nil, rehearseCredentials: String? = nil, stopGrace: Double = 90,
        shouldStop: @escaping @Sendable () -> Bool
    ) throws(WorkerError) {
        context = try FolderContext(
            order: order, tree: tree, ledger: ledger, trace: trace, credentials: credentials,
            rehearseCredentials: rehearseCredentials, stopGrace: stopGrace, wasToldToStop: shouldStop)
    }

    /// Looks for what a plan has to know of the folder, and records it. Nothing is changed.
    public mutating func find() throws(WorkerError) { try FactsSearch(context: context).run() }

    /// Looks at the folder and records what was found; of a rollback: what keeps it from being undone.
    public mutating func survey() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in
            if context.order.undo.isEmpty {
                try FolderSurvey.run(context)
            } else {
                try UndoSurvey.run(context)
            }
        }
    }

    /// Opens the folder's database and records, as a survey does, what is in the way of using it. Nothing is changed.
    public mutating func examine() throws(WorkerError) { try FolderDatabase(context).examine() }

    /// Tries the scripts on copies and records what came out; what is live is only read. What an interrupted rehearsal left
    /// is removed first.
    public mutating func rehearse() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in try RehearsalRun.run(context) }
    }

    /// Removes what an interrupted rehearsal left.
    public mutating func tidy() throws(WorkerError) { try RehearsalRun.clear(context) }

    /// Brings all new content beside its place and makes it durable. Nothing live is touched. Done already: nothing
    /// happens; half done: starts again. A rollback has nothing to stage.
    public mutating func stage() throws(WorkerError) { try FolderStaging.run(context) }

    /// Switches the files and runs the scripts, patch by patch, from the step that it was at.
    public mutating func apply() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in try FolderApply.run(context) }
    }

    /// The same while applications work in the folder: it ends before the first file is switched, and where somebody is in
    /// the way, and records that they must leave.
    public mutating func tryOut() throws(WorkerError) {
        context.isTryout = true
        try apply()
    }

    /// Runs the hook `after`, when the folder is done. Its failure is recorded and fails nothing; one that was cut off
    /// runs again.
    public mutating func finish() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in try HookStep.finish(context) }
    }

    /// Undoes, in reverse order, what this job did in the folder, or what the jobs did that its order names. Goes on
    /// where an earlier run was cut off. What cannot be undone is refused before anything is touched.
    public mutating func revert() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in try FolderRevert(context: context).run() }
    }

    /// Compares what patchd installed with what is there now, and records the difference. Nothing is changed.
    public mutating func verify() throws(WorkerError) { try FolderVerification(context: context).run() }

    /// Removes what was kept for an undo of the job that the order names. Other jobs' slots and the lists of installed
    /// files stay.
    public mutating func forget() throws(WorkerError) {
        let order = context.order
        let missing = try working("forget job \(order.job) in folder \(order.plan.folder)") { () throws(FileError) in
            try WorkArea.forget(job: order.job, in: context.folder, order: order)
        }
        for mount in missing {
            context.trace.write(
                .message, "what was kept below \(order.plan.path)/\(mount) stays: nothing of this folder is there")
        }
        try context.record(.forgotten)
    }

    /// Shows the lock of the order in the database, or that there is none.
    public mutating func show() throws(WorkerError) { try FolderDatabase(context).show() }

    /// Takes the database as it is for the version that the order names.
    public mutating func baseline() throws(WorkerError) {
        try untilStopped { (context) throws(WorkerError) in try FolderDatabase(context).baseline() }
    }

    /// Records that the folder stopped. Called by the program, which caught the error.
    public mutating func recordFailure(step: Int?, _ code: FaultCode, _ message: String) throws(WorkerError) {
        let title = step.flatMap(context.order.plan.step)?.title ?? ""
        context.trace.write(.message, step: title, "failed (\(code.rawValue)): \(message)")
        try context.record(.failed(step: step, code: code, message: message))
    }

    /// Runs a phase to its end, or records that it was interrupted.
    private func untilStopped(_ body: (FolderContext) throws(WorkerError) -> Void) throws(WorkerError) {
        do throws(WorkerError) { try body(context) } catch {
            guard case .stopped = error else { throw error }
            context.trace.write(.message, "stopped; the rest is done when the worker is started again")
            // A folder that is done stays so, whatever became of its last hook.
            if context.state.outcome != .done { try context.record(.interrupted) }
        }
    }
}
