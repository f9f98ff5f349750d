import ArgumentParser
import PatchFiles
import PatchModel
import PatchStore

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the daemon test an update on the real folders; nothing is changed.",
        discussion: """
            Exits 1 where something keeps it from being applied, 3 where every folder is up to date.

            With --rehearse --from VERSION no daemon is asked: the scripts of all archives run, in the order of their \
            versions, on copies of the configured folders and databases that count as having that version. --from may be \
            repeated.
            """)

    @Argument(help: "The update archive; with --from one or more.", completion: .file(extensions: ["zip"]))
    var files: [String]

    /// The only one that a daemon gets, or another host.
    var file: String { files.first ?? "" }

    @Option(
        help: ArgumentHelp("Rehearse the chain of archives from this version; may be repeated.", valueName: "version"))
    var from: [String] = []

    @OptionGroup var choice: OptionArguments

    @OptionGroup var rehearsal: RehearseArguments

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "How long to wait at most, such as 10m; then it exits 5.")
    var timeout: Length?

    @OptionGroup var sent: SentFile

    @OptionGroup var directories: Directories

    func validate() throws {
        if !from.isEmpty, rehearsal.choice == nil { throw ValidationError("--from goes with --rehearse") }
        if from.isEmpty, files.count > 1 { throw ValidationError("several archives go with --rehearse --from") }
        for text in from where Version(text) == nil { throw ValidationError("--from: \"\(text)\" is no version") }
    }

    func run() throws {
        var options = try choice.options(.test)
        options.rehearse = rehearsal.choice
        if !from.isEmpty { return try rehearseChain(options) }
        let archive = try sent.open(file)
        let signature = try sent.signature(of: file)
        SignatureLook.noteMissing(signature, of: sent.name(of: file), directories)
        let follower = try Follower(directories: directories, sha256: UpdateFile.sha256(archive))
        let drop = try Incoming(directories: directories).drop(
            archive, called: sent.name(of: file), options: options, signature: signature)
        let outcome = try follower.end(of: drop, seconds: timeout?.seconds)
        guard case .jobs(let jobs) = outcome else { return try Ending.report(outcome) }
        let report = try report(jobs)
        if let report {
            let counts = jobs.flatMap { job in job.folders.map { ("\(job.endpoint)/\($0.key)", $0.value.equal) } }
            let face = json ? nil : try face(of: archive, options, report)
            try PlanView(report, equal: Dictionary(counts) { first, _ in first }, face: face).print(json: json)
        }
        for job in jobs where job.state != .done {
            Notes.error("job \(job.job) on \(job.endpoint) \(job.state.rawValue): \(job.message)")
        }
        if jobs.contains(where: { $0.state != .done }) { throw ExitStatus.failed.exit }
        if let report, report.isUpToDate { throw ExitStatus.nothingToDo.exit }
    }

    /// Read from the archive that is here: of a test nothing is kept.
    private func face(
        of archive: borrowing File, _ options: UpdateOptions, _ report: PlanReport
    ) throws -> UpdateFace? {
        let verdict = try Worker().unpack(archive, limits: directories.limits)
        return verdict.update.map { update in
            UpdateFace(
                manifest: update.manifest, options: options, plans: report.endpoints.map { ($0.endpoint, $0.folders) })
        }
    }

    private func rehearseChain(_ options: UpdateOptions) throws {
        let configuration = try directories.configuration()
        let worker = try Worker()
        let look = SignatureLook(configuration, in: directories)
        var updates: [CheckedUpdate] = []
        for (number, file) in files.enumerated() {
            let archive = try UpdateFile.open(file)
            let verdict: UnpackVerdict
            do {
                // Before anything of it is run.
                _ = try look.signer(of: archive, UpdateFile.signature(of: file), called: file, worker)
                verdict = try worker.unpack(
                    archive, limits: configuration.daemon.limits, into: "\(ChainRehearsal.trees)/\(number)")
                if let refusal = verdict.refusal { throw refusal }
            } catch let refusal as Refusal {
                throw Failure(.refused, "\(file) is refused: \(refusal.code.rawValue): \(refusal)")
            }
            guard let update = verdict.update else { throw Failure("the check of \"\(file)\" came to no verdict") }
            updates.append(update)
        }
        do {
            let report = try ChainRehearsal(updates, configuration, options).report(
                from: from.compactMap(Version.init), worker)
            try PlanView(report).print(json: json)
            if report.endpoints.contains(where: { !$0.faults.isEmpty }) { throw ExitStatus.failed.exit }
        } catch let refusal as Refusal {
            throw Failure(.refused, "refused: \(refusal.code.rawValue): \(refusal)")
        }
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
