import ArgumentParser
import PatchConfig
import PatchModel

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the folders, their versions, unfinished jobs, and what needs an admin.")

    @Argument(help: "ENDPOINT or ENDPOINT/FOLDER; default: all.", completion: .targets)
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let reading = StatusReading(directories, target: target)
        // Before the daemon's first start there is no state; then the configuration alone is shown.
        if try !directories.hasState, !json, let configuration = reading.configuration {
            return try UnloadedView(configuration, target: target).print()
        }
        let (report, notes) = try reading.report()
        if json {
            try Output.json(report)
        } else {
            StatusView(report, configuration: directories.configDir).print()
        }
        for note in notes { Notes.line(note) }
    }
}
