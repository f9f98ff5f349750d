import ArgumentParser
import PatchJSON
import PatchModel

struct GC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove now what is kept for rollbacks beyond the newest jobs (\"retain\" in patchd.yaml).")

    @OptionGroup var daemon: RequestOptions

    func run() throws { try daemon.send([.init("command", .string("gc"))], called: "gc") }
}
