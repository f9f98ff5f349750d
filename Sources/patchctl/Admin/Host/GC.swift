import ArgumentParser
import PatchJSON
import PatchModel

struct GC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove what is kept for rollbacks of jobs older than \"retain\" in patchd.yaml.")

    @OptionGroup var daemon: RequestOptions

    func run() throws { try daemon.send([.init("command", .string("gc"))], called: "gc") }
}
