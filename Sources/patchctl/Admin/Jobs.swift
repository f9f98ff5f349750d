import ArgumentParser
import PatchFiles
import PatchModel
import PatchStore

struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all jobs.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let jobs = try directories.jobs()
        if json { return try Output.json(JobList(jobs: jobs)) }
        if jobs.isEmpty { return Notes.write("there are no jobs") }
        Output.table([JobRow.head] + jobs.map(JobRow.row))
    }
}

/// `jobs --json`.
struct JobList: Encodable {
    var schema = 1
    var jobs: [Job]
}

/// A job as a line of a table.
enum JobRow {
    static let head = ["JOB", "ENDPOINT", "OPERATION", "UPDATE", "VERSION", "STATE", "CREATED", "MESSAGE"]

    static func row(_ job: Job) -> [String] {
        [
            "\(job.job)", job.endpoint, job.operation.rawValue, job.update, job.version.description, job.state.rawValue,
            Output.time(job.createdAt), message(job),
        ]
    }

    private static func message(_ job: Job) -> String {
        switch job.state {
        case .waiting: "waits\(job.waitingSince.map { " since \(Output.time($0))" } ?? "") for \(job.waitingFor)"
        case .pendingApproval: "approve it with: patchctl approve \(job.job)"
        default: job.message
        }
    }
}

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one job.")

    @Argument(help: "The job's number.")
    var job: Int

    @Flag(help: "Print what accompanies the archive (README, CHANGES, LICENSE, docs) instead.")
    var notes = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func validate() throws {
        if notes, json { throw ValidationError("--notes are text; leave --json out") }
    }

    func run() throws {
        let job = try directories.job(job)
        if notes { return try printNotes(job) }
        if json { return try Output.json(job) }
        Output.table(facts(job).filter { !$0[1].isEmpty && $0[1] != "-" })
        if !job.folders.isEmpty {
            Output.write("")
            Output.table(
                [["FOLDER", "STATE", "STEPS", "EQUAL", "MESSAGE"]] + job.folders.sorted { $0.key < $1.key }.map(row))
        }
        if job.state == .pendingApproval { try printPlan(job) }
        for (folder, _) in job.folders.sorted(by: { $0.key < $1.key }) where job.folders[folder]?.state == .failed {
            Notes.write("see: patchctl trace \(job.job) \(folder)")
        }
    }

    private func facts(_ job: Job) -> [[String]] {
        [
            ["job", "\(job.job)"], ["endpoint", job.endpoint], ["operation", job.operation.rawValue],
            ["update", "\(job.update) \(job.version)"], ["sha256", job.sha256], ["signer", job.signer],
            ["state", job.state.rawValue], ["waits for", job.waitingFor],
            ["waits since", job.state == .waiting ? Output.time(job.waitingSince) : ""], ["code", job.code],
            ["message", job.message],
            [
                "units down",
                (job.units ?? [:]).sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: "\n"),
            ],
            ["approved", job.approval?.by.map { "by \($0.name), \(Output.time($0.at))" } ?? ""],
            ["created", Output.time(job.createdAt)], ["started", Output.time(job.startedAt)],
            ["finished", Output.time(job.finishedAt)],
        ]
    }

    private func row(_ name: String, _ folder: FolderJob) -> [String] {
        let progress = folder.progress
        let message = folder.message.isEmpty ? progress.step : folder.message
        return [name, folder.state.rawValue, "\(progress.done)/\(progress.total)", "\(folder.equal)", message]
    }

    /// What is to be approved.
    private func printPlan(_ job: Job) throws {
        if let plan = try directories.reading({ try directories.state.plan(job: job.job) }) {
            Output.write("")
            try PlanView(
                plan,
                equal: Dictionary(
                    uniqueKeysWithValues: job.folders.map { name, folder in
                        ("\(job.endpoint)/\(name)", folder.equal)
                    })
            ).print(json: false)
        }
        Notes.write("approve it with: patchctl approve \(job.job), or end it with: patchctl decline \(job.job)")
    }

    private func printNotes(_ job: Job) throws {
        try directories.reading {
            guard let contents = try directories.state.contents(ofArchive: job.sha256) else {
                throw Failure(
                    "the archive of job \(job.job) is no longer kept (see retain in patchd.yaml), and its notes with it"
                )
            }
            let tree = try directories.state.tree(ofArchive: job.sha256)
            let prefixes = ["README", "CHANGES", "LICENSE", "docs/"]
            let notes = contents.entries.filter { entry in
                entry.kind == .file && prefixes.contains { entry.path.hasPrefix($0) }
            }
            if notes.isEmpty { return Notes.write("nothing accompanies the archive of job \(job.job)") }
            for note in notes {
                guard let bytes = try tree.readFile(note.path) else { continue }
                Output.write("--- \(Printable.text(note.path))")
                Output.write(Printable.text(String(decoding: bytes, as: UTF8.self)))
            }
        }
    }
}
