import ArgumentParser
import PatchJSON
import PatchModel

struct Baseline: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record which version a folder and its database have.",
        discussion: """
            For a folder that patchd does not know yet, and for one whose database was restored from a dump: scripts for \
            versions above VERSION count as not run, so that the next update runs them.
            """)

    @Argument(help: "ENDPOINT/FOLDER.")
    var folder: String

    @Argument(help: "The folder's version.")
    var version: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try daemon.send(
            [
                .init("command", .string("baseline")), .init("target", .string(folder)),
                .init("version", .string(version)),
            ], called: "baseline")
    }
}
