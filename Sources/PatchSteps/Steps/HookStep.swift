import PatchLedger
import PatchModel

/// Runs a command of the admin's around the folder's update.
struct HookStep: RunStep {
    let index: Int
    let planned: PlannedStep

    func survey(_ survey: FolderSurvey) {}

    func stage(_ staging: FolderStaging) {}

    /// As an endpoint's other commands are run.
    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) {
        try run.run(["/bin/sh", "-c", planned.command ?? ""])
    }

    /// Runs the hook `after`, when the folder is done. Its failure is recorded and fails nothing; one that was cut off runs
    /// again.
    static func finish(_ context: FolderContext) throws(WorkerError) {
        let plan = context.order.plan
        guard context.state.outcome == .done, let index = plan.number(of: .after),
            !context.state.finished.contains(index)
        else { return }
        let hook = HookStep(index: index, planned: plan.steps[index])
        let areas = try context.areas(ofJob: context.order.job)
        do throws(WorkerError) {
            try StepRunner(context: context, database: FolderDatabase(context)).run(
                hook, in: areas, isLast: true)
        } catch {
            guard case .failed(_, _, let message) = error else { throw error }
            context.trace.write(
                .message, step: hook.planned.title, "failed, which changes nothing for the folder: \(message)")
            context.trace.sync()
            try context.record(.warned(step: index, message: message))
        }
    }
}
