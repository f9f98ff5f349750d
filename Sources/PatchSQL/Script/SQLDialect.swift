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
    /// How a statement gets semicolons into itself.
    public var compound: Compound = .none

    /// What a name is quoted with.
    public var nameQuote: Character = "\""
    /// What stands in front of a value and behind it so that texts are equal byte by byte only, whatever its column's
    /// collation says.
    public var exactPrefix = ""
    /// See ``exactPrefix``.
    public var exact = ""

    /// A table's or column's name as it stands in a statement.
    func quoted(_ name: String) -> String {
        let doubled = name.flatMap { $0 == nameQuote ? [$0, $0] : [$0] }
        return "\(nameQuote)\(String(doubled))\(nameQuote)"
    }
}
