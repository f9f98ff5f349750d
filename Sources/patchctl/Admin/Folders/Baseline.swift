import ArgumentParser
import PatchJSON
import PatchModel

struct Baseline: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record which version a folder and its database have.",
        discussion: """
            For a folder that patchd does not know yet, and for one whose database was restored from a dump: scripts for \
            versions above VERSION count as not run, so that the next update runs them. With --migrations, the migrations \
            up to NAME count as done and those above as not run.
            """)

    @Argument(help: "ENDPOINT/FOLDER.", completion: .folders)
    var folder: String

    @Argument(help: "The folder's version.")
    var version: String

    @Option(help: "The last file of migrations/ that was run in the folder's database.")
    var migrations: String?

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        var request: [JSONValue.Member] = [
            .init("command", .string("baseline")), .init("target", .string(folder)),
            .init("version", .string(version)),
        ]
        if let migrations { request.append(.init("migrations", .string(migrations))) }
        try daemon.send(request, called: "baseline")
    }
}
