import PatchModel
import PatchStore

/// The folders that an argument means.
struct Target {
    let text: String?

    init(_ text: String?) { self.text = text }

    /// From the state alone, so that no configuration has to be readable.
    func folders(_ directories: Directories) throws -> [FolderState] {
        try folders(among: Self.all(directories))
    }

    private static func all(_ directories: Directories) throws -> [FolderState] {
        try directories.reading {
            var found: [FolderState] = []
            guard try directories.hasState else { return found }
            for endpoint in try directories.state.endpoints() {
                found += try directories.state.folders(of: endpoint).values.sorted { $0.folder < $1.folder }
            }
            return found
        }
    }

    /// The same, of states that were read already.
    func folders(among all: [FolderState]) throws -> [FolderState] {
        guard let text else { return all }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var found: [FolderState] = []
        if parts.count == 1 {
            found = all.filter { $0.endpoint == text }
            if found.isEmpty { found = all.filter { $0.folder == text } }
        } else if parts.count == 2 {
            found = all.filter { $0.endpoint == parts[0] && $0.folder == parts[1] }
        }
        guard !found.isEmpty else {
            let names = all.flatMap { [$0.endpoint, $0.folder, "\($0.endpoint)/\($0.folder)"] }
            throw Failure("there is no folder \"\(text)\"\(Suggestion.hint(for: text, in: names))")
        }
        return found
    }
}
