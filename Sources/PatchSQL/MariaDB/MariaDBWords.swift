/// What the server sees of a statement: comments are left out, and of those that it runs, such as `/*!40101 … */`, the
/// inside stands in their place.
struct MariaDBWords {
    struct Word: Equatable {
        enum Kind { case word, name, text, symbol }
        var kind: Kind
        /// A word in capitals; a quoted name without its quotes; a text with them.
        var text: String
        /// As it was written, without quotes.
        var plain: String

        /// Whether it can be the name of something.
        var isName: Bool { kind == .word || kind == .name }
    }

    private(set) var words: [Word] = []

    /// - Parameter limit: how many words are enough.
    init(_ text: String, limit: Int = .max) { read(Array(text.utf8), limit) }

    /// Words that were cut out of a statement.
    init(_ words: some Sequence<Word>) { self.words = Array(words) }

    private mutating func read(_ bytes: [UInt8], _ limit: Int) {
        var lexer = SQLLexer(bytes, .mariadb)
        // Statements of a compound one are no end of it; it was cut before.
        while words.count < limit, let token = try? lexer.next() {
            let text = bytes[token.bytes]
            switch token.kind {
            case .comment: break
            case .symbol where text.count > 1: read(Self.inside(text), limit)
            case .word:
                let plain = String(decoding: text, as: UTF8.self)
                words.append(Word(kind: .word, text: plain.uppercased(), plain: plain))
            case .quoted:
                let quoted = String(decoding: text, as: UTF8.self)
                let plain = Self.unquoted(text)
                // In ANSI_QUOTES it is a name; where a name is looked for, nothing else can stand there.
                let isName = text.first != UInt8(ascii: "'")
                words.append(Word(kind: isName ? .name : .text, text: isName ? plain : quoted, plain: plain))
            case .symbol, .delimiter:
                let symbol = String(decoding: text, as: UTF8.self)
                words.append(Word(kind: .symbol, text: symbol, plain: symbol))
            }
        }
    }

    /// `CREATE`, of `/*!50003 CREATE */` and `/*M!100100 CREATE */`.
    private static func inside(_ comment: ArraySlice<UInt8>) -> [UInt8] {
        let rest = comment.dropFirst(2).drop { $0 == UInt8(ascii: "M") }.dropFirst()
        return Array(rest.drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.dropLast(2))
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> String {
        guard let quote = text.first else { return "" }
        var plain: [UInt8] = []
        var rest = text.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`"), let next = rest.popFirst() {
                plain.append(next)
            } else {
                plain.append(byte)
                // Within, a quote stands twice.
                if byte == quote { _ = rest.popFirst() }
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// A word in capitals or a symbol; empty where the statement has ended.
    subscript(_ index: Int) -> String { index < words.count ? words[index].text : "" }

    /// Whether it begins with these words.
    func starts(with expected: String...) -> Bool { words.lazy.map(\.text).starts(with: expected) }

    /// Whether it has a word or a symbol.
    func contains(_ word: String) -> Bool { words.contains { $0.kind != .text && $0.text == word } }

    /// Whether words follow each other in it.
    func contains(_ expected: [String]) -> Bool {
        words.indices.contains { words[$0...].lazy.map(\.text).starts(with: expected) }
    }

    /// The user variables that it names, in small letters: `@x`, not `@@x`.
    var variables: Set<String> {
        var found: Set<String> = []
        for index in words.indices.dropFirst() where words[index - 1].text == "@" && words[index].kind != .symbol {
            let isSystem = index > 1 && words[index - 2].text == "@"
            // 'user'@'host' is an account.
            let isAccount = index > 1 && [.text, .name].contains(words[index - 2].kind)
            if !isSystem, !isAccount { found.insert(words[index].plain.lowercased()) }
        }
        return found
    }
}
