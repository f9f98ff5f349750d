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
            let versions = Dictionary(endpoint.folders.map { ($0.name, $0.version) }) { first, _ in first }
            let tree = TreeShape(endpoint.folders.map { ($0.name, $0.parent) })
            rows.append([endpoint.name, "VERSION", "STATUS"])
            rows += tree.rows.map { row in
                [row.lead + row.name, (versions[row.name] ?? nil)?.description ?? "unknown", "not loaded yet"]
            }
        }
        Output.table(rows)
        Notes.line("the versions are the configuration's; the daemon has not loaded it yet")
    }
}
