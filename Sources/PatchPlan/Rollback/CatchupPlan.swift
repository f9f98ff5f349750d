public import PatchModel

/// Which updates a folder has missed that its reference folder has (contract §7, `catchup`), from states and histories
/// alone.
public struct CatchupPlan: Sendable {
    private let endpoint: Endpoint
    private let states: [String: FolderState]

    /// A plan for one endpoint.
    ///
    /// - Parameter states: by folder.
    public init(endpoint: Endpoint, states: [String: FolderState]) {
        self.endpoint = endpoint
        self.states = states
    }

    /// The jobs to replay in a folder, oldest first; empty where it has missed nothing.
    ///
    /// - Parameter history: of the folder's reference folder (``source(for:)``), oldest first.
    /// - Throws: ``Fault`` as ``source(for:)``.
    public func jobs(for folder: String, history: [HistoryEntry]) throws(Fault) -> [Int] {
        _ = try source(for: folder)
        let version = states[folder]?.version
        let brought = Dictionary(
            history.filter { $0.operation == .apply && $0.state == .done }.map { ($0.job, $0.to) }
        ) { $1 }
        // The version alone says what it lacks: an admin may have said that it does not have what a job once brought.
        return RollbackPlan.layers(history).map(\.job).filter { job in
            guard let version, let to = brought[job] ?? nil else { return true }
            return version < to
        }
    }

    /// The reference folder, whose history says what was missed.
    ///
    /// - Throws: ``Fault`` `missing` where the folder has none, and `dependency` where one above it has to catch up first
    ///   or is in the middle of a job: what it has missed itself would not show.
    public func source(for folder: String) throws(Fault) -> String {
        guard endpoint.activeFolders.contains(where: { $0.name == folder }) else {
            throw Fault(folder: folder, .missing, "no active folder of \(endpoint.name) is called \(folder)")
        }
        let above = endpoint.ancestors(of: folder)
        guard let parent = above.first else {
            throw Fault(folder: folder, .missing, "the root folder has no reference folder to catch up with")
        }
        // The topmost one first: the others follow it.
        for name in above.reversed() {
            guard let state = states[name] else { continue }
            let place = "\(endpoint.name)/\(name)"
            if state.behind {
                throw Fault(
                    folder: folder, .dependency,
                    "\(name), above it, is behind itself; first run: patchctl catchup \(place), then: patchctl catchup "
                        + "\(endpoint.name)/\(folder)")
            }
            if [.failed, .updating, .reverting].contains(state.status) {
                throw Fault(
                    folder: folder, .dependency,
                    "\(name), above it, is \(state.status.rawValue) (job \(state.job)); when that has ended, run: patchctl "
                        + "catchup \(endpoint.name)/\(folder)")
            }
        }
        return parent
    }
}
