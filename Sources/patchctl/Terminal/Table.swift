import PatchModel

/// A line with its colour.
struct Line: Equatable {
    var text: String
    var colour = Stream.Colour.none
}

/// Columns as wide as they have to be; where the screen is too narrow for that, a row is a few lines.
struct Table {
    /// One row, with lines that stand below its last cell.
    struct Row {
        var cells: [String]
        var below: [String]
        var colour: Stream.Colour

        init(_ cells: [String], below: [String] = [], _ colour: Stream.Colour? = nil) {
            self.cells = cells
            self.below = below
            self.colour = colour ?? Self.colour(of: cells)
        }

        /// By what a row says.
        private static func colour(of cells: [String]) -> Stream.Colour {
            if cells.contains(where: { ["failed", "error"].contains($0) }) { return .red }
            return cells.contains { ["behind", "blocked", "updating", "reverting"].contains($0) } ? .yellow : .none
        }
    }

    private let rows: [Row]
    private let head: [String]

    /// - Parameter head: the columns' names; empty for a table without.
    init(head: [String] = [], _ rows: [Row]) {
        self.head = head
        self.rows = rows.map { row in
            Row(row.cells.map(Printable.cell), below: row.below.map(Printable.cell), row.colour)
        }
    }

    /// Narrower than this, the last column is not folded: a word a line cannot be read.
    private static let narrowest = 24

    /// The table's lines. The last column is folded where the screen has a width, and not filled up.
    func lines(within width: Int?) -> [Line] {
        let all = (head.isEmpty ? [] : [Row(head, Stream.Colour.none)]) + rows
        let columns = all.map(\.cells.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { column < $0.cells.count ? CellWidth.of($0.cells[column]) : 0 }.max() ?? 0
        }
        let indent = widths.dropLast().map { $0 + 2 }.reduce(0, +)
        if let width, width < indent + min(Self.narrowest, lastWidth(all, columns)) {
            return stacked(within: width)
        }
        return all.flatMap { row -> [Line] in
            var lead = ""
            for (column, cell) in row.cells.prefix(max(0, columns - 1)).enumerated() {
                lead += cell + String(repeating: " ", count: widths[column] - CellWidth.of(cell) + 2)
            }
            let blank = String(repeating: " ", count: indent)
            let last = row.cells.count == columns ? row.cells.last ?? "" : ""
            let parts = Folding.lines(last, lead: lead, indent: blank, within: width)
            return
                (parts + row.below.flatMap { Folding.lines($0, lead: blank, indent: blank + "  ", within: width) })
                .map { Line(text: $0, colour: row.colour) }
        }
    }

    /// What the last column needs.
    private func lastWidth(_ rows: [Row], _ columns: Int) -> Int {
        rows.flatMap { row in (row.cells.count == columns ? row.cells.suffix(1) : []) + row.below }
            .map(CellWidth.of).max() ?? 0
    }

    /// A row's first cell, and below it the others with their columns' names.
    private func stacked(within width: Int) -> [Line] {
        rows.flatMap { row -> [Line] in
            let name = head.first.map { "\($0.lowercased()) " } ?? ""
            var lines = Folding.lines(name + (row.cells.first ?? ""), within: width)
            for (column, cell) in row.cells.enumerated().dropFirst() where !cell.isEmpty && cell != "-" {
                let name = column < head.count ? "\(head[column].lowercased()): " : ""
                lines += Folding.lines(name + cell, lead: "  ", indent: "    ", within: width)
            }
            lines += row.below.flatMap { Folding.lines($0, lead: "  ", indent: "    ", within: width) }
            return lines.map { Line(text: $0, colour: row.colour) }
        }
    }
}
