import ArgumentParser
import PatchModel
import PatchStore

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the daemon test an update on the real folders; nothing is changed.",
        discussion: "Exits 1 where something keeps it from being applied, 3 where every folder is up to date.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @OptionGroup var rehearsal: RehearseArguments

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "How long to wait at most, such as 10m; then it exits 5.")
    var timeout: Length?

    @OptionGroup var sent: SentFile

    @OptionGroup var directories: Directories

    func run() throws {
        let archive = try sent.open(file)
        let follower = try Follower(directories: directories, sha256: UpdateFile.sha256(archive))
        var options = try choice.options(.test)
        options.rehearse = rehearsal.choice
        let drop = try Incoming(directories: directories).drop(
            archive, called: sent.name(of: file), options: options)
        let outcome = try follower.end(of: drop, seconds: timeout?.seconds)
        guard case .jobs(let jobs) = outcome else { return try Ending.report(outcome) }
        let report = try report(jobs)
        if let report {
            let counts = jobs.flatMap { job in job.folders.map { ("\(job.endpoint)/\($0.key)", $0.value.equal) } }
            try PlanView(report, equal: Dictionary(counts) { first, _ in first }).print(json: json)
        }
        for job in jobs where job.state != .done {
            Notes.error("job \(job.job) on \(job.endpoint) \(job.state.rawValue): \(job.message)")
        }
        if jobs.contains(where: { $0.state != .done }) { throw ExitStatus.failed.exit }
        if let report, report.isUpToDate { throw ExitStatus.nothingToDo.exit }
    }

    /// The plans of all jobs as one; nil where none was made.
    private func report(_ jobs: [Job]) throws -> PlanReport? {
        let plans = try directories.reading { try jobs.compactMap { try directories.state.plan(job: $0.job) } }
        guard let first = plans.first else { return nil }
        var endpoints = plans.flatMap(\.endpoints)
        // Archives are not for everybody to read; the plan is shown all the same.
        let sha256 = jobs.first?.sha256 ?? ""
        let configured = (try? directories.configuration())?.endpoints ?? []
        if let update = try? directories.state.contents(ofArchive: sha256) {
            for index in endpoints.indices {
                guard let own = configured.first(where: { $0.name == endpoints[index].endpoint }) else { continue }
                endpoints[index].add(ArchiveWarnings(update, on: own).texts)
            }
        }
        return PlanReport(update: first.update, version: first.version, endpoints: endpoints)
    }
}
