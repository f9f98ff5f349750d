import ArgumentParser
import PatchModel
import PatchStore

struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a job did to one folder.")

    @Argument(help: "The job's number.", completion: .jobs)
    var job: Int

    @Argument(help: "The folder's name, or ENDPOINT/FOLDER.", completion: .folderNames)
    var folder: String

    @OptionGroup var directories: Directories

    func run() throws {
        let job = try directories.job(job)
        let parts = folder.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 1 || parts.count == 2 && parts[0] == job.endpoint, let name = parts.last else {
            throw Failure("job \(job.job) is one of endpoint \(job.endpoint), so it has no folder \"\(folder)\"")
        }
        guard job.folders[name] != nil else {
            let names = job.folders.keys.sorted()
            let hint = Suggestion.hint(for: name, in: names)
            let rest = names.isEmpty ? "; it is not planned yet" : "; it has \(names.joined(separator: ", "))"
            throw Failure("job \(job.job) has no folder \"\(name)\"\(hint.isEmpty ? rest : hint)")
        }
        let isThere = try directories.reading {
            try directories.state.forEachTraceLine(job: job.job, folder: name) {
                Output.line($0.line(at: LocalTime.precise))
            }
        }
        if !isThere { Notes.line("nothing was done to \(name) in job \(job.job)") }
    }
}
