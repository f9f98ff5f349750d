import ArgumentParser
import PatchFiles
import PatchModel

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand an update archive, or all archives of a directory, to the daemon.",
        discussion: """
            Prints the number of its job on each endpoint as soon as the daemon has taken it. Where no daemon runs, the archive \
            stays in the spool for the next one, and the exit code is 69. With --wait it stays until the jobs have ended: 0 \
            done, 1 failed, declined or cancelled, 3 nothing to do, 6 waits for approval; the worst of several.

            Of a directory all archives are handed over in the order of their versions, or none where one would be refused.
            """)

    @Argument(help: "The update archive, or a directory with archives.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @OptionGroup var rehearsal: RehearseArguments

    @Flag(help: "Wait for the end; Ctrl-C stops waiting, not the job.")
    var wait = false

    @Option(help: "With --wait: how long at most, such as 10m; then it exits 5.")
    var timeout: Length?

    @OptionGroup var sent: SentFile

    @OptionGroup var directories: Directories

    /// How long the daemon is given to take the archive, in seconds.
    private static let patience = 10.0

    func validate() throws {
        if timeout != nil, !wait { throw ValidationError("--timeout goes with --wait") }
    }

    /// An archive that was handed over; without a follower this user may not see what becomes of it.
    private struct Submission {
        let drop: Incoming.Drop
        let follower: Follower?
    }

    func run() throws {
        guard sent.sentAs == nil, let directory = ArchiveDirectory(file) else { return try follow([submit(file)]) }
        var submissions: [Submission] = []
        for path in try directory.archives(limits: directories.limits) {
            let submission = try submit(path)
            // The next one may need it, so it is a job first; without a daemon the spool keeps their order.
            _ = try submission.follower?.start(of: submission.drop, seconds: Self.patience)
            submissions.append(submission)
        }
        try follow(submissions)
    }

    private func submit(_ path: String) throws -> Submission {
        let archive = try sent.open(path)
        var options = try choice.options()
        options.rehearse = rehearsal.choice
        let signature = try sent.signature(of: path)
        SignatureLook.noteMissing(signature, of: sent.name(of: path), directories)
        let follower = try? Follower(directories: directories, sha256: UpdateFile.sha256(archive))
        let drop = try Incoming(directories: directories).drop(
            archive, called: sent.name(of: path), options: options == UpdateOptions() ? nil : options,
            signature: signature)
        Notes.line("submitted as \(drop.name)")
        return Submission(drop: drop, follower: follower)
    }

    private func follow(_ submissions: [Submission]) throws {
        let end = timeout.map { MonotonicClock.seconds + $0.seconds }
        var ended: [Job] = []
        for submission in submissions {
            guard let follower = submission.follower else {
                return Notes.line("its jobs are not shown to this user: \(Directories.groupHint)")
            }
            if wait {
                let rest = end.map { max(0, $0 - MonotonicClock.seconds) }
                let outcome = try follower.end(of: submission.drop, seconds: rest, isShown: true)
                guard case .jobs(let jobs) = outcome else { return try Ending.report(outcome) }
                ended += jobs
            } else {
                switch try follower.start(of: submission.drop, seconds: Self.patience) {
                case .jobs(let jobs): for job in jobs { Output.line("job \(job.job) on \(job.endpoint)") }
                case .timeout: Notes.line("the daemon has not taken it yet; \"patchctl jobs\" shows when it has")
                case let outcome: try Ending.report(outcome)
                }
            }
        }
        if wait { try Ending.report(.jobs(ended)) }
    }
}
