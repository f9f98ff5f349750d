import PatchModel

/// Folders as a tree; one whose parent is not among them is drawn at the top.
struct TreeView {
    let folders: [StatusReport.Folder]
    private let children: [String: [StatusReport.Folder]]

    init(folders: [StatusReport.Folder]) {
        self.folders = folders
        children = Dictionary(grouping: folders) { $0.parent ?? "" }
    }

    var rows: [Table.Row] {
        let names = Set(folders.map(\.state.folder))
        let tops = folders.filter { folder in folder.parent.map { !names.contains($0) } ?? true }
        return tops.flatMap { top in [row(top, "")] + children(of: top, indent: "") }
    }

    private func children(of folder: StatusReport.Folder, indent: String) -> [Table.Row] {
        let children = children[folder.state.folder] ?? []
        return children.enumerated().flatMap { index, child in
            let isLast = index == children.count - 1
            return [row(child, indent + (isLast ? "└─ " : "├─ "))]
                + self.children(of: child, indent: indent + (isLast ? "   " : "│  "))
        }
    }

    private func row(_ folder: StatusReport.Folder, _ lead: String) -> Table.Row {
        let state = folder.state
        let marks =
            (state.behind && state.status != .behind ? " (behind)" : "") + (state.diverged ? " (diverged)" : "")
            + (folder.isInactive ? " (inactive)" : "")
        let status = folder.isGone ? "gone" : state.status.rawValue
        let reason = folder.cause.reason.isEmpty ? state.message : folder.cause.reason
        return Table.Row(
            [
                lead + state.folder, state.version?.description ?? "unknown", status + marks,
                LocalTime.text(state.updatedAt), reason,
            ],
            below: folder.cause.next.isEmpty ? [] : ["next: \(folder.cause.next)"],
            folder.isGone ? Stream.Colour.none : nil)
    }
}
