import PatchModel

/// What came out of a folder's rehearsal, on paper.
struct RehearsalView {
    let folder: FolderRehearsal

    /// Statements that are shown; JSON has the others.
    private static let shown = 5

    func print() {
        let outcome =
            folder.ok ? "went well" : folder.error == nil && folder.notIdempotent == nil ? "nothing tried" : "failed"
        Output.line(
            "  rehearsal of \(folder.folder): \(outcome), took \(Self.time(folder.seconds)), "
                + "downtime to expect \(Self.time(folder.downtimeSeconds))")
        if let error = folder.error { Output.line("    error: \(error)") }
        for failure in folder.notIdempotent ?? [] {
            Output.line("    cannot run twice: \(failure.script): \(failure.message)")
        }
        for omission in folder.notRehearsed {
            Output.line("    not rehearsed: \(omission.script.isEmpty ? "" : omission.script + ": ")\(omission.reason)")
        }
        let slowest = folder.statements.sorted { $0.seconds > $1.seconds }.prefix(Self.shown)
        for statement in slowest {
            let text = statement.summary.isEmpty ? "" : "  \(statement.summary)"
            Output.line("    \(Self.time(statement.seconds))  \(statement.script):\(statement.line)\(text)")
        }
        let more = folder.statements.count - slowest.count + folder.statementsLeftOut
        if more > 0 { Output.line("    and \(more) more that took no longer") }
    }

    /// `0.013 s`.
    private static func time(_ seconds: Double) -> String { "\((seconds * 1000).rounded() / 1000) s" }
}
