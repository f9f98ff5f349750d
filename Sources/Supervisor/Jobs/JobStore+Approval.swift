import PatchModel
import PatchStore

/// Who decides on a job that waits for approval.
extension JobStore {
    /// Records an approval; only then does it count.
    ///
    /// - Parameter planned: options that were given with it, and the plan for them; nil: what waits is approved as it is.
    /// - Returns: false when it is not one that waits for approval.
    func approve(
        _ number: Int, by approver: JobApproval.Approver, planned: PlannedOptions? = nil, request: String
    ) throws(StoreError) -> Bool {
        if jobs[number]?.request == request { return true }
        guard let job = jobs[number], job.state == .pendingApproval,
            let digest = planned?.digest ?? job.approval?.digest
        else { return false }
        try change(number) { job in
            if let planned {
                job.options = planned.options
                job.folders = planned.folders
            }
            job.approval = JobApproval(digest: digest, by: approver)
            job.state = .queued
            job.message = ""
            job.request = request
        }
        return true
    }

    /// Ends a job that waits for approval.
    ///
    /// - Returns: false when it is none.
    func decline(_ number: Int, by name: String, request: String) throws(StoreError) -> Bool {
        if jobs[number]?.request == request { return true }
        guard jobs[number]?.state == .pendingApproval else { return false }
        try change(number) { job in
            job.state = .declined
            job.message = "declined by \(name)"
            job.request = request
            job.finishedAt = .now
        }
        return true
    }
}
