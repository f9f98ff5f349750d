import ArgumentParser
import PatchModel

struct CompareVersions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare-versions", abstract: "Compare two versions as patchd does; exits 0 when it holds, else 1."
    )

    @Argument(help: "A version.")
    var left: String

    @Argument(help: "lt le eq ne ge gt, or < <= = >= >.")
    var relation: String

    @Argument(help: "A version.")
    var right: String

    @OptionGroup var directories: Directories

    func run() throws {
        guard let relation = VersionRelation(relation) else {
            throw Failure(.usage, "\"\(relation)\" is no comparison; it is one of lt le eq ne ge gt")
        }
        guard try relation.holds(Version(argument: left), Version(argument: right)) else {
            throw ExitStatus.failed.exit
        }
    }
}
