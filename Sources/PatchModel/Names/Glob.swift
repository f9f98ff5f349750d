/// A pattern for names and relative paths.
///
/// `*` stands for any characters but `/`, `?` for one of them, `[a-z]` and `[!a-z]` for one of a set; `**` also crosses
/// `/`, and `**/` stands for any number of directories, none included. A leading dot is nothing special, a backslash
/// quotes nothing, a `[` without its `]` stands for itself. Case counts. Matching takes time proportional to pattern times
/// text at most, whatever the pattern.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    private let tokens: [Token]

    private enum Token: Hashable {
        case one(Unicode.Scalar)
        case any
        case set([ClosedRange<Unicode.Scalar>], negated: Bool)
        case run
        case everything
        case directories
    }

    /// Any text is a pattern.
    public init(_ pattern: String) {
        description = pattern
        tokens = Self.tokens(of: Array(pattern.unicodeScalars))
    }

    /// Whether the pattern contains anything but literal characters.
    public var isPattern: Bool {
        !tokens.allSatisfy {
            if case .one = $0 { true } else { false }
        }
    }

    /// Whether the whole text matches; for names, and for paths where the pattern is a whole path.
    public func matches(_ text: String) -> Bool {
        var states = [Bool](repeating: false, count: tokens.count + 1)
        reach(0, in: &states)
        for scalar in text.unicodeScalars {
            var next = [Bool](repeating: false, count: tokens.count + 1)
            for (index, token) in tokens.enumerated() where states[index] {
                switch token {
                case .one(let wanted): if scalar == wanted { reach(index + 1, in: &next) }
                case .any: if scalar != "/" { reach(index + 1, in: &next) }
                case .set(let ranges, let negated):
                    let isMember = ranges.contains { $0.contains(scalar) }
                    if scalar != "/", isMember != negated { reach(index + 1, in: &next) }
                case .run: if scalar != "/" { reach(index, in: &next) }
                case .everything: reach(index, in: &next)
                case .directories:
                    // In the middle of a component, only a slash leads to the next state.
                    next[index] = true
                    if scalar == "/" { reach(index + 1, in: &next) }
                }
            }
            states = next
        }
        return states[tokens.count]
    }

    /// Whether a relative path matches: a pattern without `/` is compared with the last component, so that `*.ini`
    /// means such files in every directory; any other with the whole path.
    public func matches(path: String) -> Bool {
        if description.unicodeScalars.contains("/") { return matches(path) }
        let name = path.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).last
        return matches(name.map { String($0) } ?? path)
    }

    /// Marks a state and those that follow it without reading a character.
    private func reach(_ index: Int, in states: inout [Bool]) {
        var index = index
        while true {
            states[index] = true
            guard index < tokens.count else { return }
            switch tokens[index] {
            case .run, .everything, .directories: index += 1
            case .one, .any, .set: return
            }
        }
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
                // A repeated token means no more than one, and would only lengthen the chains of ``reach``.
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
