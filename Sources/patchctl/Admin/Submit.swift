import ArgumentParser
import Glibc
import PatchFiles
import PatchModel
import PatchStore

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Hand an update archive to the daemon.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @Flag(help: "Wait for the end; Ctrl-C stops waiting, not the job.")
    var wait = false

    @Option(help: "With --wait: how long at most, such as 10m; then it exits 5.")
    var timeout: Length?

    @OptionGroup var directories: Directories

    func validate() throws {
        if timeout != nil, !wait { throw ValidationError("--timeout goes with --wait") }
    }

    func run() throws {
        let options = try choice.options()
        let incoming = Incoming(directories: directories)
        guard wait else {
            let drop = try incoming.drop(file, options: options == UpdateOptions() ? nil : options)
            Notes.write("submitted as \(drop.name)")
            return
        }
        let follower = try Follower(directories: directories, sha256: try Archive.sha256(file))
        let drop = try incoming.drop(file, options: options == UpdateOptions() ? nil : options)
        Notes.write("submitted as \(drop.name)")
        try Ending.report(try follower.wait(for: drop.name, seconds: timeout?.seconds), stateOf: directories)
    }
}

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let the daemon look what an update would do; nothing is changed.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "How long to wait at most, such as 10m; then it exits 5.")
    var timeout: Length?

    @OptionGroup var directories: Directories

    func run() throws {
        let follower = try Follower(directories: directories, sha256: try Archive.sha256(file))
        let drop = try Incoming(directories: directories).drop(file, options: try choice.options(.test))
        let outcome = try follower.wait(for: drop.name, seconds: timeout?.seconds)
        guard case .jobs(let jobs) = outcome else { return try Ending.report(outcome, stateOf: directories) }
        let reports = try directories.reading { try jobs.compactMap { try directories.state.plan(job: $0.job) } }
        if let first = reports.first {
            let report = PlanReport(
                update: first.update, version: first.version, endpoints: reports.flatMap(\.endpoints))
            let counts = jobs.flatMap { job in job.folders.map { ("\(job.endpoint)/\($0.key)", $0.value.equal) } }
            try PlanView(report, equal: Dictionary(counts) { first, _ in first }).print(json: json)
        }
        for job in jobs where job.state != .done {
            Notes.error("job \(job.job) on \(job.endpoint) \(job.state.rawValue): \(job.message)")
        }
        if jobs.contains(where: { $0.state != .done }) { throw Code.failed.exit }
    }
}

/// The archive as it lies before it is handed over.
enum Archive {
    static func open(_ path: String) throws(Failure) -> File {
        do throws(FileError) {
            let file = try File.open(path, O_RDONLY | O_NONBLOCK)
            if try file.status().kind == .file { return file }
        } catch {
            throw Failure(.refused, error.description)
        }
        throw Failure(.refused, "\"\(path)\" is no plain file; an update is a zip archive")
    }

    static func sha256(_ path: String) throws(Failure) -> String {
        let file = try open(path)
        do throws(FileError) {
            return try file.sha256()
        } catch {
            throw Failure(error.description)
        }
    }
}

/// Says how it ended, and ends with the contract's code for it.
enum Ending {
    static func report(_ outcome: Outcome, stateOf directories: Directories) throws {
        switch outcome {
        case .timeout:
            throw Failure(
                .waiting, "it is not through yet; \"patchctl jobs\" shows where it stands. Is the daemon running?")
        case .noDaemon:
            throw Failure(
                .noDaemon, "no daemon takes it; it stays in the spool until one does. Is patchd running?")
        case .refused(let note):
            throw Failure(.refused, "refused: \(note.code): \(note.reason)")
        case .jobs(let jobs):
            for job in jobs {
                Output.write("job \(job.job) on \(job.endpoint): \(job.state.rawValue)")
                for warning in job.warnings ?? [] { Notes.error("job \(job.job): warning: \(warning)") }
                if !job.message.isEmpty { Notes.error("job \(job.job): \(job.message)") }
                if job.state == .failed { Notes.write("see: patchctl show \(job.job)") }
            }
            if jobs.contains(where: { [.failed, .declined, .cancelled].contains($0.state) }) { throw Code.failed.exit }
            if jobs.contains(where: { $0.state == .pendingApproval }) { throw Code.pendingApproval.exit }
            let idle: Set<FolderJob.State> = [.upToDate, .excluded]
            if jobs.allSatisfy({ job in job.folders.values.allSatisfy { idle.contains($0.state) } }) {
                Notes.write("there was nothing to do")
                throw Code.nothingToDo.exit
            }
        }
    }
}
