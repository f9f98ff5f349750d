import ArgumentParser
import PatchJSON
import PatchModel

struct MarkUnstable: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Mark an update unstable: it is applied with --force only, and no longer recommended.",
        discussion: "Exits 4 for an update of which there was no job. \"patchctl marks\" lists what is marked.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are known.")
    var update: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try KnownUpdates(daemon.directories)?.check(update)
        try daemon.send(
            [.init("command", text: "markUnstable"), .init("update", text: update)], called: "mark-unstable")
    }
}
