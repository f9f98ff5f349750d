import PatchModel

/// What a command prints, on standard output.
enum Output {
    static func line(_ text: String, _ colour: Stream.Colour = .none) { Stream.output.line(text, colour) }

    static func text(_ text: String) { Stream.output.text(text) }

    static func json(_ value: some Encodable) throws { try Stream.output.json(value) }

    static func table(_ rows: [Table.Row]) {
        for (line, colour) in Table(rows).lines(within: Screen.size?.columns) { Stream.output.line(line, colour) }
    }

    static func table(_ rows: [[String]]) { table(rows.map { Table.Row($0) }) }

    static func redraw(_ lines: [String], over count: Int) { Stream.output.redraw(lines, over: count) }
}
