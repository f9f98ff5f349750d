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
        guard try relation.holds(version(left), version(right)) else { throw Code.failed.exit }
    }

    private func version(_ text: String) throws -> Version {
        guard let version = Version(text) else {
            throw Failure(
                .usage, "\"\(text)\" is no version; it begins with a digit and consists of [0-9A-Za-z.+~:-], at most 64"
            )
        }
        return version
    }
}
