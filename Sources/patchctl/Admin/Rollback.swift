import ArgumentParser
import PatchJSON
import PatchModel

struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take back the last update of a folder and those below it, or a whole job.",
        discussion: """
            Files come back from the kept originals (one changed since is kept as NAME.patchd-old), scripts are undone by \
            the update's downgrades. What cannot be undone is refused before anything is touched.
            """)

    @Argument(help: "ENDPOINT/FOLDER, or a job's number.")
    var target: String

    @Option(help: "Back to this version, over several jobs.")
    var to: String?

    @Flag(help: "Restore the database from its backup: what was written since is lost.")
    var discardData = false

    @OptionGroup var asking: Asking

    func run() throws {
        var request = [JSONValue.Member("command", .string("rollback"))]
        if let job = Int(target) {
            guard to == nil else { throw ValidationError("--to is for a folder, not for a job") }
            request.append(.init("job", .number("\(job)")))
        } else {
            guard target.contains("/") else { throw ValidationError("name a folder as ENDPOINT/FOLDER, or a job") }
            request.append(.init("target", .string(target)))
        }
        if let to { request.append(.init("to", .string(to))) }
        if discardData { request.append(.init("discardData", .bool(true))) }
        try asking.send(request, called: "rollback")
    }
}

struct Baseline: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which version a folder has, and its database with it.",
        discussion: """
            For a folder that patchd does not know yet, and for one whose database was restored from a dump: scripts for \
            versions above VERSION count as not run, so that the next update runs them.
            """)

    @Argument(help: "ENDPOINT/FOLDER.")
    var folder: String

    @Argument(help: "The version that it has.")
    var version: String

    @OptionGroup var asking: Asking

    func run() throws {
        try asking.send(
            [
                .init("command", .string("baseline")), .init("target", .string(folder)),
                .init("version", .string(version)),
            ], called: "baseline")
    }
}

struct Catchup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply to an excluded folder, in order, the kept updates that it has missed.")

    @Argument(help: "ENDPOINT/FOLDER.")
    var folder: String

    @Flag(help: "Apply also what is marked unstable.")
    var force = false

    @OptionGroup var asking: Asking

    func run() throws {
        var request = [JSONValue.Member("command", .string("catchup")), .init("target", .string(folder))]
        if force { request.append(.init("force", .bool(true))) }
        try asking.send(request, called: "catchup")
    }
}

struct GC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove now what is kept for rollbacks beyond the newest jobs (\"retain\" in patchd.yaml).")

    @OptionGroup var asking: Asking

    func run() throws { try asking.send([.init("command", .string("gc"))], called: "gc") }
}
