import ArgumentParser
import PatchJSON
import PatchModel

struct Approve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a job that waits for approval be carried out.",
        discussion: """
            "patchctl show JOB" shows what it would do. Options take the place of those that it was submitted with (--no-exclude, \
            --no-only and --no-force take them away), and what \
            they come to is planned first: where that has faults, nothing is approved. When the job's turn comes it is \
            planned once more; if it would do something else by then, it waits for approval again.
            """)

    @Argument(help: "The job's number.")
    var job: Int

    @Option(help: "The archive's SHA-256: approve nothing else.")
    var sha256: String?

    @OptionGroup var choice: ChoiceArguments

    @Flag(help: "Leave no folder out that was excluded so far.")
    var noExclude = false

    @Flag(help: "Confine it to no folders that were named so far.")
    var noOnly = false

    @Flag(help: "Do not apply it where it is marked unstable.")
    var noForce = false

    @OptionGroup var asking: Asking

    func validate() throws {
        for (name, isOn, isGiven) in [
            ("exclude", noExclude, !choice.exclude.isEmpty), ("only", noOnly, !choice.only.isEmpty),
            ("force", noForce, choice.force),
        ] where isOn && isGiven {
            throw ValidationError("--\(name) is given with --no-\(name)")
        }
    }

    func run() throws {
        var request = [JSONValue.Member("command", .string("approve")), .init("job", .number("\(job)"))]
        if let sha256 { request.append(.init("sha256", .string(sha256))) }
        var options = try choice.given()
        if noExclude { options.append(.init("exclude", .array([]))) }
        if noOnly { options.append(.init("only", .array([]))) }
        if noForce { options.append(.init("force", .bool(false))) }
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
