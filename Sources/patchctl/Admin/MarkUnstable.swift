import ArgumentParser
import PatchJSON
import PatchModel

struct MarkUnstable: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply an update with --force only from now on, and recommend it no more.",
        discussion: "Exits 4 for an update of which there was no job. \"patchctl marks\" lists what is marked.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are known.")
    var update: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try KnownUpdates(daemon.directories)?.check(update)
        try daemon.send(
            [.init("command", text: "markUnstable"), .init("update", text: update)], called: "mark-unstable")
    }
}

struct MarkStable: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take the mark of an unstable update away.")

    @Argument(help: "NAME, or NAME@VERSION where several versions are marked.")
    var update: String

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        try daemon.send([.init("command", text: "markStable"), .init("update", text: update)], called: "mark-stable")
    }
}

/// The updates of which there was a job, by name. A mark for another one is a slip that nobody would ever see.
private struct KnownUpdates {
    let versions: [String: Set<Version>]

    /// Nil for a user who may not read jobs; the daemon knows them.
    init?(_ directories: Directories) {
        guard let jobs = try? directories.readableJobs() else { return nil }
        versions = Dictionary(grouping: jobs, by: \.update).mapValues { Set($0.map(\.version)) }
    }

    func check(_ text: String) throws {
        guard let update = UpdateName(text) else {
            throw Failure(.usage, "\"\(text)\" is no update; name one as NAME or NAME@VERSION")
        }
        guard let known = versions[update.name] else {
            let hint = Suggestion.hint(for: update.name, in: versions.keys.sorted())
            throw Failure(.refused, "there was no job of an update \(update.name)\(hint)")
        }
        if let version = update.version, !known.contains(version) {
            Notes.line("there was no job of \(update) yet; the mark counts as soon as it comes")
        }
    }
}
