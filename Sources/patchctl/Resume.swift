import ArgumentParser
import PatchModel

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a failed job go on after its cause was removed.")

    @Argument(help: "The job's number.")
    var job: Int

    @Option(help: "How long to wait for the daemon's answer.")
    var timeout = Length(seconds: 30)

    @OptionGroup var places: Places

    func run() throws {
        let request = JSONValue.object([
            .init("command", .string("resume")), .init("job", .number("\(job)")),
        ])
        try Request(places: places).send(request, called: "resume-\(job)", timeout: timeout.seconds)
    }
}
