import ArgumentParser

/// Checks the archive on standard input.
struct UnpackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unpack")

    @Option var into: String?
    @Option var limits = "{}"

    func run() throws {}
}
