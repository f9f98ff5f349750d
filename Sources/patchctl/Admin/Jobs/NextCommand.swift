import PatchModel

/// What an admin may do next about a job.
enum NextCommand {
    /// Nil where nothing is to be done.
    static func after(_ job: Job) -> String? {
        switch job.state {
        case .waiting where job.isPaused: "patchctl approve \(job.job), or: patchctl cancel \(job.job)"
        case .pendingApproval: "patchctl show \(job.job), then: patchctl approve \(job.job)"
        case .failed where job.isHolding:
            "patchctl show \(job.job); when the cause is removed: patchctl resume \(job.job), or: patchctl rollback \(job.job)"
        case .failed: "patchctl show \(job.job)"
        case .running: "patchctl watch \(job.job)"
        default: nil
        }
    }
}
