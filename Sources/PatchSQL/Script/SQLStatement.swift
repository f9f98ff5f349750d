/// One statement of a script.
public struct SQLStatement: Hashable, Sendable {
    /// From 1, within its script.
    public let number: Int
    /// Where its first word stands, from 1.
    public let line: Int
    /// From its first word to its end, without the delimiter.
    public let text: String
    /// Its first words and symbols, words in capitals: enough to tell what kind of statement it is.
    let head: [String]
    /// SHA-256 of its words and symbols: blanks and comments do not count, so that another licence header or line end
    /// does not make another statement of it.
    let hash: String
    /// What stands behind it for it to read, up to a line `\.`: PostgreSQL's `COPY … FROM stdin`. Nil for any other.
    let data: ArraySlice<UInt8>?

    /// How many characters a ``summary`` has at most.
    public static let summaryLength = 80

    /// The first line, shortened: what `plan` and the trace show.
    public var summary: String {
        let first = text.prefix { !$0.isNewline }
        let isWhole = first.count == text.count && first.count <= Self.summaryLength
        var shown = String(first.prefix(isWhole ? Self.summaryLength : Self.summaryLength - 2))
        while shown.last?.isWhitespace == true { shown.removeLast() }
        return isWhole ? shown : shown + " …"
    }
}

extension SQLStatement {
    /// All its words, quoted texts and symbols, without comments, as they are written.
    func names(of dialect: SQLDialect) -> [String] { tokens(of: dialect) { text, _ in text } }

    /// The same, words in capitals.
    func words(of dialect: SQLDialect) -> [String] {
        tokens(of: dialect) { text, kind in kind == .word ? text.uppercased() : text }
    }

    private func tokens(
        of dialect: SQLDialect, _ form: (String, SQLLexer.Token.Kind) -> String
    ) -> [String] {
        let bytes = Array(text.utf8)
        var lexer = SQLLexer(bytes, dialect)
        var all: [String] = []
        // It was read before, so that it ends well.
        while let token = try? lexer.next() {
            if token.kind == .comment { continue }
            all.append(form(String(decoding: bytes[token.bytes], as: UTF8.self), token.kind))
        }
        return all
    }
}
