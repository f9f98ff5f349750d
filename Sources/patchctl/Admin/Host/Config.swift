import ArgumentParser
import PatchConfig
import PatchFiles
import PatchModel

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The configuration of this host.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the configuration, what it needs of this host, and the databases on servers.",
            discussion: "Exits 4 where an update would be refused or fail; warnings alone do not count.")

        @OptionGroup var directories: Directories

        func run() throws {
            let configuration = try directories.configuration(againstHost: true)
            for warning in ConfigurationDirectory(directories.configDir).signerWarnings(of: configuration) {
                Notes.line("warning: \(warning)")
            }
            if SignatureLook(configuration, in: directories).isRequired, ProgramPath.find("ssh-keygen") == nil {
                Notes.line(
                    "warning: no signature can be checked: ssh-keygen is not installed; apt install openssh-client")
            }
            noteSources(configuration)
            let check = ConfigurationCheck(directories: directories, configuration: configuration)
            for warning in check.warnings { Notes.line("warning: \(warning)") }
            var problems = check.isUpdater ? check.ownerProblems : []
            var databases = DatabaseCheck()
            try databases.check(configuration.endpoints, rehearsal: configuration.daemon.limits.rehearsal)
            for warning in databases.warnings { Notes.line("warning: \(warning)") }
            problems += databases.problems.filter { !problems.contains($0) }
            guard problems.isEmpty else { throw Failure(.refused, problems.joined(separator: "\n")) }
            for endpoint in configuration.endpoints where endpoint.sandbox != Sandbox() {
                Notes.line("\(endpoint.name): its scripts have this sandbox: \(endpoint.sandbox.text)")
            }
            let names = configuration.endpoints.map { "\($0.name) (\($0.folders.count) folders)" }
            Notes.line(
                "the configuration in \(directories.configDir) is fine: "
                    + (names.isEmpty ? "no endpoints" : names.joined(separator: ", ")))
        }

        private func noteSources(_ configuration: Configuration) {
            guard !configuration.daemon.sources.isEmpty else { return }
            if ProgramPath.find("curl") == nil {
                Notes.line("warning: no source of updates can be looked at: curl is not installed; apt install curl")
            }
            if !SignatureLook(configuration, in: directories).isRequired {
                Notes.line(
                    "warning: \"sources\" without signatures: who controls the server decides what is installed; put the vendor's key into allowed_signers"
                )
            }
        }
    }
}
