/// Values as they stand in a statement of patchd's own.
enum MariaDBLiteral {
    /// A statement with its values in place of each `?` that stands outside of quotes.
    static func bind(_ statement: String, _ values: [String?]) -> String {
        guard !values.isEmpty else { return statement }
        var bound = ""
        var quote: Character?
        var rest = values[...]
        for character in statement {
            if character == "?", quote == nil, let value = rest.popFirst() {
                bound += value.map(literal) ?? "NULL"
                continue
            }
            if character == quote { quote = nil } else if quote == nil, "'\"`".contains(character) { quote = character }
            bound.append(character)
        }
        return bound
    }

    /// A text that is the same whatever a script made of `sql_mode` and the character sets of the session: without
    /// backslashes and letters beyond ASCII, which then are written as their bytes. So is the empty text, which may
    /// be NULL otherwise.
    static func literal(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }
        guard isPlain, !value.isEmpty else {
            let digits = Array("0123456789ABCDEF".utf8)
            let hex = value.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            return "_utf8mb4 X'\(String(decoding: hex, as: UTF8.self))'"
        }
        return "'\(value.replacing("'", with: "''"))'"
    }
}
