/// A line of a trace for people. It is made from the event's JSON without decoding that: a script may print hundreds of
/// thousands of lines.
public struct TraceLine: Hashable, Sendable, CustomStringConvertible {
    /// When, as the event says it.
    public var at: String
    /// The step's title; empty when the line is about the folder as a whole.
    public var step: String
    /// What the line is about.
    public var event: TraceEvent.Kind
    /// A line of output, or a message; empty when the event says it all.
    public var text: String

    /// Reads a line of `traces/<folder>.jsonl`.
    ///
    /// - Parameter before: the line before. What is no event (what the runtime prints when a worker dies) is a message of the
    ///   same time.
    /// - Returns: nil for what is no event at the start.
    public init?(_ json: ArraySlice<UInt8>, after before: TraceLine?) {
        var reader = FlatObject(json)
        if let fields = reader.fields(), let at = fields["at"],
            let event = fields["event"].flatMap(TraceEvent.Kind.init), let step = fields["step"],
            let text = fields["text"]
        {
            (self.at, self.step, self.event, self.text) = (at, step, event, text)
        } else if let before {
            (at, step, event, text) = (before.at, "", .message, String(decoding: json, as: UTF8.self))
        } else {
            return nil
        }
    }

    /// The line of `traces/<folder>.log`.
    public var description: String { line { $0.description } }

    /// The same with the time in another form; the one of the event where that cannot be read.
    public func line(at form: (Timestamp) -> String) -> String {
        let at = Timestamp(self.at).map(form) ?? self.at
        // Lines of output that came together share an event.
        if event == .output, text.utf8.contains(UInt8(ascii: "\n")) {
            return text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { Printable.line("\(at)         | \($0)") }.joined(separator: "\n")
        }
        let what =
            switch event {
            case .started: "start   \(step)"
            case .finished: "done    \(step)"
            case .output: "        | \(text)"
            case .message: step.isEmpty ? "        \(text)" : "        \(step): \(text)"
            }
        let line =
            event == .output || text.isEmpty || event == .message ? "\(at) \(what)" : "\(at) \(what) (\(text))"
        // Almost every line; looking at each character costs more than the rest.
        return line.utf8.allSatisfy { (0x20..<0x7f).contains($0) } ? line : Printable.line(line)
    }
}

/// Reads an object of JSON whose values are texts and whole numbers, as events are.
private struct FlatObject {
    private let bytes: ArraySlice<UInt8>
    private var at: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    /// Nil for anything else.
    mutating func fields() -> [String: String]? {
        var fields: [String: String] = [:]
        guard take("{") else { return nil }
        repeat {
            guard let key = text(), take(":"), let value = text() ?? number() else { return nil }
            fields[key] = value
        } while take(",")
        return take("}") && at == bytes.endIndex ? fields : nil
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard at < bytes.endIndex, bytes[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    private mutating func number() -> String? {
        let digits = bytes[at...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        at = digits.endIndex
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    private mutating func text() -> String? {
        guard take("\"") else { return nil }
        let start = at
        while at < bytes.endIndex, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
        if take("\"") { return String(decoding: bytes[start..<(at - 1)], as: UTF8.self) }
        return escaped(from: start)
    }

    /// The rest of a text in which something is escaped.
    private mutating func escaped(from start: Int) -> String? {
        var units: [UInt8] = Array(bytes[start..<at])
        while at < bytes.endIndex {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: units, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                units.append(byte)
                continue
            }
            guard at < bytes.endIndex else { return nil }
            let kind = bytes[at]
            at += 1
            switch kind {
            case UInt8(ascii: "n"): units.append(0x0a)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "r"): units.append(0x0d)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0c)
            case UInt8(ascii: "u"):
                guard let scalar = scalar() else { return nil }
                units += Array(String(Character(scalar)).utf8)
            default: units.append(kind)
            }
        }
        return nil
    }

    /// What four hexadecimal digits stand for, with a second four where they are half a pair.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let first = unit() else { return nil }
        guard (0xd800..<0xdc00).contains(first), take("\\"), take("u"), let second = unit(),
            (0xdc00..<0xe000).contains(second)
        else { return Unicode.Scalar(first) ?? "\u{fffd}" }
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }

    private mutating func unit() -> UInt32? {
        guard at + 4 <= bytes.endIndex else { return nil }
        defer { at += 4 }
        return UInt32(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16)
    }
}
