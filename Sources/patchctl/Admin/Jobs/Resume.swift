import ArgumentParser
import PatchJSON
import PatchModel

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a failed job after its cause was removed.")

    @Argument(help: "The job's number.", completion: .jobs)
    var job: Int

    @Option(
        help: "A step that was done by hand, as \"patchctl trace\" names it: it counts as done where the job stopped.")
    var assumeDone: String?

    @Option(help: "A folder to leave as it is, with those below it. May be given several times.")
    var skip: [String] = []

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        var request = [JSONValue.Member("command", .string("resume")), .init("job", .number("\(job)"))]
        if let assumeDone { request.append(.init("assumeDone", .string(assumeDone))) }
        if !skip.isEmpty { request.append(.init("skip", .array(skip.map(JSONValue.string)))) }
        try daemon.send(request, called: "resume-\(job)")
    }
}
