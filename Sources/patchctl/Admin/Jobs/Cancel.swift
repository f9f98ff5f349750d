import ArgumentParser
import PatchJSON
import PatchModel

struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a job: one that waits at once, one that runs after the steps under way.")

    @Argument(help: "The job's number.", completion: .jobs)
    var job: Int

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try daemon.send(
            [.init("command", .string("cancel")), .init("job", .number("\(job)"))], called: "cancel-\(job)")
    }
}
