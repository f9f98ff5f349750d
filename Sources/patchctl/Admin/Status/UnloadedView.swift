import PatchModel

/// The folders of a configuration that the daemon has not loaded yet.
struct UnloadedView {
    let endpoints: [Endpoint]

    init(_ configuration: Configuration, target: String?) throws {
        func names(_ endpoint: Endpoint) -> [String] {
            [endpoint.name] + endpoint.folders.flatMap { [$0.name, "\(endpoint.name)/\($0.name)"] }
        }
        endpoints = configuration.endpoints.filter { endpoint in target.map(names(endpoint).contains) ?? true }
        if let target, endpoints.isEmpty {
            let hint = Suggestion.hint(for: target, in: configuration.endpoints.flatMap(names))
            throw Failure("there is no folder \"\(target)\"\(hint)")
        }
    }

    func print() {
        var rows: [[String]] = []
        for endpoint in endpoints {
            rows.append([endpoint.name, "VERSION", "STATUS"])
            let states = endpoint.folders.map { folder in
                FolderState(
                    endpoint: endpoint.name, folder: folder.name, version: folder.version, path: folder.path, owner: "",
                    at: .now)
            }
            let parents = Dictionary(endpoint.folders.map { ($0.name, $0.parent) }) { first, _ in first }
            let folders = TreeOrder(endpoint).sorted(states).map { state in
                StatusReport.Folder(
                    state: state, parent: parents[state.folder] ?? nil,
                    cause: FolderCause(state, jobs: [], parent: nil, isGone: false))
            }
            rows += TreeView(folders: folders).rows.map { Array($0.cells.prefix(2)) + ["not loaded yet"] }
        }
        Output.table(rows)
        Notes.line("the versions are the configuration's; the daemon has not loaded it yet")
    }
}
