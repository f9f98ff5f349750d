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
    ///   - running: the one that runs, or that failed and holds; nil for none.
    ///   - phase: what folders show that are being updated or about to be.
    ///   - holding: another job, which failed and holds folders that this one does not touch.
    ///   - isEnding: whether nothing of the running one will be taken back any more.
    func wanted(
        for running: Job?, updating phase: UpdateLock.Phase = .updating, holding: Job? = nil, isEnding: Bool = false
    ) throws(StoreError) -> [String: UpdateLock] {
        let current = try states.all()
        let job = running.map { Self.merge($0, holding) } ?? holding
        let deadline: Timestamp? =
            switch phase {
            case .announced: job?.announcedAt?.adding(seconds: endpoint.leadTime)
            case .disconnect: job?.disconnectedAt?.adding(seconds: endpoint.grace)
            default: nil
            }
        let since = job?.announcedAt ?? job?.disconnectedAt ?? job?.startedAt
        let mayGoBack =
            endpoint.onFailure == .revertAll && !isEnding
            && running.map { $0.operation == .apply && !$0.state.isFinal } ?? false
        let rule = LockRule(
            endpoint: endpoint, folders: job?.folders.mapValues(\.state) ?? [:], isLocked: job != nil,
            behind: try states.behind(), keepsDone: mayGoBack)
        var wanted: [String: UpdateLock] = [:]
        for (folder, found) in rule.phases() {
            let state = current[folder]
            let reason = job?.folders[folder]?.message ?? state?.message ?? ""
            wanted[folder] = UpdateLock(
                endpoint: endpoint.name, folder: folder,
                phase: found == .updating ? (state?.status == .reverting ? .reverting : phase) : found,
                update: job?.update ?? state?.update ?? "", from: state?.version,
                to: job?.version ?? state?.recommendedVersion ?? state?.version,
                job: job?.job ?? state?.job ?? 0, since: since ?? state?.updatedAt ?? .now,
                deadline: found == .updating ? deadline : nil,
                message: found == .behind ? "it is below its reference folder's version" : reason)
        }
        return wanted
    }

    /// What the folders should have while none of an endpoint's jobs is at work: those of one that waits or holds, and of
    /// folders that are behind.
    ///
    /// - Parameters:
    ///   - unfinished: ``JobStore/unfinished(_:)``.
    ///   - holding: ``JobStore/holding(_:)``.
    func standing(for unfinished: Job?, holding: Job?) throws(StoreError) -> [String: UpdateLock] {
        var phase = UpdateLock.Phase.updating
        if let job = unfinished {
            phase = job.hasBegun ? job.lockPhase : job.disconnectedAt == nil ? .announced : .disconnect
        }
        return try wanted(
            for: unfinished, updating: phase, holding: holding?.job == unfinished?.job ? nil : holding)
    }

    /// A job as if it held what another holds.
    private static func merge(_ job: Job, _ holding: Job?) -> Job {
        var merged = job
        for (name, folder) in holding?.folders ?? [:] where [.failed, .blocked].contains(folder.state) {
            if [.pending, .running, .done, .failed, .blocked].contains(job.folders[name]?.state) { continue }
            merged.folders[name] = folder
        }
        return merged
    }
}
