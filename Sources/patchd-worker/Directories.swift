import ArgumentParser

/// The options that all programs take (contract §2). What a worker reads and writes it is handed open, on its descriptors, so
/// that it needs no right to any of these directories; it looks at none of them.
struct Directories: ParsableArguments {
    @Option(help: "Taken as by patchd; not looked at.")
    var configDir: String?

    @Option(help: "Taken as by patchd; not looked at.")
    var spoolDir: String?

    @Option(help: "Taken as by patchd; not looked at.")
    var stateDir: String?

    @Option(help: "Taken as by patchd; not looked at.")
    var runtimeDir: String?
}
