import ArgumentParser
import PatchModel

struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all jobs.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let jobs = try directories.jobs()
        if json { return try Output.json(JobList(jobs: jobs)) }
        if jobs.isEmpty { return Notes.line("there are no jobs") }
        Output.table([Table.Row(JobTable.head)] + jobs.map(JobTable.row))
    }
}

/// `jobs --json`.
struct JobList: Encodable {
    var schema = 1
    var jobs: [Job]
}
