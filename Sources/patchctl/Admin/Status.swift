import ArgumentParser
import PatchConfig
import PatchModel
import PatchStore

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the folders, their versions, and what is going on.")

    @Argument(help: "ENDPOINT or ENDPOINT/FOLDER; default: all.")
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        // The tree's shape stands in the configuration only, which not everybody may read.
        let configuration = try? directories.configuration()
        // Before the daemon's first start there is no state; then the configuration alone is shown.
        let isNew = try !directories.hasState
        if isNew, !json, let configuration { return try printUnloaded(configuration) }
        let states = try Target(target).folders(directories)
        let endpoints = Dictionary(grouping: states, by: \.endpoint).sorted { $0.key < $1.key }.map { name, states in
            StatusReport.Endpoint(
                endpoint: name,
                folders: ordered(states, configuration?.endpoints.first { $0.name == name }))
        }
        var jobs: [Job] = []
        var hint: String?
        do {
            jobs = try directories.readableJobs()
        } catch let error as StoreError {
            guard error.isPermission else { throw Failure(error.description) }
            hint = "jobs are shown to members of group patchd only: \"adduser USER patchd\""
        }
        let report = StatusReport(
            configuration: try StatusReport.configuration(directories), units: try StatusReport.units(directories),
            endpoints: endpoints, jobs: shown(jobs, endpoints: Set(endpoints.map(\.endpoint))))
        if json {
            try Output.json(report)
        } else {
            print(report)
        }
        if configuration == nil, !endpoints.isEmpty {
            Notes.write(
                "the configuration in \(directories.configDir) cannot be used here, so the folders are shown as a list")
        }
        if let hint { Notes.write(hint) }
    }

    /// Parents before their children, siblings in the configuration's order.
    private func ordered(_ states: [FolderState], _ endpoint: Endpoint?) -> [StatusReport.Folder] {
        guard let endpoint else { return states.map { StatusReport.Folder(state: $0, parent: nil) } }
        let parents = Dictionary(endpoint.folders.map { ($0.name, $0.parent) }) { first, _ in first }
        let order = Dictionary(
            ([endpoint.folders.first { $0.parent == nil }?.name].compactMap { $0 } + descendants(in: endpoint))
                .enumerated().map { ($1, $0) }
        ) { first, _ in first }
        return states.sorted { (order[$0.folder] ?? .max, $0.folder) < (order[$1.folder] ?? .max, $1.folder) }
            .map { state in
                StatusReport.Folder(
                    state: state, parent: parents[state.folder] ?? nil,
                    isInactive: !endpoint.activeFolders.contains { $0.name == state.folder })
            }
    }

    private func descendants(in endpoint: Endpoint) -> [String] {
        endpoint.folders.first { $0.parent == nil }.map { endpoint.descendants(of: $0.name) } ?? []
    }

    /// The unfinished ones, and for each endpoint the last failed one until a later success.
    private func shown(_ jobs: [Job], endpoints: Set<String>) -> [Job] {
        let meant = jobs.filter { target == nil || endpoints.contains($0.endpoint) }
        var failed: Set<Int> = []
        for own in Dictionary(grouping: meant, by: \.endpoint).values {
            guard let failure = own.last(where: { $0.state == .failed }) else { continue }
            if !own.contains(where: { $0.job > failure.job && $0.state == .done }) { failed.insert(failure.job) }
        }
        return meant.filter { !$0.state.isFinal || failed.contains($0.job) }
    }

    private func printUnloaded(_ configuration: Configuration) throws {
        var rows: [[String]] = []
        func names(_ endpoint: Endpoint) -> [String] {
            [endpoint.name] + endpoint.folders.flatMap { [$0.name, "\(endpoint.name)/\($0.name)"] }
        }
        let endpoints = configuration.endpoints.filter { endpoint in target.map(names(endpoint).contains) ?? true }
        if let target, endpoints.isEmpty {
            let hint = Suggestion.hint(for: target, in: configuration.endpoints.flatMap(names))
            throw Failure("there is no folder \"\(target)\"\(hint)")
        }
        for endpoint in endpoints {
            rows.append([endpoint.name, "VERSION", "STATUS"])
            let states = endpoint.folders.map { folder in
                FolderState(
                    endpoint: endpoint.name, folder: folder.name, version: folder.version, path: folder.path, owner: "",
                    at: .now)
            }
            rows += TreeView(folders: ordered(states, endpoint)).rows.map { Array($0.prefix(2)) + ["not loaded yet"] }
        }
        Output.table(rows)
        Notes.write("the versions are the configuration's; the daemon has not loaded it yet")
    }

    private func print(_ report: StatusReport) {
        if report.endpoints.isEmpty { Notes.write("nothing is known yet: the daemon has not loaded an endpoint") }
        var rows: [[String]] = []
        for endpoint in report.endpoints {
            rows.append([endpoint.endpoint, "VERSION", "STATUS", "LAST CHANGE", "MESSAGE"])
            rows += TreeView(folders: endpoint.folders).rows
        }
        Output.table(rows)
        printTrouble(report)
        guard !report.jobs.isEmpty else { return }
        Output.write("")
        Output.table([JobRow.head] + report.jobs.map(JobRow.row))
        for job in report.jobs where job.state == .failed { Notes.write("see: patchctl show \(job.job)") }
    }
}

/// `status --json`.
struct StatusReport: Encodable {
    struct Endpoint: Encodable {
        var endpoint: String
        var folders: [Folder]
    }

    /// A state file with the reference folder's name added.
    struct Folder: Encodable {
        var state: FolderState
        var parent: String?
        /// Left out of everything; false where the configuration cannot be read.
        var isInactive = false

        private enum Key: String, CodingKey { case parent }

        func encode(to encoder: any Encoder) throws {
            try state.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(parent, forKey: .parent)
        }
    }

    var schema = 1
    var configuration: Configuration
    var units: [Unit]
    var endpoints: [Endpoint]
    var jobs: [Job]
}

/// Folders as a tree; one whose parent is not among them is drawn at the top.
struct TreeView {
    let folders: [StatusReport.Folder]

    var rows: [[String]] {
        let names = Set(folders.map(\.state.folder))
        let tops = folders.filter { folder in folder.parent.map { !names.contains($0) } ?? true }
        return tops.flatMap { top in [row(top, "")] + children(of: top, indent: "") }
    }

    private func children(of folder: StatusReport.Folder, indent: String) -> [[String]] {
        let children = folders.filter { $0.parent == folder.state.folder }
        return children.enumerated().flatMap { index, child in
            let isLast = index == children.count - 1
            return [row(child, indent + (isLast ? "└─ " : "├─ "))]
                + self.children(of: child, indent: indent + (isLast ? "   " : "│  "))
        }
    }

    private func row(_ folder: StatusReport.Folder, _ lead: String) -> [String] {
        let state = folder.state
        let marks =
            (state.behind && state.status != .behind ? " (behind)" : "") + (state.diverged ? " (diverged)" : "")
            + (folder.isInactive ? " (inactive)" : "")
        return [
            lead + state.folder, Output.version(state.version), state.status.rawValue + marks,
            Output.time(state.updatedAt), state.message,
        ]
    }
}
