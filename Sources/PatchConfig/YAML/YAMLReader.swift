/// Builds the tree of one YAML document.
///
/// The configuration uses the plain part of YAML: anchors, aliases, tags, several documents and repeated keys are
/// reported, because each of them makes a file mean something else than what it shows.
struct YAMLReader: ~Copyable {
    /// How deep lists and maps may be nested; the configuration's own depth is 4.
    static let depthLimit = 16
    /// Bytes of one file.
    static let sizeLimit = 1 << 20

    private var parser: YAMLParser
    private let problems: Problems

    /// Reads a document. Nil when it is empty, or when it is no YAML, which is reported.
    static func read(_ bytes: [UInt8], file: String, problems: Problems) -> YAMLNode? {
        do throws(YAMLSyntaxError) {
            var reader = YAMLReader(parser: try YAMLParser(bytes, file: file), problems: problems)
            return try reader.document()
        } catch {
            problems.report(at: error.place, error.message)
            return nil
        }
    }

    private init(parser: consuming YAMLParser, problems: Problems) {
        self.parser = parser
        self.problems = problems
    }

    private mutating func document() throws(YAMLSyntaxError) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let event = try parser.next()
            switch event.kind {
            case .streamStart, .documentEnd: continue
            case .streamEnd: return root
            case .documentStart:
                if root != nil {
                    problems.report(at: event.place, "a second document begins here; a file holds one")
                    return root
                }
                let node = try node(from: try parser.next(), depth: 0)
                if case .text("") = node.content { continue }
                root = node
            default: continue
            }
        }
    }

    private mutating func node(from event: YAMLEvent, depth: Int) throws(YAMLSyntaxError) -> YAMLNode {
        guard depth <= Self.depthLimit else {
            throw YAMLSyntaxError(
                place: event.place, message: "lists and maps are nested more than \(Self.depthLimit) deep here")
        }
        if let anchor = event.anchor {
            problems.report(at: event.place, "\"&\(anchor)\" is an anchor; write the value out where it is needed")
        }
        if let tag = event.tag {
            problems.report(at: event.place, "\"\(tag)\" is a tag; every value is plain text here, leave the tag out")
        }
        switch event.kind {
        case .text(let text):
            if text.unicodeScalars.contains("\0") {
                problems.report(at: event.place, "the text holds a NUL character")
                return YAMLNode(content: .broken, place: event.place)
            }
            return YAMLNode(content: .text(text), place: event.place)
        case .listStart: return YAMLNode(content: .list(try list(depth: depth)), place: event.place)
        case .mapStart: return YAMLNode(content: .map(try map(depth: depth)), place: event.place)
        case .alias(let name):
            problems.report(at: event.place, "\"*\(name)\" is an alias; write the value out where it is needed")
            return YAMLNode(content: .broken, place: event.place)
        default: return YAMLNode(content: .broken, place: event.place)
        }
    }

    private mutating func list(depth: Int) throws(YAMLSyntaxError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try parser.next()
            if case .listEnd = event.kind { return items }
            items.append(try node(from: event, depth: depth + 1))
        }
    }

    private mutating func map(depth: Int) throws(YAMLSyntaxError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var seen: [String: SourceLocation] = [:]
        while true {
            let event = try parser.next()
            if case .mapEnd = event.kind { return entries }
            let key = try node(from: event, depth: depth + 1)
            let value = try node(from: try parser.next(), depth: depth + 1)
            guard case .text(let name) = key.content else {
                problems.report(at: key.place, "a key is a word, this is \(key.kind)")
                continue
            }
            if let first = seen[name] {
                problems.report(at: key.place, "key \"\(name)\" is given twice; first in line \(first.line)")
                continue
            }
            seen[name] = key.place
            entries.append(YAMLNode.Entry(key: name, place: key.place, value: value))
        }
    }
}
