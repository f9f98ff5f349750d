import ArgumentParser
import Glibc

/// The admin's and the application's command.
@main
struct Patchctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchctl",
        abstract: "Submits updates to patchd, and shows what it did and what it would do.",
        discussion: """
            Exit codes: 0 fine, 1 it failed, 2 wrong usage, 3 nothing to do, 4 refused, 5 locked, held or waiting, \
            6 waits for approval, 7 too new, 8 too old, 69 no daemon answered.
            """,
        subcommands: [
            Submit.self, Test.self, Plan.self, Status.self, Jobs.self, Show.self, Watch.self, Trace.self, History.self,
            Approve.self, Decline.self, Resume.self, Cancel.self, Rollback.self, Catchup.self, MarkUnstable.self,
            MarkStable.self, Hold.self, Unhold.self, Baseline.self, Verify.self, Wait.self, Guard.self, Check.self,
            CompareVersions.self, Pack.self, Lint.self, Config.self, GC.self,
        ])

    /// ArgumentParser's own code for wrong usage is 64; the contract's is 2.
    static func main() {
        // Whoever reads the output may stop reading; that is no crash.
        signal(SIGPIPE, SIG_DFL)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            Notes.error(failure.message)
            Glibc.exit(failure.code.rawValue)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            guard code != .validationFailure else {
                Notes.write(fullMessage(for: error))
                Glibc.exit(Code.usage.rawValue)
            }
            // Help and the like; anything else was not foreseen.
            exit(withError: error)
        }
    }
}
