import PatchLedger
import PatchModel

/// Runs each script of a rehearsal again when all have run, so that nothing of the first run is affected. Only an error shows
/// that a script cannot run twice: that it does harm silently is not seen.
struct SecondRun {
    let context: FolderContext

    func failures() throws(WorkerError) -> [FolderRehearsal.Failure] {
        let order = context.order
        let areas = try context.areas(ofJob: order.job)
        let database = FolderDatabase(context)
        var failures: [FolderRehearsal.Failure] = []
        for (index, step) in order.plan.steps.enumerated() where step.kind == .script {
            guard let own = step.step(index) as? any RunStep, let key = order.key(of: step) else { continue }
            try context.stopIfTold()
            // Another name, so that no record says that it ran.
            let again = StepKey(update: key.update, patch: key.patch, script: "again/\(key.script)")
            let run = StepRun(
                context: context, database: database, step: step, index: index, title: "again: \(step.title)",
                attempt: 1,
                isAgain: false, from: order.plan.scriptsFrom ?? order.plan.from, to: order.plan.to, key: again)
            do throws(WorkerError) {
                try own.apply(run, context.state.slots[index], in: areas)
            } catch {
                guard case .failed(_, let code, let message) = error else { throw error }
                failures.append(.init(script: step.rehearsalName, code: code, message: message))
            }
        }
        return failures
    }
}
