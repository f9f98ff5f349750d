/// Text that others wrote (a vendor, a script, a process's name, a file's), made safe for a terminal or a log: escape
/// sequences would move the cursor, and bidirectional or zero-width characters would show another text than there is.
public enum Printable {
    /// A text of several lines. Line feeds and tabs stay; what is not shown as itself is escaped.
    public static func text(_ text: String) -> String { escaped(text) { $0 == "\n" || $0 == "\t" ? String($0) : nil } }

    /// One line. What follows a line feed is indented, so that it cannot pass for a line of its own.
    public static func line(_ text: String) -> String {
        escaped(text) { $0 == "\n" ? "\n  " : $0 == "\t" ? "\t" : nil }
    }

    /// One cell of a table: line feeds and tabs become blanks.
    public static func cell(_ text: String) -> String { escaped(text) { $0 == "\n" || $0 == "\t" ? " " : nil } }

    /// A JSON document: what is not shown as itself is escaped as JSON does it, so that it is read back as it was.
    public static func json(_ document: String) -> String {
        if isPlain(document) { return document }
        var result = String.UnicodeScalarView()
        for scalar in document.unicodeScalars {
            if scalar == "\n" || isShown(scalar) {
                result.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    result += "\\u\(hexadecimal(UInt32(unit), digits: 4))".unicodeScalars
                }
            }
        }
        return String(result)
    }

    /// Whether a character is shown as itself, at its own place, by every terminal.
    public static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        // Choosing between the forms of the character before it hides nothing.
        default: !scalar.properties.isDefaultIgnorableCodePoint || (0xFE00...0xFE0F).contains(scalar.value)
        }
    }

    private static func escaped(_ text: String, _ special: (Unicode.Scalar) -> String?) -> String {
        if isPlain(text), !text.utf8.contains(UInt8(ascii: "\n")) { return text }
        var result = String.UnicodeScalarView()
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let scalar = scalars[index]
            let next = scalars.index(after: index)
            // A line that ends as on Windows.
            if scalar == "\r", next == scalars.endIndex || scalars[next] == "\n" { continue }
            if let text = special(scalar) {
                result += text.unicodeScalars
            } else if isShown(scalar) {
                result.append(scalar)
            } else if scalar.value < 0x100 {
                result += "\\x\(hexadecimal(scalar.value, digits: 2))".unicodeScalars
            } else {
                result += "\\u{\(hexadecimal(scalar.value, digits: 4))}".unicodeScalars
            }
        }
        return String(result)
    }

    /// ASCII without control characters other than the line feed: most texts are that, and need no second look.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == UInt8(ascii: "\n") }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
