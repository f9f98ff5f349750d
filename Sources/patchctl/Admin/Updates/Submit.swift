import ArgumentParser
import PatchModel

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand an update archive to the daemon.",
        discussion: """
            Prints the number of its job on each endpoint as soon as the daemon has taken it. Where no daemon runs, the archive \
            stays in the spool for the next one, and the exit code is 69. With --wait it stays until the jobs have ended: 0 \
            done, 1 failed, declined or cancelled, 3 nothing to do, 6 waits for approval; the worst of several.
            """)

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
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

    func run() throws {
        let archive = try sent.open(file)
        var options = try choice.options()
        options.rehearse = rehearsal.choice
        let signature = try sent.signature(of: file)
        SignatureLook.noteMissing(signature, of: sent.name(of: file), directories)
        let follower = try? Follower(directories: directories, sha256: UpdateFile.sha256(archive))
        let drop = try Incoming(directories: directories).drop(
            archive, called: sent.name(of: file), options: options == UpdateOptions() ? nil : options,
            signature: signature)
        Notes.line("submitted as \(drop.name)")
        guard let follower else {
            return Notes.line("its jobs are not shown to this user: \(Directories.groupHint)")
        }
        if wait { return try Ending.report(try follower.end(of: drop, seconds: timeout?.seconds)) }
        switch try follower.start(of: drop, seconds: Self.patience) {
        case .jobs(let jobs): for job in jobs { Output.line("job \(job.job) on \(job.endpoint)") }
        case .timeout: Notes.line("the daemon has not taken it yet; \"patchctl jobs\" shows when it has")
        case let outcome: try Ending.report(outcome)
        }
    }
}
