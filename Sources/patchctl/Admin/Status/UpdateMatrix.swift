import PatchModel

/// Which update stands how in which folder: values in, lines out.
struct UpdateMatrix {
    /// One folder's column.
    struct Column {
        let name: String
        let version: Version?
        /// Oldest first.
        let history: [HistoryEntry]
    }

    let columns: [Column]

    private struct Update: Hashable {
        let name: String
        let version: Version
    }

    /// Lowest version first.
    private var updates: [Update] {
        let all = columns.flatMap { column in
            column.history.compactMap { entry in
                entry.operation == .apply ? entry.to.map { Update(name: entry.update, version: $0) } : nil
            }
        }
        return Set(all).sorted { ($0.version, $0.name) < ($1.version, $1.name) }
    }

    func lines(within width: Int?) -> [Line] {
        let updates = updates
        let head = ["UPDATE", "VERSION"] + columns.map(\.name)
        let rows = updates.map { update in
            Table.Row([update.name, update.version.description] + columns.map { cell(update, $0) }, Stream.Colour.none)
        }
        let wide = Table(head: head, rows).lines(within: nil)
        guard let width, wide.contains(where: { CellWidth.of($0.text) > width }) else { return wide }
        // A folder a line.
        return updates.flatMap { update -> [Line] in
            [Line(text: CellWidth.cut("\(update.name) \(update.version)", to: width))]
                + Table(columns.map { Table.Row(["  " + $0.name, cell(update, $0)], Stream.Colour.none) })
                .lines(within: width)
        }
    }

    /// `done`, `failed`, `undone`; `has it` without a record: it was configured or baselined so. `-`: not yet.
    private func cell(_ update: Update, _ column: Column) -> String {
        var cell = column.version.map { $0 >= update.version } ?? false ? "has it" : "-"
        var job = 0
        for entry in column.history {
            if entry.undone?.contains(job) == true, job > 0 { cell = "undone" }
            guard entry.operation == .apply, entry.update == update.name, entry.to == update.version else { continue }
            switch entry.state {
            case .done: (cell, job) = ("done", entry.job)
            case .failed, .reverted, .blocked: (cell, job) = (entry.state.rawValue, entry.job)
            default: break
            }
        }
        return cell
    }
}
