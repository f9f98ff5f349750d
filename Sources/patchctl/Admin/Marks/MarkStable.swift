import ArgumentParser
import PatchJSON
import PatchModel

struct MarkStable: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove an update's mark as unstable.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are marked.")
    var update: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try daemon.send([.init("command", text: "markStable"), .init("update", text: update)], called: "mark-stable")
    }
}
