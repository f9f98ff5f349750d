/// Texts folded at their blanks into lines that a terminal does not wrap.
enum Folding {
    /// Narrower than this, nothing can be read.
    private static let narrowest = 8

    /// - Parameters:
    ///   - lead: stands before the first line.
    ///   - indent: stands before the others; left out where it leaves no room.
    ///   - width: nil: nothing is folded.
    static func lines(_ text: String, lead: String = "", indent: String = "  ", within width: Int?) -> [String] {
        guard let width, CellWidth.of(lead) + CellWidth.of(text) > width else { return [trimmed(lead + text)] }
        let indent = CellWidth.of(indent) + narrowest > width ? "" : indent
        var lines: [String] = []
        var (line, used, hasWord) = (lead, CellWidth.of(lead), false)
        func end() {
            lines.append(trimmed(line))
            (line, used, hasWord) = (indent, CellWidth.of(indent), false)
        }
        for word in text.split(separator: " ") {
            var word = Substring(word)
            if used + (hasWord ? 1 : 0) + CellWidth.of(word) > width, hasWord || used > CellWidth.of(indent) { end() }
            // One that is longer than a line.
            while used + CellWidth.of(word) > width, !hasWord {
                let part = CellWidth.beginning(of: word, within: max(1, width - used))
                if part.isEmpty { break }
                line += part
                word = word.dropFirst(part.count)
                end()
            }
            line += (hasWord ? " " : "") + word
            used += CellWidth.of(word) + (hasWord ? 1 : 0)
            hasWord = true
        }
        return hasWord ? lines + [trimmed(line)] : lines
    }

    /// Without blanks at its end.
    static func trimmed(_ line: String) -> String {
        let end = line.utf8.lastIndex { $0 != UInt8(ascii: " ") }
        return String(line[..<(end.map(line.utf8.index(after:)) ?? line.startIndex)])
    }
}
