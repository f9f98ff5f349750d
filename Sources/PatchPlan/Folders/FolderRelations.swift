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
        var behind: Set<String> = []
        // By folder, the highest version that a job gave it or one above it. Parents come first.
        var above: [String: Version] = [:]
        for folder in endpoint.activeFolders {
            let state = states[folder.name]
            let inherited = folder.parent.flatMap { above[$0] }
            if let inherited, state?.version.map({ $0 < inherited }) ?? true { behind.insert(folder.name) }
            // After a rollback of its only job the version is the configured one again, which updated nobody.
            let own = state?.update.isEmpty == false ? state?.version : nil
            above[folder.name] = [inherited, own].compactMap(\.self).max()
        }
        return behind
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
