import ArgumentParser
import PatchJSON
import PatchModel

struct Decline: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decline a job that waits for approval: nothing of it was done; or that waits after its canary.")

    @Argument(help: "The job's number.", completion: .jobs)
    var job: Int

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try daemon.send(
            [.init("command", .string("decline")), .init("job", .number("\(job)"))], called: "decline-\(job)")
    }
}
