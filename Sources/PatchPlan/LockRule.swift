public import PatchModel

/// Which folders of an endpoint are locked, and why (contract §8).
public struct LockRule {
    private let endpoint: Endpoint
    private let folders: [String: FolderJob.State]
    private let behind: Set<String>
    private let isLocked: Bool
    private let keepsDone: Bool

    /// The rule for one moment.
    ///
    /// - Parameters:
    ///   - folders: the folder states of the job that runs, or that failed and holds; empty for none.
    ///   - isLocked: whether the job has come to its locks; before that nothing is locked for it.
    ///   - behind: folders below an ancestor that a job has raised.
    ///   - keepsDone: whether what is done may yet be undone. Until that is settled nobody may work in the folder: they
    ///     would be in the way of the revert, and what they wrote to the database would be lost.
    public init(
        endpoint: Endpoint, folders: [String: FolderJob.State], isLocked: Bool, behind: Set<String>,
        keepsDone: Bool = false
    ) {
        self.keepsDone = keepsDone
        self.endpoint = endpoint
        self.folders = folders
        self.isLocked = isLocked
        self.behind = behind
    }

    /// The phase of every locked folder; all others are unlocked.
    public func phases() -> [String: UpdateLock.Phase] {
        var phases: [String: UpdateLock.Phase] = [:]
        // Parents come first, so an ancestor's lock is known before its descendants.
        for folder in endpoint.activeFolders {
            let above = folder.parent.flatMap { phases[$0] }
            phases[folder.name] = phase(of: folder.name, above: above)
        }
        return phases
    }

    private func phase(of folder: String, above: UpdateLock.Phase?) -> UpdateLock.Phase? {
        let state = isLocked ? folders[folder] : nil
        switch state {
        case .done where keepsDone: return .updating
        case .pending, .running: return .updating
        case .failed: return .failed
        case .blocked: return .blocked
        case .done, .upToDate, .excluded, .reverted, nil:
            switch above {
            case .updating, .disconnect, .announced, .reverting: return .updating
            case .failed, .blocked: return .blocked
            case .behind: return .behind
            case nil: return behind.contains(folder) ? .behind : nil
            }
        }
    }
}
