import PatchModel

/// An endpoint's folders as lines: name, version, and behind them how it stands, since when and why, with the next command.
struct FolderTree {
    let endpoint: StatusReport.Endpoint
    let now: Timestamp
    let width: Int?

    /// Narrower than this, what is behind a version is folded below the name.
    private static let narrowest = 24

    var lines: [Line] {
        let folders = Dictionary(endpoint.folders.map { ($0.state.folder, $0) }) { first, _ in first }
        let shape = TreeShape(endpoint.folders.map { ($0.state.folder, $0.parent) }).rows
        let names = shape.map { CellWidth.of($0.lead + $0.name) }.max() ?? 0
        let versions = folders.values.map { CellWidth.of(version($0)) }.max() ?? 0
        let column = names + versions + 4
        let fits = width.map { $0 >= column + Self.narrowest } ?? true
        return [Line(text: endpoint.endpoint)]
            + shape.flatMap { row -> [Line] in
                guard let folder = folders[row.name] else { return [] }
                let (colour, next) = (colour(folder), folder.cause.next.isEmpty ? "" : "next: \(folder.cause.next)")
                let lead: String
                let indent: String
                if fits {
                    let name = padded(row.lead + row.name, to: names) + "  "
                    lead = name + padded(version(folder), to: versions) + "  "
                    indent = padded(row.below, to: column)
                } else {
                    lead = row.lead
                    indent = CellWidth.of(row.below) * 2 > width ?? .max ? "  " : row.below
                }
                let all =
                    Folding.lines(
                        (fits ? "" : "\(row.name) \(version(folder)) ") + sentence(folder), lead: lead, indent: indent,
                        within: width)
                    + (next.isEmpty
                        ? [] : Folding.lines(Printable.cell(next), lead: indent, indent: indent + "  ", within: width))
                return all.map { Line(text: $0, colour: colour) }
            }
    }

    private func version(_ folder: StatusReport.Folder) -> String { folder.state.version?.description ?? "unknown" }

    private func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - CellWidth.of(text)))
    }

    /// `behind, locked since 18:15 CET (job 3): it is below its reference folder BASE, which has 1.2`.
    private func sentence(_ folder: StatusReport.Folder) -> String {
        let state = folder.state
        let reason = folder.cause.reason.isEmpty ? state.message : folder.cause.reason
        var text = folder.isGone ? "gone" : state.status.rawValue
        if state.behind, state.status != .behind { text += " (behind)" }
        if state.diverged { text += " (diverged)" }
        if folder.isInactive { text += " (inactive)" }
        if folder.lock != nil { text += ", locked" }
        // A folder that was never updated has no such date.
        let since = folder.lock?.since ?? (state.job > 0 || state.status != .current ? state.updatedAt : nil)
        if let since { text += " since \(LocalTime.brief(since, now: now))" }
        let job = folder.lock?.job ?? state.job
        if job > 0, folder.lock != nil || state.status != .current, !reason.contains("job \(job)") {
            text += " (job \(job))"
        }
        return Printable.cell(text + (reason.isEmpty ? "" : ": \(LocalTime.localized(reason, now: now))"))
    }

    private func colour(_ folder: StatusReport.Folder) -> Stream.Colour {
        if folder.isGone { return .none }
        if folder.state.status == .failed { return .red }
        return folder.state.status != .current || folder.state.behind || folder.lock != nil ? .yellow : .none
    }
}
