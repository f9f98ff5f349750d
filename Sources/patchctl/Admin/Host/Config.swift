import ArgumentParser
import PatchConfig
import PatchFiles
import PatchModel

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The configuration of this host.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the configuration, and what it needs of this host.")

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
            let names = configuration.endpoints.map { "\($0.name) (\($0.folders.count) folders)" }
            Notes.line(
                "the configuration in \(directories.configDir) is fine: "
                    + (names.isEmpty ? "no endpoints" : names.joined(separator: ", ")))
        }
    }
}
