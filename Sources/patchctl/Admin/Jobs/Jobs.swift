import ArgumentParser
import PatchModel
import PatchStore

struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List jobs; without options all of them.",
        discussion: "Exits 0 also where none is left.")

    @Option(
        help: ArgumentHelp("Only those of this endpoint; may be repeated.", valueName: "name"), completion: .endpoints)
    var endpoint: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only those in this state; may be repeated: \(Job.State.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "state"),
        completion: .list(Job.State.allCases.map(\.rawValue)))
    var state: [String] = []

    @Option(help: ArgumentHelp("Only the newest ones, so many.", valueName: "number"))
    var limit: Int?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func validate() throws {
        let known = Job.State.allCases.map(\.rawValue)
        for name in state where !known.contains(name) {
            let hint = Suggestion.hint(for: name, in: known)
            throw ValidationError(
                "\"\(name)\" is no state of a job\(hint.isEmpty ? "; states are \(known.joined(separator: ", "))" : hint)"
            )
        }
        if let limit, limit < 1 { throw ValidationError("--limit is a number from 1 on") }
    }

    func run() throws {
        let all = try directories.jobs()
        try checkEndpoints(all)
        let found = all.filter { job in
            (endpoint.isEmpty || endpoint.contains(job.endpoint))
                && (state.isEmpty || state.contains(job.state.rawValue))
        }
        let jobs = Array(limit.map(found.suffix) ?? found[...])
        if json { return try Output.json(JobList(jobs: jobs)) }
        if jobs.isEmpty { return Notes.line(all.isEmpty ? "there are no jobs" : "there are no such jobs") }
        Output.table(head: JobTable.head, jobs.map(JobTable.row))
    }

    /// A misspelt name must not look like an endpoint without jobs.
    private func checkEndpoints(_ jobs: [Job]) throws {
        if endpoint.isEmpty { return }
        let states = try directories.reading { try directories.hasState ? directories.state.endpoints() : [] }
        let known = Set(states + jobs.map(\.endpoint)).sorted()
        for name in endpoint where !known.contains(name) {
            throw Failure("there is no endpoint \"\(name)\"\(Suggestion.hint(for: name, in: known))")
        }
    }
}

/// `jobs --json`.
struct JobList: Encodable {
    var schema = 1
    var jobs: [Job]
}
