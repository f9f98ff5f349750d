import PatchModel

/// The updates of which there was a job, by name. A mark for another one is a typo that nobody would notice.
struct KnownUpdates {
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
