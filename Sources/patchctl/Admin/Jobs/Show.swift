import ArgumentParser
import Glibc
import PatchFiles
import PatchModel
import PatchStore

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one job, or what an archive says of itself.")

    @Argument(help: "The job's number, or an update archive.", completion: .jobs)
    var job: String

    @Flag(help: "Print what accompanies the archive (README, CHANGES, LICENSE, docs) instead.")
    var notes = false

    @Flag(help: "Print what it does, file by file and statement by statement, instead.")
    var plan = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func validate() throws {
        if notes, json { throw ValidationError("--notes are text; leave --json out") }
        if notes, plan { throw ValidationError("--notes and --plan are two things; ask for one") }
    }

    func run() throws {
        guard let number = Int(job) else { return try showFile() }
        let job = try directories.job(number)
        if notes { return try printNotes(job) }
        if plan {
            guard try printPlan(job, json: json) else {
                throw Failure("job \(job.job) is not planned yet")
            }
            return
        }
        if json { return try Output.json(job) }
        Output.table(facts(job).filter { !$0[1].isEmpty && $0[1] != "-" })
        if job.state != .pendingApproval, let face = UpdateFace(of: job, in: directories) {
            Output.line("")
            Output.lines(face.lines(within: Screen.size?.columns))
        }
        let folders = job.folders.sorted { $0.key < $1.key }
        if !folders.isEmpty {
            Output.line("")
            Output.table(
                head: ["FOLDER", "STATE", "STEPS", "EQUAL", "MESSAGE"],
                folders.map { row($0.key, $0.value, of: job) })
        }
        if job.state == .pendingApproval { try printWhatIsApproved(job) }
        if job.isPaused {
            Notes.line(
                "if the canary is well: patchctl approve \(job.job); or: patchctl cancel \(job.job), then: patchctl rollback \(job.job)"
            )
        }
        for (folder, own) in folders where own.state == .failed {
            Notes.line("see: patchctl trace \(job.job) \(folder)")
        }
        if job.state == .failed, job.isHolding {
            Notes.line("when the cause is removed: patchctl resume \(job.job); or: patchctl rollback \(job.job)")
        }
    }

    private func facts(_ job: Job) -> [[String]] {
        [
            ["job", "\(job.job)"], ["endpoint", job.endpoint], ["operation", job.operation.rawValue],
            ["update", "\(job.update) \(job.version)"], ["sha256", job.sha256], ["signer", job.signer],
            ["state", job.state.rawValue], ["waits for", LocalTime.localized(job.waitingFor, now: .now)],
            ["waits since", job.state == .waiting ? LocalTime.text(job.waitingSince) : ""], ["code", job.code],
            ["canary", job.canary.map(canary) ?? ""],
            ["message", job.message],
            [
                "units down",
                (job.units ?? [:]).sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: "; "),
            ],
            ["warnings", (job.warnings ?? []).joined(separator: "; ")],
            ["approved", job.approval?.by.map { "by \($0.name), \(LocalTime.text($0.at))" } ?? ""],
            ["created", LocalTime.text(job.createdAt)], ["started", LocalTime.text(job.startedAt)],
            ["finished", LocalTime.text(job.finishedAt)],
        ]
    }

    private func canary(_ canary: JobCanary) -> String {
        let approver = canary.approver.map { "; approved by \($0.name), \(LocalTime.text($0.at))" } ?? ""
        return canary.plan.text + approver
    }

    private func row(_ name: String, _ folder: FolderJob, of job: Job) -> [String] {
        // How far the way back is, is not counted.
        let progress = folder.progress
        let steps = progress.total > 0 ? "\(progress.done)/\(progress.total)" : "-"
        return [name, folder.state.rawValue, steps, "\(folder.equal)", FolderMessage.text(folder, of: job)]
    }

    private func printWhatIsApproved(_ job: Job) throws {
        Output.line("")
        _ = try printPlan(job, json: false)
        Notes.line("approve it with: patchctl approve \(job.job), or end it with: patchctl decline \(job.job)")
    }

    /// - Returns: whether there is a plan.
    private func printPlan(_ job: Job, json: Bool) throws -> Bool {
        guard let plan = try directories.reading({ try directories.state.plan(job: job.job) }) else { return false }
        let counts = job.folders.map { name, folder in ("\(job.endpoint)/\(name)", folder.equal) }
        var face = UpdateFace(of: job, in: directories)
        face?.plans = plan.endpoints.map { ($0.endpoint, $0.folders) }
        try PlanView(plan, equal: Dictionary(counts) { first, _ in first }, face: face).print(json: json)
        return true
    }

    private func printNotes(_ job: Job) throws {
        try directories.reading {
            guard let contents = try directories.state.contents(ofArchive: job.sha256) else {
                throw Failure(
                    "the archive of job \(job.job) is no longer kept (see retain in patchd.yaml), and its notes with it"
                )
            }
            try printNotes(of: contents, in: try directories.state.tree(ofArchive: job.sha256), "job \(job.job)")
        }
    }

    private func printNotes(of update: CheckedUpdate, in tree: borrowing Directory, _ name: String) throws {
        let prefixes = ["README", "CHANGES", "LICENSE", "docs/"]
        let notes = update.entries.filter { entry in
            entry.kind == .file && prefixes.contains { entry.path.hasPrefix($0) }
        }
        if notes.isEmpty { return Notes.line("nothing accompanies the archive of \(name)") }
        for note in notes {
            guard let bytes = try tree.readFile(note.path) else { continue }
            Output.line("--- \(note.path)")
            Output.text(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// An archive that is no job yet.
    private func showFile() throws {
        guard access(job, F_OK) == 0 else {
            throw Failure("there is no job and no file \"\(job)\"; \"patchctl jobs\" lists the jobs")
        }
        if json { throw Failure(.usage, "of an archive, \"patchctl lint --json\" has what it says of itself") }
        if plan { throw Failure(.usage, "\"patchctl plan \(job)\" shows what an archive would do") }
        let worker = try Worker()
        let verdict = try worker.unpack(
            try UpdateFile.open(job), limits: directories.limits, into: notes ? "tree" : nil)
        if let refusal = verdict.refusal {
            throw Failure(.refused, "\(job) would be refused: \(refusal.code.rawValue): \(refusal)")
        }
        guard let update = verdict.update else { throw Failure("the check of \"\(job)\" came to no verdict") }
        if notes { return try printNotes(of: update, in: try worker.tree("tree"), job) }
        Output.lines(UpdateFace(manifest: update.manifest).lines(within: Screen.size?.columns))
    }
}
