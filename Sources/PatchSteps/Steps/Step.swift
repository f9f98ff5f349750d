import PatchFiles
import PatchModel

/// A step of a plan. Each kind is a type that has what it does in every phase side by side; each call is safe to repeat,
/// because a worker may be killed at any instant.
protocol Step {
    /// The step's number in the plan.
    var index: Int { get }
    var planned: PlannedStep { get }

    /// Looks before anything is touched: what is in the way, and whether the effect is there already. Changes nothing.
    func survey(_ survey: FolderSurvey) throws(FileError)

    /// Brings what the step needs beside its place. Nothing live is touched.
    func stage(_ staging: FolderStaging) throws(WorkerError)
}

/// A step whose effect is one file or directory that changes places with its slot.
protocol SwapStep: Step {
    /// Looks right before the switch, under the lock, at what an application or the admin may have changed since staging,
    /// and notes it in the swap: an undo has to know its original exactly.
    ///
    /// - Parameter place: where the step's path leads.
    func renew(_ swap: inout FileSwap, at place: String, in apply: FolderApply) throws(WorkerError)

    /// Whether the switch was done. What is live says less, because a later step of the plan may have replaced it.
    func isDone(_ swap: FileSwap) throws(FileError) -> Bool

    /// Switches.
    func apply(_ swap: FileSwap) throws(FileError)

    /// Brings back what was there.
    func undo(_ swap: FileSwap) throws(FileError) -> FileSwap.Undone

    /// Whether ``undo(_:)`` would succeed. Changes nothing.
    ///
    /// - Parameter isNewest: whether no newer step that is undone before has switched the same place.
    func undoOutlook(_ swap: FileSwap, isNewest: Bool) throws(FileError) -> FileSwap.UndoOutlook

    /// What the list of installed files is to say of the place; nil for nothing.
    var installed: InstalledFiles.Entry? { get }
}

extension SwapStep {
    /// Its new file lies no longer in the slot.
    func isDone(_ swap: FileSwap) throws(FileError) -> Bool { try swap.kept()?.inode != swap.slot.inode }
}

/// A step that is run at its place among the others and leaves no original behind. Whether it was done, the ledger says;
/// of SQL and rows the database says it too.
protocol RunStep: Step {
    /// Runs it to a good end.
    ///
    /// - Parameter slot: nil for a kind that stages nothing.
    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError)
}

extension PlannedStep {
    /// The step as what its kind does.
    func step(_ index: Int) -> any Step {
        switch kind {
        case .directory: DirectoryStep(index: index, planned: self)
        case .file: FileStep(index: index, planned: self)
        case .remove: RemoveStep(index: index, planned: self)
        case .registry: RegistryStep(index: index, planned: self)
        case .script where scriptKind == .sql: SQLStep(index: index, planned: self)
        case .script: ScriptStep(index: index, planned: self)
        case .rows: RowsStep(index: index, planned: self)
        case .upload: UploadStep(index: index, planned: self)
        case .handler: HandlerStep(index: index, planned: self)
        case .hook: HookStep(index: index, planned: self)
        }
    }

    /// The SHA-256 of what it brings. The plan is made without a hash, so that of a text in the plan is computed here.
    var sum: String { registry.map { SHA256.hash(of: Array($0.text.utf8)) } ?? sha256 }
}
