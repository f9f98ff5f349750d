import PatchModel

/// Columns as wide as they have to be.
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

    init(_ rows: [Row]) {
        self.rows = rows.map { row in
            Row(row.cells.map(Printable.cell), below: row.below.map(Printable.cell), row.colour)
        }
    }

    /// Narrower than this, the last column is not folded: a word a line cannot be read.
    private static let narrowest = 24

    /// The table's lines. The last column is folded where the screen has a width, and not filled up.
    func lines(within width: Int?) -> [(String, Stream.Colour)] {
        let columns = rows.map(\.cells.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.cells.count ? Self.width($0.cells[column]) : 0 }.max() ?? 0
        }
        let indent = widths.dropLast().map { $0 + 2 }.reduce(0, +)
        let room = width.map { max($0 - indent, Self.narrowest) }
        return rows.flatMap { row -> [(String, Stream.Colour)] in
            var lead = ""
            for (column, cell) in row.cells.prefix(max(0, columns - 1)).enumerated() {
                lead += cell + String(repeating: " ", count: widths[column] - Self.width(cell) + 2)
            }
            let last = row.cells.count == columns ? row.cells.last ?? "" : ""
            let parts = ([last] + row.below).flatMap { Self.folded($0, to: room) }
            return parts.enumerated().map { index, part in
                let begin = index == 0 ? lead : String(repeating: " ", count: indent)
                return (Self.trimmed(begin + part), row.colour)
            }
        }
    }

    private static func folded(_ text: String, to width: Int?) -> [String] {
        guard let width, Self.width(text) > width else { return [text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        return lines + [line]
    }

    private static func trimmed(_ line: String) -> String {
        let end = line.utf8.lastIndex { $0 != UInt8(ascii: " ") }
        return String(line[..<(end.map(line.utf8.index(after:)) ?? line.startIndex)])
    }

    /// How many characters it has. Almost always that is how many bytes it has.
    private static func width(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.count
    }
}
