import ArgumentParser
import PatchJSON
import PatchModel

struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve a job that waits for approval, or for others to follow its canary.",
        discussion: """
            "patchctl show JOB" shows what it would do. Options take the place of those that it was submitted with (--no-exclude, \
            --no-only and --no-force take them away), and what \
            they come to is planned first: where that has faults, nothing is approved. When the job's turn comes it is \
            planned once more; if it would do something else by then, it waits for approval again. \
            Of one that waits after its canary the pause ends; it keeps its options.
            """)

    @Argument(help: "The job's number; with --endpoint it may be left out.", completion: .jobs)
    var job: Int?

    @Option(
        help: ArgumentHelp(
            "Only on this endpoint; may be repeated. With JOB: the jobs of the same archive there.", valueName: "name"),
        completion: .endpoints)
    var endpoint: [String] = []

    @Option(help: "The archive's SHA-256: approve nothing else.")
    var sha256: String?

    @OptionGroup var choice: ChoiceArguments

    @Flag(help: "Include the folders that were excluded.")
    var noExclude = false

    @Flag(help: "Update all folders, not only those that were named.")
    var noOnly = false

    @Flag(help: "Do not apply it if it is marked unstable.")
    var noForce = false

    @OptionGroup var daemon: RequestOptions

    func validate() throws {
        if job == nil, endpoint.isEmpty { throw ValidationError("name a job by its number, or an endpoint") }
        for (name, isOn, isGiven) in [
            ("exclude", noExclude, !choice.exclude.isEmpty), ("only", noOnly, !choice.only.isEmpty),
            ("force", noForce, choice.force),
        ] where isOn && isGiven {
            throw ValidationError("--\(name) is given with --no-\(name)")
        }
    }

    func run() throws {
        var options = try choice.given()
        if noExclude { options.append(.init("exclude", .array([]))) }
        if noOnly { options.append(.init("only", .array([]))) }
        if noForce { options.append(.init("force", .bool(false))) }
        if endpoint.isEmpty, let job {
            // A user who may not read jobs may still have the right to approve one.
            if let known = try? daemon.directories.job(job), options.isEmpty { show(known) }
            return try approve(job, options)
        }
        for job in try chosen() {
            if options.isEmpty { show(job) }
            try approve(job.job, options)
        }
    }

    private func approve(_ job: Int, _ options: [JSONValue.Member]) throws {
        var request = [JSONValue.Member("command", .string("approve")), .init("job", .number("\(job)"))]
        if let sha256 { request.append(.init("sha256", .string(sha256))) }
        if !options.isEmpty { request.append(.init("options", .object(options))) }
        try daemon.send(request, called: "approve-\(job)")
    }

    /// What is approved. With other options it is planned first, and shown by `show`.
    private func show(_ job: Job) {
        guard job.needsApprover, let face = UpdateFace(of: job, in: daemon.directories) else { return }
        Output.lines(face.lines(within: Screen.size?.columns))
    }

    /// The jobs that wait for an approver on the endpoints: one on each.
    private func chosen() throws -> [Job] {
        let directories = daemon.directories
        let archive = try job.map { try directories.job($0).sha256 }
        let jobs = try directories.reading { try directories.liveJobs() }
        return try endpoint.map { name in
            let known = Set(jobs.map(\.endpoint)).sorted()
            guard known.contains(name) else {
                throw Failure("there is no job on an endpoint \"\(name)\"\(Suggestion.hint(for: name, in: known))")
            }
            let own = jobs.filter {
                $0.endpoint == name && $0.needsApprover && (archive == nil || $0.sha256 == archive)
            }
            guard let first = own.first else {
                throw Failure("no job on \(name) waits for approval\(archive == nil ? "" : " with that archive")")
            }
            guard own.count == 1 else {
                let numbers = own.map { "\($0.job)" }.joined(separator: ", ")
                throw Failure(.usage, "several jobs on \(name) wait for approval: \(numbers); name one")
            }
            return first
        }
    }
}
