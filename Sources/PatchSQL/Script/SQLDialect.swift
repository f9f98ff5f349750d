/// The lexical rules in which databases differ, as far as finding the end of a statement needs them.
public struct SQLDialect: Hashable, Sendable {
    /// How a statement gets semicolons into itself.
    public enum Compound: Hashable, Sendable {
        /// Not at all, outside of quotes.
        case none
        /// `CREATE TRIGGER … BEGIN …; END;`, ended as sqlite3_complete() says.
        case triggers
        /// Within parentheses, and in `BEGIN ATOMIC … END` of a function; `COPY … FROM stdin` has its data behind it. As
        /// PostgreSQL's psql has it.
        case atomicBodies
        /// A line `DELIMITER $$` makes `$$` the end of a statement; a command of MariaDB's client.
        case delimiterCommand
        /// `SET TERM ^ ;` makes `^` the end of a statement; a command of Firebird's isql.
        case setTerm
    }

    /// What opens a quoted text or name besides `'` and `"`; doubled within, it stands for itself.
    public var extraQuotes: [UInt8] = []
    /// Whether `[name]` is a quoted name.
    public var hasBrackets = false
    /// Whether a backslash within `'` and `"` takes the next character along.
    public var hasBackslashes = false
    /// Whether `"name"` is a name, in which a backslash is one even where ``hasBackslashes`` holds.
    public var hasQuotedNames = false
    /// Whether `$tag$ … $tag$` is a text.
    public var hasDollarQuotes = false
    /// Whether `/* /* */ */` is one comment.
    public var hasNestedComments = false
    /// Whether `#` begins a comment, and `--` only with a blank behind it.
    public var hasHashComments = false
    /// Whether `q'{ … }'` is a text.
    public var hasQTexts = false
    /// How a statement gets semicolons into itself.
    public var compound: Compound = .none

    /// What a name is quoted with.
    public var nameQuote: Character = "\""
    /// How texts are compared byte by byte, whatever their column's collation says.
    public enum Exactness: Hashable, Sendable {
        /// They are, or what stands around a value makes it so.
        case around(prefix: String = "", suffix: String = "")
        /// Both sides are made bytes first, the value through the type of its column.
        case bytes
    }

    /// How texts are compared byte by byte.
    public var exactness: Exactness = .around()
    /// What limits the rows of a query, with a number behind it.
    public var rowLimit = "LIMIT"
    /// Whether a table without a key can be compared with a temporary copy of its new rows.
    public var hasTemporaryCopies = true
    /// How patchd's own tables are made.
    public var own = OwnTableForm()

    /// A table's or column's name as it stands in a statement.
    func quoted(_ name: String) -> String {
        let doubled = name.flatMap { $0 == nameQuote ? [$0, $0] : [$0] }
        return "\(nameQuote)\(String(doubled))\(nameQuote)"
    }

    /// That a column has a value, `?`, byte by byte; both names quoted.
    func isExactly(_ column: String, of table: String) -> String {
        switch exactness {
        case .around(let prefix, let suffix): "\(column) = \(prefix)?\(suffix)"
        case .bytes:
            "CAST(\(column) AS BLOB SUB_TYPE BINARY) = "
                + "CAST(CAST(? AS TYPE OF COLUMN \(table).\(column)) AS BLOB SUB_TYPE BINARY)"
        }
    }

    /// A column in a form in which a grouping keeps texts apart that are not the same bytes.
    func exactly(_ column: String) -> String {
        guard case .around(let prefix, let suffix) = exactness else { return column }
        return prefix + column + suffix
    }
}

/// How an engine wants patchd's own tables to be written.
public struct OwnTableForm: Hashable, Sendable {
    /// What creates a table that may be there by then, where the engine can say that.
    public var create = "CREATE TABLE IF NOT EXISTS"
    /// What stands behind the type of a name.
    public var nameSuffix = ""
    /// The type of a text for people.
    public var text = "text"
    /// The column with the time, where `at` is a word of the engine's own.
    public var at = "at"
    /// What stands behind the columns: how the engine is to keep the table. Empty, or with a blank in front.
    public var options = ""
}
