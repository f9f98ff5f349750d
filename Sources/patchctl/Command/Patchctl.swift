import ArgumentParser
import Glibc
import PatchModel

/// The admin's, the vendor's and the application's command.
@main
struct Patchctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchctl",
        abstract: "Submits updates to patchd, and shows what it did and what it would do.",
        usage: "patchctl [-H [USER@]HOST] <subcommand>",
        discussion: """
            With -H the command runs on another host, over ssh; submit, test, plan and lint send their file along.

            Exit codes: \(ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")).
            """,
        version: ProgramVersion.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Update",
                subcommands: [
                    Submit.self, Test.self, Plan.self, Approve.self, Decline.self, Resume.self, Cancel.self,
                    Rollback.self, Catchup.self, MarkUnstable.self, MarkStable.self, Marks.self, CheckUpdates.self,
                ]),
            CommandGroup(
                name: "Information",
                subcommands: [
                    Status.self, Jobs.self, Show.self, Watch.self, Trace.self, History.self, Verify.self,
                    Explain.self,
                ]),
            CommandGroup(
                name: "Host",
                subcommands: [
                    Hold.self, Unhold.self, Holds.self, Baseline.self, Forget.self, Config.self, GC.self,
                ]),
            CommandGroup(name: "Application", subcommands: [Wait.self, Guard.self, Check.self]),
            CommandGroup(
                name: "Vendor", subcommands: [Init.self, Pack.self, Sign.self, Lint.self, CompareVersions.self]),
        ])

    static func main() {
        // A reader that closes the pipe ends this program quietly.
        signal(SIGPIPE, SIG_DFL)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if let remote = try RemoteHost(arguments) {
                // What is wrong with it is printed here, before anybody is asked for a password.
                try CommandName.check(remote.arguments)
                let command = try parseAsRoot(remote.arguments)
                try remote.run(sending: (command as? any SendsFile)?.file)
            }
            try CommandName.check(arguments)
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            Glibc.exit(end(error))
        }
    }

    /// Says why a command ended, and gives its exit code.
    private static func end(_ error: any Error) -> Int32 {
        switch error {
        case let failure as Failure:
            Notes.error(failure.message)
            return failure.status.rawValue
        case let code as ExitCode: return code.rawValue
        default: break
        }
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        switch code {
        // Help, the version and the like.
        case .success:
            if !message.isEmpty { Output.text(message) }
            return ExitStatus.fine.rawValue
        // ArgumentParser's own code for wrong usage is 64; the contract's is 2.
        case .validationFailure:
            Notes.text(message)
            return ExitStatus.usage.rawValue
        default:
            // Not foreseen as a Failure: an error of the layers below, in its own words.
            Notes.error(message.hasPrefix("Error: ") ? String(message.dropFirst(7)) : message)
            return ExitStatus.failed.rawValue
        }
    }
}
