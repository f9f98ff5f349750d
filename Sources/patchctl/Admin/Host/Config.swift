import ArgumentParser
import PatchModel

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The configuration of this host.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the configuration, what it needs of this host, and the databases on servers.")

        @OptionGroup var directories: Directories

        func run() throws {
            let configuration = try directories.configuration(againstHost: true)
            var databases = DatabaseCheck()
            try databases.check(configuration.endpoints, rehearsal: configuration.daemon.limits.rehearsal)
            for warning in databases.warnings { Notes.line("warning: \(warning)") }
            guard databases.problems.isEmpty else {
                throw Failure(.refused, databases.problems.joined(separator: "\n"))
            }
            let names = configuration.endpoints.map { "\($0.name) (\($0.folders.count) folders)" }
            Notes.line(
                "the configuration in \(directories.configDir) is fine: "
                    + (names.isEmpty ? "no endpoints" : names.joined(separator: ", ")))
        }
    }
}
