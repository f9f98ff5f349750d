import PatchModel

/// A status on paper.
struct StatusView {
    let report: StatusReport
    let configuration: String

    init(_ report: StatusReport, configuration: String) {
        self.report = report
        self.configuration = configuration
    }

    func print() {
        if report.endpoints.isEmpty { Notes.line("nothing is known yet: the daemon has not loaded an endpoint") }
        var rows: [Table.Row] = []
        for endpoint in report.endpoints {
            rows.append(Table.Row([endpoint.endpoint, "VERSION", "STATUS", "SINCE", "REASON"]))
            rows += TreeView(folders: endpoint.folders).rows
        }
        Output.table(rows)
        printHolds()
        printJobs()
        printConfiguration()
    }

    private func printHolds() {
        guard !report.holds.isEmpty else { return }
        Output.line("")
        Output.table([HoldTable.head] + report.holds.map { HoldTable.row($0) })
    }

    private func printJobs() {
        guard !report.jobs.isEmpty else { return }
        Output.line("")
        Output.table([Table.Row(JobTable.head)] + report.jobs.map(JobTable.row))
    }

    private func printConfiguration() {
        if let refused = report.configuration.refused {
            Output.line("")
            Output.line(
                "the configuration in \(configuration) is refused; patchd goes on with the one it has. See: patchctl config check",
                .red)
            Output.text(refused)
        } else if !report.configuration.readable, !report.endpoints.isEmpty {
            Notes.line(
                "this user may not read the configuration in \(configuration), so the folders are shown as a list")
        }
    }
}

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
