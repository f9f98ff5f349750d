/// Cuts SQL into what a database's own lexer would see, as far as the ends of statements depend on it.
struct SQLLexer {
    struct Token {
        enum Kind { case word, quoted, symbol, comment, delimiter }
        var kind: Kind
        var bytes: Range<Int>
        /// From 1.
        var line: Int
    }

    /// What is opened and never closed, or in too many others.
    struct Unclosed: Error {
        var what: String
        var line: Int
        var how = "never ends"
    }

    let source: [UInt8]
    /// MariaDB's `sql_mode` may change it in the middle of a script.
    var dialect: SQLDialect
    /// What ends a statement; only MariaDB's `DELIMITER` changes it.
    var delimiter = [UInt8(ascii: ";")]
    private(set) var line = 1
    private var at = 0
    /// How many comments that MariaDB runs are open.
    private var depth = 0
    /// The lexer calls itself for each.
    private static let depthLimit = 64

    init(_ source: [UInt8], _ dialect: SQLDialect) {
        self.source = source
        self.dialect = dialect
    }

    /// The next token, nil at the end. Blanks are passed over.
    mutating func next() throws(Unclosed) -> Token? {
        while let byte = peek(), byte <= UInt8(ascii: " ") { advance() }
        guard let byte = peek() else { return nil }
        let start = at
        let startLine = line
        let kind = try scan(byte)
        return Token(kind: kind, bytes: start..<at, line: startLine)
    }

    /// The rest of the line, without blanks at its ends.
    mutating func restOfLine() -> [UInt8] {
        let start = at
        while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
        var rest = source[start..<at]
        while let first = rest.first, first <= UInt8(ascii: " ") { rest.removeFirst() }
        while let last = rest.last, last <= UInt8(ascii: " ") { rest.removeLast() }
        return Array(rest)
    }

    /// Goes to the next line.
    mutating func endLine() { advance() }

    /// The lines up to one that is `\.`, without it.
    mutating func lines(through start: Int) throws(Unclosed) -> ArraySlice<UInt8> {
        let first = at
        while at < source.count {
            let begin = at
            while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
            let text = source[begin..<at]
            advance()
            if text == [UInt8(ascii: "\\"), UInt8(ascii: ".")] || text == Array("\\.\r".utf8)[...] {
                return source[first..<begin]
            }
        }
        throw Unclosed(what: "the data of COPY", line: start)
    }

    private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < source.count ? source[at + ahead] : nil }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where at < source.count {
            if source[at] == UInt8(ascii: "\n") { line += 1 }
            at += 1
        }
    }

    private func isAhead(_ text: some Sequence<UInt8>) -> Bool { source[at...].starts(with: text) }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    private mutating func scan(_ byte: UInt8) throws(Unclosed) -> Token.Kind {
        if isAhead(delimiter) {
            advance(delimiter.count)
            return .delimiter
        }
        if isAhead("/*".utf8) { return try blockComment() }
        if isLineComment() {
            while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
            return .comment
        }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            try quoted(by: byte, hasBackslashes: hasBackslashes(in: byte))
            return .quoted
        case _ where dialect.extraQuotes.contains(byte):
            try quoted(by: byte, hasBackslashes: false)
            return .quoted
        case UInt8(ascii: "[") where dialect.hasBrackets:
            try skip(through: "]".utf8, "the name in brackets")
            return .quoted
        case UInt8(ascii: "$") where dialect.hasDollarQuotes:
            if let tag = dollarTag() {
                advance(tag.count)
                try skip(through: tag, "the text in dollars")
                return .quoted
            }
        case UInt8(ascii: "q") where isQText, UInt8(ascii: "Q") where isQText:
            try qText()
            return .quoted
        default: break
        }
        guard Self.isWord(byte) else {
            advance()
            return .symbol
        }
        // `end$$` is a word and a delimiter.
        while let byte = peek(), Self.isWord(byte), byte != delimiter[0] || !isAhead(delimiter) { advance() }
        return .word
    }

    private func isLineComment() -> Bool {
        guard isAhead("--".utf8) else { return dialect.hasHashComments && peek() == UInt8(ascii: "#") }
        return !dialect.hasHashComments || (peek(2) ?? UInt8(ascii: " ")) <= UInt8(ascii: " ")
    }

    private func hasBackslashes(in quote: UInt8) -> Bool {
        // A name in quotes has none.
        if quote == UInt8(ascii: "\""), dialect.hasQuotedNames { return false }
        return dialect.hasBackslashes || (quote == UInt8(ascii: "'") && isEscapeText)
    }

    private mutating func blockComment() throws(Unclosed) -> Token.Kind {
        let start = line
        if isExecutable {
            guard depth < Self.depthLimit else {
                throw Unclosed(what: "the comment", line: start, how: "lies in \(depth) others")
            }
            depth += 1
            defer { depth -= 1 }
            advance(3)
            try executable(from: start)
            return .symbol
        }
        var depth = 1
        advance(2)
        while depth > 0 {
            guard at < source.count else { throw Unclosed(what: "the comment", line: start) }
            if isAhead("*/".utf8) {
                depth -= 1
                advance(2)
            } else if dialect.hasNestedComments, isAhead("/*".utf8) {
                depth += 1
                advance(2)
            } else {
                advance()
            }
        }
        return .comment
    }

    /// Whether a comment begins here whose inside MariaDB runs: `/*! */` and `/*M! */`, with a version behind that it has.
    private var isExecutable: Bool {
        guard dialect.hasHashComments else { return false }
        let start = isAhead("/*!".utf8) ? 3 : isAhead("/*M!".utf8) ? 4 : 0
        guard start > 0 else { return false }
        let digits = source[(at + start)...].prefix(6).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits.count >= 5, let version = Int(String(decoding: digits, as: UTF8.self)) else { return true }
        // Versions of MySQL that MariaDB never had, and one that no server ever has.
        return !(50700...99999).contains(version) && version < 999_999
    }

    /// To the end of such a comment: texts and comments within are passed over as everywhere.
    private mutating func executable(from start: Int) throws(Unclosed) {
        let outer = delimiter
        defer { delimiter = outer }
        // Within, a semicolon ends nothing.
        delimiter = Array("*/".utf8)
        while let byte = peek() {
            if try scan(byte) == .delimiter { return }
        }
        throw Unclosed(what: "the comment", line: start)
    }

    /// Whether an `E` stands right before the quote: PostgreSQL's text with backslashes.
    private var isEscapeText: Bool {
        guard dialect.hasDollarQuotes, at > 0, source[at - 1] | 0x20 == UInt8(ascii: "e") else { return false }
        return at < 2 || !Self.isWord(source[at - 2])
    }

    private mutating func quoted(by quote: UInt8, hasBackslashes: Bool) throws(Unclosed) {
        let start = line
        advance()
        while let byte = peek() {
            if byte == UInt8(ascii: "\\"), hasBackslashes {
                advance(2)
            } else if byte != quote {
                advance()
            } else if peek(1) == quote {
                advance(2)
            } else {
                return advance()
            }
        }
        throw Unclosed(what: "the text in \(Character(UnicodeScalar(quote)))", line: start)
    }

    private mutating func skip(through end: some Collection<UInt8>, _ what: String) throws(Unclosed) {
        let start = line
        while at < source.count {
            if isAhead(end) { return advance(end.count) }
            advance()
        }
        throw Unclosed(what: what, line: start)
    }

    /// Whether `q'` is ahead, a character to end it with behind it.
    private var isQText: Bool {
        dialect.hasQTexts && peek(1) == UInt8(ascii: "'") && (peek(2) ?? UInt8(ascii: " ")) > UInt8(ascii: " ")
    }

    private mutating func qText() throws(Unclosed) {
        let pairs: [UInt8: Character] = [
            UInt8(ascii: "{"): "}", UInt8(ascii: "("): ")", UInt8(ascii: "["): "]", UInt8(ascii: "<"): ">",
        ]
        let first = peek(2) ?? 0
        advance(3)
        let last = pairs[first].map { Array("\($0)".utf8) } ?? [first]
        try skip(through: last + [UInt8(ascii: "'")], "the text in q''")
    }

    /// What stands behind `SET TERM`, with the end of the command by the delimiter of before where there is one.
    mutating func term() -> [UInt8] {
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
        let start = at
        while let byte = peek(), byte > UInt8(ascii: " "), at == start || !isAhead(delimiter) { advance() }
        let term = Array(source[start..<at])
        var rest = self
        while let byte = rest.peek(), byte <= UInt8(ascii: " ") { rest.advance() }
        if rest.isAhead(delimiter) {
            rest.advance(delimiter.count)
            self = rest
        }
        return term
    }

    private func dollarTag() -> [UInt8]? {
        var tag = [UInt8(ascii: "$")]
        for byte in source[(at + 1)...] {
            tag.append(byte)
            if byte == UInt8(ascii: "$") { return tag }
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard Self.isWord(byte), !(isDigit && tag.count == 2) else { return nil }
        }
        return nil
    }
}
