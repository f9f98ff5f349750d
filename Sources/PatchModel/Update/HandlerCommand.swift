/// A handler's command line (contract §5). No shell reads it, so a file's name can never become anything but a part of
/// one argument.
///
/// Blanks separate words. `'…'` and `"…"` keep a word's blanks together and are removed; nothing else is special,
/// inside or outside of them: no backslash, no `$`, no `*`. The first word is the absolute path of the program. In the
/// others `{file}` stands for the absolute path of the file, and has to occur.
///
/// Why: docs/decisions/scripts.md#a-handlers-command-line-is-split-by-patchd-not-by-the-shell
public struct HandlerCommand: Hashable, Sendable {
    /// Why a command line is malformed; the message continues after the name of the key.
    public struct Malformed: Error, Hashable, Sendable {
        /// `has a ' without its second one …`.
        public var message: String
    }

    private static let placeholder = Array("{file}".utf8)

    private let words: [[UInt8]]

    /// Reads a command line.
    public init(_ text: String) throws(Malformed) {
        words = try Self.words(of: Array(text.utf8), text)
        guard let program = words.first else { throw Malformed(message: "is empty; it names a program and {file}") }
        guard program.first == UInt8(ascii: "/") else {
            let name = String(decoding: program, as: UTF8.self)
            throw Malformed(message: "begins with the absolute path of a program, not \"\(name)\"")
        }
        guard Self.place(in: program[...]) == nil else {
            throw Malformed(message: "names a program first; \"{file}\" is one of its arguments")
        }
        guard words.contains(where: { Self.place(in: $0[...]) != nil }) else {
            throw Malformed(
                message:
                    "has no \"{file}\", so its program would not learn of the file; did you mean \"\(text) {file}\"?")
        }
    }

    /// Absolute.
    public var program: String { String(decoding: words.first ?? [], as: UTF8.self) }

    /// The program and its arguments for one file.
    public func arguments(file: String) -> [String] {
        words.map { word in
            var bytes: [UInt8] = []
            var rest = word[...]
            while let place = Self.place(in: rest) {
                bytes += rest[..<place] + file.utf8
                rest = rest[(place + Self.placeholder.count)...]
            }
            return String(decoding: bytes + rest, as: UTF8.self)
        }
    }

    private static func place(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: placeholder) }
    }

    private static func words(of text: [UInt8], _ line: String) throws(Malformed) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        for byte in text {
            switch byte {
            case quote: quote = nil
            case _ where quote != nil: word = (word ?? []) + [byte]
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                quote = byte
                word = word ?? []
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? []) + [byte]
            }
        }
        if let quote {
            throw Malformed(message: "has a \(Character(Unicode.Scalar(quote))) without its second one: \(line)")
        }
        if let word { words.append(word) }
        return words
    }
}
