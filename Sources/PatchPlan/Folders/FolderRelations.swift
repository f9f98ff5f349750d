public import PatchModel

/// How an endpoint's folders stand to each other, from their states alone.
public struct FolderRelations: Sendable {
    private let endpoint: Endpoint
    private let states: [String: FolderState]

    /// - Parameter states: by folder.
    public init(endpoint: Endpoint, states: [String: FolderState]) {
        self.endpoint = endpoint
        self.states = states
    }

    /// Active folders below an ancestor that a job has updated above them.
    public var behind: Set<String> {
        Set(
            endpoint.activeFolders.map(\.name).filter { name in
                endpoint.ancestors(of: name).contains { ancestor in
                    // After a rollback of its only job the version is the configured one again, which updated nobody.
                    guard let above = states[ancestor], !above.update.isEmpty, let version = above.version else {
                        return false
                    }
                    guard let own = states[name]?.version else { return true }
                    return own < version
                }
            })
    }

    /// Test folders that a job has updated above an ancestor: they run programs that the others do not have yet, until
    /// everything above them has caught up or they were rolled back.
    public var diverged: Set<String> {
        Set(
            endpoint.activeFolders.filter { $0.role == .test }.map(\.name).filter { name in
                guard let own = states[name], !own.update.isEmpty, let version = own.version else { return false }
                return endpoint.ancestors(of: name).contains { ancestor in
                    states[ancestor]?.version.map { $0 < version } ?? false
                }
            })
    }
}
