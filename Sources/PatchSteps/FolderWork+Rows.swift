import PatchFiles
import PatchModel

extension FolderWork {
    /// Loads the rows of a staged CSV file into a table of the folder's database. No plan with rows gets here as long as
    /// `Planner` has a fault for them.
    func load(_ step: PlannedStep, _ slot: StepSlot, in area: WorkArea, _ run: ScriptRun) throws(WorkerError) {
        throw .failed(
            step: slot.step, .database,
            """
            cannot load \(step.title) from \(step.source): this version of patchd reaches no database; apply the update \
            with one that does
            """)
    }
}
