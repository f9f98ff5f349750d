import PatchModel
import PatchPlan
import PatchStore

/// The locks that an endpoint's folders should have now.
struct EndpointLocks {
    let endpoint: Endpoint
    let states: FolderStates

    /// By folder.
    ///
    /// - Parameters:
    ///   - job: the one that runs, or that failed and holds; nil for none.
    ///   - phase: what folders show that are being updated or about to be.
    func wanted(for job: Job?, updating phase: UpdateLock.Phase = .updating) throws(StoreError) -> [String: UpdateLock]
    {
        let current = try states.all()
        let deadline: Timestamp? =
            switch phase {
            case .announced: job?.announcedAt?.adding(seconds: endpoint.leadTime)
            case .disconnect: job?.disconnectedAt?.adding(seconds: endpoint.grace)
            default: nil
            }
        let since = job?.announcedAt ?? job?.disconnectedAt ?? job?.startedAt
        let rule = LockRule(
            endpoint: endpoint, folders: job?.folders.mapValues(\.state) ?? [:], isLocked: job != nil,
            behind: try states.behind())
        var wanted: [String: UpdateLock] = [:]
        for (folder, found) in rule.phases() {
            let state = current[folder]
            let reason = job?.folders[folder]?.message ?? state?.message ?? ""
            wanted[folder] = UpdateLock(
                endpoint: endpoint.name, folder: folder, phase: found == .updating ? phase : found,
                update: job?.update ?? state?.update ?? "", from: state?.version,
                to: job?.version ?? state?.recommendedVersion ?? state?.version,
                job: job?.job ?? state?.job ?? 0, since: since ?? state?.updatedAt ?? .now,
                deadline: found == .updating ? deadline : nil,
                message: found == .behind ? "it is below its reference folder's version" : reason)
        }
        return wanted
    }
}
