import PatchModel

/// What a command prints, on standard output.
enum Output {
    static func line(_ text: String, _ colour: Stream.Colour = .none) { Stream.output.line(text, colour) }

    static func lines(_ lines: [Line]) {
        for line in lines { Stream.output.line(line.text, line.colour) }
    }

    /// One line of text, folded to the screen.
    static func paragraph(_ text: String, lead: String = "", _ colour: Stream.Colour = .none) {
        lines(
            Folding.lines(Printable.cell(text), lead: lead, indent: lead + "  ", within: Screen.size?.columns).map {
                Line(text: $0, colour: colour)
            })
    }

    static func text(_ text: String) { Stream.output.text(text) }

    static func json(_ value: some Encodable) throws { try Stream.output.json(value) }

    static func table(head: [String] = [], _ rows: [Table.Row]) {
        lines(Table(head: head, rows).lines(within: Screen.size?.columns))
    }

    static func table(head: [String] = [], _ rows: [[String]]) { table(head: head, rows.map { Table.Row($0) }) }

    static func redraw(_ lines: [Line], over count: Int) { Stream.output.redraw(lines, over: count) }
}
