import ArgumentParser
import PatchJSON
import PatchModel

struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve a job that waits for approval, or for others to follow its canary.",
        discussion: """
            "patchctl show JOB" shows what it would do. Options take the place of those that it was submitted with (--no-exclude, \
            --no-only and --no-force take them away), and what \
            they come to is planned first: where that has faults, nothing is approved. When the job's turn comes it is \
            planned once more; if it would do something else by then, it waits for approval again. \
            Of one that waits after its canary the pause ends; it keeps its options.
            """)

    @Argument(help: "The job's number.", completion: .jobs)
    var job: Int

    @Option(help: "The archive's SHA-256: approve nothing else.")
    var sha256: String?

    @OptionGroup var choice: ChoiceArguments

    @Flag(help: "Include the folders that were excluded.")
    var noExclude = false

    @Flag(help: "Update all folders, not only those that were named.")
    var noOnly = false

    @Flag(help: "Do not apply it if it is marked unstable.")
    var noForce = false

    @OptionGroup var daemon: RequestOptions

    func validate() throws {
        for (name, isOn, isGiven) in [
            ("exclude", noExclude, !choice.exclude.isEmpty), ("only", noOnly, !choice.only.isEmpty),
            ("force", noForce, choice.force),
        ] where isOn && isGiven {
            throw ValidationError("--\(name) is given with --no-\(name)")
        }
    }

    func run() throws {
        var request = [JSONValue.Member("command", .string("approve")), .init("job", .number("\(job)"))]
        if let sha256 { request.append(.init("sha256", .string(sha256))) }
        var options = try choice.given()
        if noExclude { options.append(.init("exclude", .array([]))) }
        if noOnly { options.append(.init("only", .array([]))) }
        if noForce { options.append(.init("force", .bool(false))) }
        if !options.isEmpty { request.append(.init("options", .object(options))) }
        try daemon.send(request, called: "approve-\(job)")
    }
}
