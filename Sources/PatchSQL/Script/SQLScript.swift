import PatchFiles
import PatchModel

/// A file of SQL, cut into its statements.
///
/// A line comment `-- patchd:reconnect` between two statements opens a new session there, so that what is before it is
/// committed before what is behind it begins; `-- patchd:transaction none`, anywhere, runs the file without
/// transactions of patchd's.
public struct SQLScript: Hashable, Sendable {
    /// The file's name, for messages.
    public let name: String
    /// In their order.
    public let statements: [SQLStatement]
    /// Whether each part of it runs in one transaction.
    public let isTransactional: Bool
    /// The statements between two `-- patchd:reconnect`: at least one range, the only one of an empty script being
    /// empty.
    public let parts: [Range<Int>]

    /// Bytes that a script may have.
    public static let sizeLimit = 256 << 20

    /// Reads a script.
    ///
    /// - Throws: with the code `sql`: too large, no UTF-8, a text or a comment that never ends, an unknown directive, a
    ///   command of a client program (`.read`, `\i`). Whether it is valid SQL is for the database to say.
    public init(_ bytes: [UInt8], name: String, dialect: SQLDialect) throws(SQLError) {
        guard bytes.count <= Self.sizeLimit else {
            throw SQLError(.sql, "read \(name)", "it has \(bytes.count) bytes; \(Self.sizeLimit) are allowed")
        }
        try Self.checkText(bytes, name)
        var reader = ScriptReader(bytes, name: name, dialect: dialect)
        try reader.read()
        self.name = name
        statements = reader.statements
        isTransactional = reader.isTransactional
        let bounds = [0] + reader.reconnects + [statements.count]
        parts = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    }

    /// SHA-256 of the first statements, blanks and comments left out. Of all of them it is the script's own.
    public func hash(first count: Int? = nil) -> String {
        SHA256.hash(of: statements.prefix(count ?? statements.count).flatMap { Array($0.hash.utf8) })
    }

    /// The line of a byte, from 1.
    static func line(of offset: Int, in bytes: some Sequence<UInt8>) -> Int {
        bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    }

    private static func checkText(_ bytes: [UInt8], _ name: String) throws(SQLError) {
        func refuse(_ line: Int, _ cause: String) -> SQLError {
            SQLError(.sql, "read \(name)", at: .init(file: name, line: line), cause)
        }
        if let zero = bytes.firstIndex(of: 0) {
            throw refuse(line(of: zero, in: bytes), "there is a zero byte; scripts are UTF-8")
        }
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw refuse(bad + 1, "it is not UTF-8; convert it, for instance with iconv(1)")
    }
}

/// Goes through a script once.
private struct ScriptReader {
    var statements: [SQLStatement] = []
    var reconnects: [Int] = []
    var isTransactional = true

    private let bytes: [UInt8]
    private let name: String
    private var lexer: SQLLexer
    /// As it is before a statement changes it.
    private let original: SQLDialect
    /// The statement under way.
    private var tokens: [SQLLexer.Token] = []
    private var trigger = TriggerEnd()
    private var body = AtomicBody()
    /// Its words and symbols.
    private var whole: [UInt8] = []

    init(_ bytes: [UInt8], name: String, dialect: SQLDialect) {
        // Windows editors put one in front; to SQLite it would be part of the first word.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        self.name = name
        lexer = SQLLexer(self.bytes, dialect)
        original = dialect
    }

    mutating func read() throws(SQLError) {
        while let token = try next() {
            switch token.kind {
            case .comment: try directive(token)
            case .delimiter:
                if lexer.dialect.compound == .triggers, !trigger.ends(at: .semicolon) {
                    tokens.append(token)
                } else if lexer.dialect.compound == .atomicBodies, body.isOpen {
                    tokens.append(token)
                } else {
                    try finish()
                }
            case .word, .quoted, .symbol:
                if tokens.isEmpty, try isClientCommand(token) { continue }
                if lexer.dialect.compound == .atomicBodies {
                    guard bytes[token.bytes] != [UInt8(ascii: "\\")] else {
                        throw refusal(token.line, "a command of psql stands in the statement; leave it out")
                    }
                    body.take(token.kind == .quoted ? "" : text(token).uppercased())
                }
                if lexer.dialect.compound == .triggers, !trigger.isOrdinary {
                    _ = trigger.ends(at: token.kind == .word ? .word(text(token).uppercased()) : .other)
                }
                tokens.append(token)
            }
        }
        try finish()
    }

    private mutating func next() throws(SQLError) -> SQLLexer.Token? {
        do throws(SQLLexer.Unclosed) {
            return try lexer.next()
        } catch {
            throw refusal(error.line, "\(error.what) that begins there \(error.how)")
        }
    }

    private func text(_ token: SQLLexer.Token) -> String { String(decoding: bytes[token.bytes], as: UTF8.self) }

    private func refusal(_ line: Int, _ cause: String) -> SQLError {
        SQLError(.sql, "read \(name)", at: .init(file: name, line: line), cause)
    }

    /// What a client program would take as an order to itself: `.read`, `\i`, `DELIMITER`.
    ///
    /// - Returns: whether it was one that was followed.
    private mutating func isClientCommand(_ token: SQLLexer.Token) throws(SQLError) -> Bool {
        let first = bytes[token.bytes.lowerBound]
        if first == UInt8(ascii: ".") || first == UInt8(ascii: "\\") {
            let line = String(decoding: Array(bytes[token.bytes]) + lexer.restOfLine(), as: UTF8.self)
            // pg_dump writes them to keep psql from running anything else.
            if lexer.dialect.compound == .atomicBodies,
                ["\\restrict", "\\unrestrict"].contains(line.prefix { $0 != " " })
            {
                return true
            }
            throw refusal(
                token.line,
                "\"\(line.prefix(SQLStatement.summaryLength))\" is an order to a client program, no SQL; leave it out"
            )
        }
        switch (lexer.dialect.compound, text(token).uppercased()) {
        case (.delimiterCommand, "DELIMITER"):
            // As the client program does, which takes one word.
            lexer.delimiter = Array(lexer.restOfLine().prefix { $0 > UInt8(ascii: " ") })
            guard !lexer.delimiter.isEmpty else { throw refusal(token.line, "DELIMITER names nothing") }
            return true
        case (.setTerm, "SET"):
            var behind = lexer
            guard let word = try? behind.next(), text(word).uppercased() == "TERM" else { return false }
            lexer = behind
            lexer.delimiter = lexer.term()
            guard !lexer.delimiter.isEmpty else { throw refusal(token.line, "SET TERM names nothing") }
            return true
        default: return false
        }
    }

    /// Firebird's applications have this word between the statements of their updates.
    private var isReconnect: Bool {
        lexer.dialect.compound == .setTerm && tokens.count == 1 && text(tokens[0]).uppercased() == "RECONNECT"
    }

    private mutating func reconnect() {
        if reconnects.last != statements.count, !statements.isEmpty { reconnects.append(statements.count) }
    }

    private mutating func directive(_ token: SQLLexer.Token) throws(SQLError) {
        let comment = text(token)
        guard comment.hasPrefix("--") else { return }
        let words = comment.dropFirst(2).split(whereSeparator: \.isWhitespace)
        guard let order = words.first, order.hasPrefix("patchd:") else { return }
        switch words {
        case ["patchd:reconnect"]:
            guard tokens.isEmpty else { throw refusal(token.line, "\(order) stands in the middle of a statement") }
            reconnect()
        case ["patchd:transaction", "none"]: isTransactional = false
        default:
            throw refusal(
                token.line,
                "\"\(words.joined(separator: " "))\" is unknown; there are patchd:reconnect and patchd:transaction none"
            )
        }
    }

    private mutating func finish() throws(SQLError) {
        defer {
            tokens.removeAll(keepingCapacity: true)
            trigger = TriggerEnd()
            body = AtomicBody()
        }
        guard let first = tokens.first, let last = tokens.last else { return }
        if isReconnect { return reconnect() }
        whole.removeAll(keepingCapacity: true)
        for token in tokens {
            whole += bytes[token.bytes]
            whole.append(UInt8(ascii: " "))
        }
        let data = try copyData(first)
        whole += data ?? []
        if lexer.dialect.compound == .delimiterCommand { lexer.dialect.follow(bytes, tokens, from: original) }
        let keyword = first.kind == .word ? text(first).uppercased() : text(first)
        // What stands behind these makes no other kind of statement of them, and they are the many.
        let isPlain = ["INSERT", "UPDATE", "DELETE", "SELECT", "REPLACE"].contains(keyword)
        let rest = isPlain ? [] : tokens.prefix(8).dropFirst()
        statements.append(
            SQLStatement(
                number: statements.count + 1, line: first.line,
                text: String(decoding: bytes[first.bytes.lowerBound..<last.bytes.upperBound], as: UTF8.self),
                head: [keyword] + rest.map { $0.kind == .word ? text($0).uppercased() : text($0) },
                hash: SHA256.hash(of: whole), data: data))
    }

    /// What `COPY … FROM stdin` reads: the lines behind it.
    private mutating func copyData(_ first: SQLLexer.Token) throws(SQLError) -> ArraySlice<UInt8>? {
        guard lexer.dialect.compound == .atomicBodies, first.kind == .word, text(first).uppercased() == "COPY" else {
            return nil
        }
        let words = tokens.map { $0.kind == .word ? text($0).uppercased() : "" }
        guard let from = words.lastIndex(of: "FROM"), words.dropFirst(from + 1).first == "STDIN" else { return nil }
        let rest = lexer.restOfLine()
        guard rest.isEmpty else { throw refusal(lexer.line, "its data begins in the line behind COPY") }
        do throws(SQLLexer.Unclosed) {
            lexer.endLine()
            return try lexer.lines(through: first.line)
        } catch {
            throw refusal(error.line, "\(error.what) that begins there never ends: a line \\. is missing")
        }
    }
}

/// Whether a semicolon ends a statement of SQLite's, which within `CREATE TRIGGER` only `; END ;` does; the states of
/// sqlite3_complete().
private struct TriggerEnd {
    enum Input: Equatable { case word(String), semicolon, other }
    private enum State { case start, explained, created, within, semicolon, end, ordinary }
    private var state = State.start

    /// Whether every semicolon ends it.
    var isOrdinary: Bool { state == .ordinary }

    mutating func ends(at input: Input) -> Bool {
        switch (state, input) {
        case (.start, .semicolon), (.explained, .semicolon), (.created, .semicolon), (.ordinary, .semicolon),
            (.end, .semicolon):
            return true
        case (.start, .word("EXPLAIN")): state = .explained
        case (.start, .word("CREATE")), (.explained, .word("CREATE")): state = .created
        case (.explained, .word("EXPLAIN")), (.explained, .word("TEMP")), (.explained, .word("TEMPORARY")),
            (.explained, .word("TRIGGER")), (.explained, .word("END")):
            state = .ordinary
        // QUERY PLAN
        case (.explained, _): break
        case (.created, .word("TEMP")), (.created, .word("TEMPORARY")): break
        case (.created, .word("TRIGGER")): state = .within
        case (.within, .semicolon), (.semicolon, .semicolon): state = .semicolon
        case (.semicolon, .word("END")): state = .end
        case (.within, _), (.semicolon, _), (.end, _): state = .within
        default: state = .ordinary
        }
        return false
    }
}

/// Whether a semicolon of PostgreSQL's stands within a statement: in parentheses, or between `BEGIN ATOMIC` and its `END`.
private struct AtomicBody {
    private var parentheses = 0
    /// `BEGIN ATOMIC` and each `CASE` within it.
    private var depth = 0
    private var last = ""

    var isOpen: Bool { parentheses > 0 || depth > 0 }

    /// - Parameter word: in capitals, or a symbol.
    mutating func take(_ word: String) {
        switch word {
        case "(": parentheses += 1
        case ")": parentheses = max(0, parentheses - 1)
        case "ATOMIC" where last == "BEGIN" && depth == 0: depth = 1
        case "CASE" where depth > 0: depth += 1
        case "END" where depth > 0: depth -= 1
        default: break
        }
        last = word
    }
}
