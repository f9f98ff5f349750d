import ArgumentParser
import PatchConfig
import PatchFiles
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
            for warning in ConfigurationDirectory(directories.configDir).signerWarnings(of: configuration) {
                Notes.line("warning: \(warning)")
            }
            if SignatureLook(configuration, in: directories).isRequired, ProgramPath.find("ssh-keygen") == nil {
                Notes.line(
                    "warning: no signature can be checked: ssh-keygen is not installed; apt install openssh-client")
            }
            var databases = DatabaseCheck()
            try databases.check(configuration.endpoints, rehearsal: configuration.daemon.limits.rehearsal)
            for warning in databases.warnings { Notes.line("warning: \(warning)") }
            guard databases.problems.isEmpty else {
                throw Failure(.refused, databases.problems.joined(separator: "\n"))
            }
            for endpoint in configuration.endpoints where endpoint.sandbox != Sandbox() {
                Notes.line("\(endpoint.name): its scripts have this sandbox: \(endpoint.sandbox.text)")
            }
            let names = configuration.endpoints.map { "\($0.name) (\($0.folders.count) folders)" }
            Notes.line(
                "the configuration in \(directories.configDir) is fine: "
                    + (names.isEmpty ? "no endpoints" : names.joined(separator: ", ")))
        }
    }
}
