import ArgumentParser
import PatchJSON
import PatchModel

struct Forget: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forget a folder or an endpoint that is no longer configured.",
        discussion: """
            Its state, history, locks and what is kept for rollbacks go, also the folder's .patchd directory; its content \
            stays as it is.
            """)

    @Argument(help: "ENDPOINT or ENDPOINT/FOLDER.", completion: .targets)
    var target: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy(PatchModel.Hold.Target.isName) else {
            throw Failure(.usage, "\"\(target)\" is no target; name one as ENDPOINT or ENDPOINT/FOLDER")
        }
        var request = [JSONValue.Member("command", text: "forget"), .init("endpoint", text: parts[0])]
        if parts.count == 2 { request.append(.init("folder", text: parts[1])) }
        try daemon.send(request, called: "forget")
    }
}
