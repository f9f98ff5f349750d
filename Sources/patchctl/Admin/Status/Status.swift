import ArgumentParser
import PatchConfig
import PatchModel
import PatchStore

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the folders, their versions, unfinished jobs, and what needs an admin.")

    @Argument(help: "ENDPOINT or ENDPOINT/FOLDER; default: all.", completion: .targets)
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show which update stands how in which folder instead.")
    var matrix = false

    @OptionGroup var directories: Directories

    func validate() throws {
        if matrix, json { throw ValidationError("--matrix is for people; \"patchctl history --json\" has the same") }
    }

    func run() throws {
        if matrix { return try printMatrix() }
        let reading = StatusReading(directories, target: target)
        // Before the daemon's first start there is no state; then the configuration alone is shown.
        if try !directories.reading({ try directories.hasState }), !json, let configuration = reading.configuration {
            return try UnloadedView(configuration, target: target).print()
        }
        let (report, notes) = try reading.report()
        if json {
            try Output.json(report)
        } else {
            if report.endpoints.isEmpty { Notes.line("nothing is known yet: the daemon has not loaded an endpoint") }
            let page = StatusPage(
                report: report, configuration: directories.configDir, now: .now, width: Screen.size?.columns)
            Output.lines(page.lines)
            if !report.configuration.readable, !report.endpoints.isEmpty {
                Notes.line(
                    "this user may not read the configuration in \(directories.configDir), so the folders are shown as a list"
                )
            }
        }
        for note in notes { Notes.line(note) }
    }

    private func printMatrix() throws {
        let reading = StatusReading(directories, target: target)
        let states = try Target(target).folders(directories)
        let endpoints = Dictionary(grouping: states, by: \.endpoint).sorted { $0.key < $1.key }
        for (index, (name, states)) in endpoints.enumerated() {
            let order = TreeOrder(reading.configuration?.endpoints.first { $0.name == name })
            let columns = try directories.reading {
                try order.sorted(states).map { state in
                    UpdateMatrix.Column(
                        name: state.folder, version: state.version,
                        history: try directories.state.history(state.folder, of: name))
                }
            }
            if index > 0 { Output.line("") }
            Output.line(name)
            let matrix = UpdateMatrix(columns: columns)
            if columns.allSatisfy(\.history.isEmpty) { Notes.line("nothing was done on \(name) yet") }
            Output.lines(matrix.lines(within: Screen.size?.columns))
        }
    }
}
