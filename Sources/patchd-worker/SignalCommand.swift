import ArgumentParser
import PatchFiles

/// Sends a signal to the process that standard input refers to (a pidfd): the daemon has chosen it and has no right to do it.
struct SignalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "signal")

    @Argument(help: "The signal's number.")
    var number: Int32

    @OptionGroup var directories: Directories

    func run() throws { try ProcessHandle(adopting: 0).signal(number) }
}
