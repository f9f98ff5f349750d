import PatchLedger
import PatchModel

extension FolderWork {
    /// Runs the hook `after`, when the folder is done. Its failure is recorded and fails nothing; one that was cut off
    /// runs again.
    public mutating func finish() throws(WorkerError) {
        guard state.outcome == .done, let index = order.plan.number(of: .after), !state.finished.contains(index)
        else { return }
        let step = order.plan.steps[index]
        do throws(WorkerError) {
            let run = try begin(index)
            try self.run(step.shell, step, index, run)
            trace.write(.finished, step: step.title)
            trace.sync()
            try record(.finished(steps: [index]))
        } catch {
            guard case .failed(_, _, let message) = error else { throw error }
            trace.write(.message, step: step.title, "failed, which changes nothing for the folder: \(message)")
            trace.sync()
            try record(.warned(step: index, message: message))
        }
    }
}

extension PlannedStep {
    /// A hook's command, as an endpoint's other commands are run.
    var shell: [String] { ["/bin/sh", "-c", command ?? ""] }
}
