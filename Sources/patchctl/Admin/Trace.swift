import ArgumentParser
import PatchModel
import PatchStore

struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a job did to one folder.")

    @Argument(help: "The job's number.")
    var job: Int

    @Argument(help: "The folder's name, or ENDPOINT/FOLDER.")
    var folder: String

    @OptionGroup var directories: Directories

    func run() throws {
        let job = try directories.job(job)
        let name = folder.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? folder
        guard job.folders[name] != nil else {
            let known = job.folders.keys.sorted().joined(separator: ", ")
            throw Failure(
                "job \(job.job) has no folder \"\(name)\"; "
                    + (known.isEmpty ? "it was not planned yet" : "it has \(known)"))
        }
        let isThere = try directories.reading {
            try directories.state.forEachTraceLine(job: job.job, folder: name) { Output.write($0.description) }
        }
        if !isThere { Notes.write("nothing was done to \(name) in job \(job.job)") }
    }
}

struct History: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what was done to folders, job by job.")

    @Argument(help: "ENDPOINT/FOLDER, ENDPOINT or FOLDER; default: all.")
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
                    Output.version(entry.from), Output.version(entry.to), entry.state.rawValue, Output.time(entry.at),
                ]
            }
        }
        if rows.isEmpty { return Notes.write("nothing was done yet") }
        Output.table([["FOLDER", "JOB", "OPERATION", "UPDATE", "FROM", "TO", "STATE", "AT"]] + rows)
    }
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

/// The folders that an argument means.
struct Target {
    let text: String?

    init(_ text: String?) { self.text = text }

    /// From the state alone, so that no configuration has to be readable.
    func folders(_ directories: Directories) throws -> [FolderState] {
        let all = try directories.reading {
            var found: [FolderState] = []
            guard try directories.hasState else { return found }
            for endpoint in try directories.state.endpoints() {
                found += try directories.state.folders(of: endpoint).values.sorted { $0.folder < $1.folder }
            }
            return found
        }
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
