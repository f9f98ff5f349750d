import ArgumentParser
import PatchJSON
import PatchModel

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a failed job go on after its cause was removed.")

    @Argument(help: "The job's number.")
    var job: Int

    @Option(
        help: "A step that was done by hand, as \"patchctl trace\" names it: it counts as done where the job stopped.")
    var assumeDone: String?

    @Option(help: "A folder to leave as it is, with those below it. May be given several times.")
    var skip: [String] = []

    @OptionGroup var asking: Asking

    func run() throws {
        var request = [JSONValue.Member("command", .string("resume")), .init("job", .number("\(job)"))]
        if let assumeDone { request.append(.init("assumeDone", .string(assumeDone))) }
        if !skip.isEmpty { request.append(.init("skip", .array(skip.map(JSONValue.string)))) }
        try asking.send(request, called: "resume-\(job)")
    }
}

struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a job: one that waits at once, one that runs after the steps under way.")

    @Argument(help: "The job's number.")
    var job: Int

    @OptionGroup var asking: Asking

    func run() throws {
        try asking.send(
            [.init("command", .string("cancel")), .init("job", .number("\(job)"))], called: "cancel-\(job)")
    }
}

/// What every command has that asks the daemon.
struct Asking: ParsableArguments {
    @Option(help: "How long to wait for the daemon's answer.")
    var timeout = Length(seconds: 30)

    @OptionGroup var directories: Directories

    func send(_ request: [JSONValue.Member], called word: String) throws {
        try Request(directories: directories).send(.object(request), called: word, timeout: timeout.seconds)
    }
}
