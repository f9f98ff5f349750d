extension SQLDialect {
    /// MariaDB without `NO_BACKSLASH_ESCAPES`. Its collations that end in `_bin` alone pad texts with blanks.
    public static let mariadb = SQLDialect(
        extraQuotes: [UInt8(ascii: "`")], hasBackslashes: true, hasHashComments: true, compound: .delimiterCommand,
        nameQuote: "`", exactness: .around(prefix: "CONVERT(", suffix: " USING utf8mb4) COLLATE utf8mb4_nopad_bin"),
        own: OwnTableForm(
            options: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin ROW_FORMAT=DYNAMIC"))

    /// Modes that make a name of a text in double quotes.
    private static let quotingModes = ["ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"]

    /// Takes in a statement that may set `sql_mode`, by which the ends of those behind it are found. One that sets it to
    /// something that is not written there, as the end of a dump does, sets it back.
    mutating func follow(_ bytes: [UInt8], _ tokens: [SQLLexer.Token], from original: SQLDialect) {
        // A SET, or a comment that may be one.
        guard let first = tokens.first, tokens.count < 200, [.word, .symbol].contains(first.kind),
            bytes[first.bytes.lowerBound] | 0x20 == UInt8(ascii: "s") || first.kind == .symbol
        else { return }
        let text = bytes[first.bytes.lowerBound..<tokens[tokens.count - 1].bytes.upperBound]
        let words = MariaDBWords(String(decoding: text, as: UTF8.self)).words
        let places = words.indices.dropLast().filter { index in
            words[index].text == "SQL_MODE" && ["=", ":"].contains(words[index + 1].text)
        }
        guard words.first?.text == "SET", let at = places.last,
            !words.prefix(5).contains(where: { $0.text == "GLOBAL" })
        else { return }
        var depth = 0
        let value = words[(at + 1)...].prefix { word in
            if word.text == "(" { depth += 1 } else if word.text == ")" { depth -= 1 }
            return depth > 0 || word.text != ","
        }.map { $0.plain.uppercased() }.joined(separator: " ")
        let isAdded = value.contains("@ @")
        let hasEscapesOff = value.contains("NO_BACKSLASH_ESCAPES")
        let hasNames = Self.quotingModes.contains { value.contains($0) }
        hasBackslashes = hasEscapesOff ? false : isAdded ? hasBackslashes : original.hasBackslashes
        hasQuotedNames = hasNames ? true : isAdded ? hasQuotedNames : original.hasQuotedNames
    }
}
