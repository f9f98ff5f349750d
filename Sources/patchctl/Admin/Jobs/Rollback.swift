import ArgumentParser
import PatchJSON
import PatchModel

struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Undo the last update of a folder and those below it, or a whole job.",
        discussion: """
            Files come back from the kept originals (one changed since is kept as NAME.patchd-old), scripts are undone by \
            the update's downgrades. What cannot be undone is refused before anything is touched.
            """)

    @Argument(help: "ENDPOINT/FOLDER, or a job's number.", completion: .targets)
    var target: String

    @Option(help: "Back to this version, over several jobs.")
    var to: String?

    @Flag(help: "Restore the database from its backup: what was written since is lost.")
    var discardData = false

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        var request = [JSONValue.Member("command", .string("rollback"))]
        if let job = Int(target) {
            guard to == nil else { throw ValidationError("--to is for a folder, not for a job") }
            request.append(.init("job", .number("\(job)")))
        } else {
            guard target.contains("/") else { throw ValidationError("name a folder as ENDPOINT/FOLDER, or a job") }
            request.append(.init("target", .string(target)))
        }
        if let to { request.append(.init("to", .string(to))) }
        if discardData { request.append(.init("discardData", .bool(true))) }
        try daemon.send(request, called: "rollback")
    }
}
