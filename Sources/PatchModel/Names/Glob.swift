/// A pattern for names and relative paths.
///
/// `*` stands for any characters but `/`, `?` for one of them, `[a-z]` and `[!a-z]` for one of a set; `**` also crosses
/// `/`, and `**/` stands for any number of directories, none included. A leading dot is nothing special, a backslash
/// quotes nothing, a `[` without its `]` stands for itself. Case counts. Matching looks at each character of the text once,
/// whatever the pattern (``GlobAutomaton``).
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    private let automaton: GlobAutomaton
    /// Whether the pattern contains anything but characters that stand for themselves.
    public let isPattern: Bool
    /// The characters that stand for themselves at the pattern's end: most names fail there, at once.
    private let ending: [UInt8]

    /// The most bytes of a pattern that an archive or a configuration brings.
    public static let longest = 512
    /// The most patterns in one list of them.
    public static let most = 200

    enum Token: Hashable {
        case one(Unicode.Scalar)
        case any
        case set([ClosedRange<Unicode.Scalar>], negated: Bool)
        case run
        case everything
        case directories

        /// The character that it stands for; nil for every other token.
        var literal: Unicode.Scalar? { if case .one(let scalar) = self { scalar } else { nil } }
    }

    /// Any text is a pattern.
    public init(_ pattern: String) {
        description = pattern
        let tokens = Self.tokens(of: Array(pattern.unicodeScalars))
        isPattern = !tokens.allSatisfy { $0.literal != nil }
        let literals = tokens.reversed().prefix { $0.literal != nil }.reversed().compactMap(\.literal)
        ending = Array(String(String.UnicodeScalarView(literals)).utf8)
        automaton = GlobAutomaton(tokens)
    }

    /// Whether the whole text matches; for names, and for paths where the pattern is a whole path.
    public func matches(_ text: String) -> Bool {
        var steps = 0
        return matches(text, steps: &steps)
    }

    /// The same, and counts the words of states that were computed: for the test of the bound.
    func matches(_ text: String, steps: inout Int) -> Bool {
        guard text.utf8.suffix(ending.count).elementsEqual(ending) else { return false }
        return automaton.accepts(text, steps: &steps)
    }

    /// Equal where they were written alike.
    public static func == (left: Glob, right: Glob) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    /// As it was written.
    public func hash(into hasher: inout Hasher) { hasher.combine(Array(description.utf8)) }

    /// Whether a relative path matches: a pattern without `/` is held against the last component alone, so that `*.ini`
    /// means such files wherever they lie; any other against the whole path.
    public func matches(path: String) -> Bool {
        if description.unicodeScalars.contains("/") { return matches(path) }
        let name = path.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).last
        return matches(name.map { String($0) } ?? path)
    }

    private static func tokens(of pattern: [Unicode.Scalar]) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < pattern.count {
            switch pattern[index] {
            case "*":
                let start = index
                while index < pattern.count, pattern[index] == "*" { index += 1 }
                var token = index - start == 1 ? Token.run : .everything
                if token == .everything, start == 0 || pattern[start - 1] == "/", index < pattern.count,
                    pattern[index] == "/"
                {
                    token = .directories
                    index += 1
                }
                // Twice the same says no more than once.
                if tokens.last != token { tokens.append(token) }
            case "?":
                tokens.append(.any)
                index += 1
            case "[":
                if let (token, end) = set(in: pattern, at: index) {
                    tokens.append(token)
                    index = end
                } else {
                    tokens.append(.one("["))
                    index += 1
                }
            case let scalar:
                tokens.append(.one(scalar))
                index += 1
            }
        }
        return tokens
    }

    /// The set that begins at a `[`, and where it ends; nil where it has no end.
    private static func set(in pattern: [Unicode.Scalar], at start: Int) -> (Token, Int)? {
        var index = start + 1
        var negated = false
        if index < pattern.count, pattern[index] == "!" || pattern[index] == "^" {
            negated = true
            index += 1
        }
        let first = index
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while index < pattern.count {
            let low = pattern[index]
            // A closing bracket in the first position is a literal.
            if low == "]", index > first { return (.set(ranges, negated: negated), index + 1) }
            if index + 2 < pattern.count, pattern[index + 1] == "-", pattern[index + 2] != "]" {
                // A range written backwards is empty, as in fnmatch(3).
                if low <= pattern[index + 2] { ranges.append(low...pattern[index + 2]) }
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return nil
    }
}
