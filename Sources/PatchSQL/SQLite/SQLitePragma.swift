/// A setting that a script makes: `PRAGMA [schema.]name = value` or `PRAGMA [schema.]name(value)`.
struct SQLitePragma {
    /// In small letters.
    let name: String
    /// In capitals, without quotes.
    let value: String

    /// Nil where the statement is another one, or only asks.
    init?(_ statement: SQLStatement) {
        guard statement.head.first == "PRAGMA" else { return nil }
        var words = statement.head.dropFirst()
        if words.dropFirst().first == "." { words = words.dropFirst(2) }
        guard words.count > 2, let name = words.first, let value = words.dropFirst(2).first else { return nil }
        self.name = Self.bare(name).lowercased()
        self.value = Self.bare(value).uppercased()
    }

    private static func bare(_ word: String) -> String {
        let isQuoted = word.utf8.count > 1 && "'\"`[".contains(word.first ?? " ")
        return isQuoted ? String(word.dropFirst().dropLast()) : word
    }

    /// Whether it switches the check of foreign keys off; what SQLite does not understand means off.
    var switchesForeignKeysOff: Bool { name == "foreign_keys" && !["ON", "1", "TRUE", "YES"].contains(value) }
}
