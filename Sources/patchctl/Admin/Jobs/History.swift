import ArgumentParser
import PatchModel
import PatchStore

struct History: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what was done to folders, job by job.")

    @Argument(help: "ENDPOINT/FOLDER, ENDPOINT or FOLDER; default: all.", completion: .targets)
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let folders = try Target(target).folders(directories)
        let report = HistoryReport(
            folders: try directories.reading {
                try folders.map { folder in
                    HistoryReport.Folder(
                        endpoint: folder.endpoint, folder: folder.folder,
                        entries: try directories.state.history(folder.folder, of: folder.endpoint))
                }
            })
        if json { return try Output.json(report) }
        let rows = report.folders.flatMap { folder in
            folder.entries.map { entry in
                [
                    "\(folder.endpoint)/\(folder.folder)", "\(entry.job)", entry.operation.rawValue, entry.update,
                    text(entry.from), text(entry.to), entry.state.rawValue, LocalTime.text(entry.at),
                ]
            }
        }
        if rows.isEmpty { return Notes.line("nothing was done yet") }
        Output.table(head: ["FOLDER", "JOB", "OPERATION", "UPDATE", "FROM", "TO", "STATE", "AT"], rows)
    }

    private func text(_ version: Version?) -> String { version?.description ?? "unknown" }
}

/// `history --json`.
struct HistoryReport: Encodable {
    struct Folder: Encodable {
        var endpoint: String
        var folder: String
        var entries: [HistoryEntry]
    }

    var schema = 1
    var folders: [Folder]
}
