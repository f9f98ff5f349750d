import PatchModel

/// What a value should have been.
struct InvalidValue: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// A map of the configuration with the keys that it may have; every read reports what is wrong with the value.
struct Section {
    let place: SourceLocation
    private let entries: [YAMLNode.Entry]
    private let problems: Problems

    /// Nil when the node is no map. Reports that, and every key that is not known.
    init?(_ node: YAMLNode, _ what: String, keys: [String], problems: Problems) {
        guard case .map(let entries) = node.content else {
            if case .broken = node.content { return nil }
            problems.report(at: node.place, "\(what) is a map of keys and values, found \(node.kind)")
            return nil
        }
        for entry in entries where !keys.contains(entry.key) {
            problems.report(
                at: entry.place, "unknown key \"\(entry.key)\"" + Suggestion.hint(for: entry.key, in: keys))
        }
        place = node.place
        self.entries = entries
        self.problems = problems
    }

    /// The position of a key; nil when it is not given.
    func place(of key: String) -> SourceLocation? { entry(key)?.place }

    /// A key's map; nil when it is not given or no map.
    func section(_ key: String, keys: [String]) -> Section? {
        entry(key).flatMap { Section($0.value, "\"\(key)\"", keys: keys, problems: problems) }
    }

    /// A key's list, item by item; nil when it is not given or none.
    func items(_ key: String, atMost limit: Int = .max) -> [YAMLNode]? {
        guard let node = entry(key)?.value else { return nil }
        switch node.content {
        case .list(let items):
            if items.count > limit {
                problems.report(at: node.place, "\"\(key)\" has \(items.count) items; \(limit) are allowed")
            }
            return Array(items.prefix(limit))
        case .broken: return nil
        default:
            problems.report(at: node.place, "\"\(key)\" is a list, such as [a, b]; found \(node.kind)")
            return nil
        }
    }

    /// The entries of a map with keys of the admin's own choosing.
    func pairs(_ key: String) -> [YAMLNode.Entry]? {
        guard let node = entry(key)?.value else { return nil }
        switch node.content {
        case .map(let entries): return entries
        case .broken: return nil
        default:
            problems.report(at: node.place, "\"\(key)\" is a map of keys and values, found \(node.kind)")
            return nil
        }
    }

    /// A key's value; nil when it is not given or wrong.
    func value<Value>(
        _ key: String, _ parse: (String) throws(InvalidValue) -> Value
    ) -> Located<Value>? {
        entry(key).flatMap { value(of: $0.value, "\"\(key)\"", parse) }
    }

    /// A required key's value; nil when it is wrong or missing, both of which are reported.
    func required<Value>(
        _ key: String, of what: String, _ parse: (String) throws(InvalidValue) -> Value
    ) -> Located<Value>? {
        guard entry(key) != nil else {
            problems.report(at: place, "\(what) needs the key \"\(key)\"")
            return nil
        }
        return value(key, parse)
    }

    /// Stores a key's value in `target`, which keeps its default when the key is not given or wrong.
    func read<Value>(
        _ key: String, into target: inout Value, _ parse: (String) throws(InvalidValue) -> Value
    ) {
        if let found = value(key, parse) { target = found.value }
    }

    /// The same for one of a few words.
    func read<Word: RawRepresentable<String>>(
        _ key: String, into target: inout Word, oneOf words: [Word]
    ) {
        if let found = choice(key, words) { target = found.value }
    }

    /// One of a few words; nil when it is not given or another.
    func choice<Word: RawRepresentable<String>>(_ key: String, _ words: [Word]) -> Located<Word>? {
        value(key) { text throws(InvalidValue) in
            guard let word = words.first(where: { $0.rawValue == text }) else {
                throw ScalarReader.unknown(text, among: words.map(\.rawValue))
            }
            return word
        }
    }

    /// The same for a list, of which only the valid items are taken.
    func read<Value>(
        _ key: String, into target: inout [Value], eachBy parse: (String) throws(InvalidValue) -> Value
    ) {
        if let found = list(key, parse) { target = found }
    }

    /// A list's right items; nil when the key is not given or no list.
    func list<Value>(
        _ key: String, atMost limit: Int = .max, _ parse: (String) throws(InvalidValue) -> Value
    ) -> [Value]? {
        items(key, atMost: limit).map { items in
            items.compactMap { value(of: $0, "an item of \"\(key)\"", parse)?.value }
        }
    }

    /// A node's value; `what` begins the message when it is wrong.
    func value<Value>(
        of node: YAMLNode, _ what: String, _ parse: (String) throws(InvalidValue) -> Value
    ) -> Located<Value>? {
        switch node.content {
        case .broken: return nil
        case .text(let text):
            do throws(InvalidValue) {
                return Located(value: try parse(text), place: node.place)
            } catch {
                problems.report(at: node.place, "\(what) \(error.message)")
                return nil
            }
        default:
            problems.report(at: node.place, "\(what) is a single value, found \(node.kind)")
            return nil
        }
    }

    /// A key's text, unchecked; for names, which others refer to even when they are malformed.
    func raw(_ key: String) -> Located<String>? {
        guard let node = entry(key)?.value, case .text(let text) = node.content, !text.isEmpty else { return nil }
        return Located(value: text, place: node.place)
    }

    private func entry(_ key: String) -> YAMLNode.Entry? { entries.first { $0.key == key } }
}
