import ArgumentParser
import PatchModel

struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a job that waits for approval be carried out.",
        discussion: """
            "patchctl show JOB" shows what it would do. Options take the place of those that it was submitted with, and what \
            they come to is planned first: where that has faults, nothing is approved. When the job's turn comes it is \
            planned once more; if it would do something else by then, it waits for approval again.
            """)

    @Argument(help: "The job's number.")
    var job: Int

    @Option(help: "The archive's SHA-256: approve nothing else.")
    var sha256: String?

    @OptionGroup var choice: ChoiceArguments

    @OptionGroup var asking: Asking

    func run() throws {
        var request = [JSONValue.Member("command", .string("approve")), .init("job", .number("\(job)"))]
        if let sha256 { request.append(.init("sha256", .string(sha256))) }
        let options = try choice.given()
        if !options.isEmpty { request.append(.init("options", .object(options))) }
        try asking.send(request, called: "approve-\(job)")
    }
}

struct Decline: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a job that waits for approval; nothing of it was done.")

    @Argument(help: "The job's number.")
    var job: Int

    @OptionGroup var asking: Asking

    func run() throws {
        try asking.send(
            [.init("command", .string("decline")), .init("job", .number("\(job)"))], called: "decline-\(job)")
    }
}

struct MarkUnstable: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have an update applied with --force only from now on, and recommended no more.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are known.")
    var update: String

    @OptionGroup var asking: Asking

    func run() throws {
        try asking.send(
            [.init("command", .string("markUnstable")), .init("update", .string(update))], called: "mark-unstable")
    }
}

struct MarkStable: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take the mark of an unstable update away.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are marked.")
    var update: String

    @OptionGroup var asking: Asking

    func run() throws {
        try asking.send(
            [.init("command", .string("markStable")), .init("update", .string(update))], called: "mark-stable")
    }
}
