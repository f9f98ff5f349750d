import PatchModel
import PatchStore

/// Who decides on a job that waits for approval, or in the pause after its canary.
extension JobStore {
    /// Records an approval; only then does it count.
    ///
    /// - Parameter planned: options that were given with it, and the plan for them; nil: what waits is approved as it is.
    /// - Returns: false when it is not one that waits for approval.
    func approve(
        _ number: Int, by approver: JobApproval.Approver, planned: PlannedOptions? = nil, request: String
    ) throws -> Bool {
        if jobs[number]?.request == request { return true }
        guard let job = jobs[number], job.state == .pendingApproval,
            let digest = planned?.digest ?? job.approval?.digest
        else { return false }
        try apply(
            .approve(
                JobApproval(digest: digest, by: approver), options: planned?.options, folders: planned?.folders,
                request: request), to: number)
        return true
    }

    /// Lets the others follow a job's canary before the pause is over.
    ///
    /// - Returns: false when it does not pause.
    func endPause(_ number: Int, by approver: JobApproval.Approver, request: String) throws -> Bool {
        if jobs[number]?.request == request { return true }
        guard jobs[number]?.isPaused == true else { return false }
        try apply(.endPause(by: approver, request: request), to: number)
        return true
    }

    /// Ends a job that waits for approval, or pauses.
    ///
    /// - Returns: false when it does neither.
    func decline(_ number: Int, by name: String, request: String) throws -> Bool {
        if jobs[number]?.request == request { return true }
        guard let job = jobs[number], job.state == .pendingApproval || job.isPaused else { return false }
        try apply(.decline(by: name, request: request, at: clocks.now), to: number)
        return true
    }
}
