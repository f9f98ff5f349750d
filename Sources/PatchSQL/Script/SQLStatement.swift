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
