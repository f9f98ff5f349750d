/// A reader of JSON that accepts only what every reader reads alike (RFC 8259, and stricter): UTF-8 without a byte
/// order mark, no name twice in an object, no trailing comma, no NUL and no lone surrogate, limited depth and string
/// length.
///
/// Foundation's decoders accept duplicate keys (using the first or the last, depending on the class), byte order marks,
/// UTF-16 and trailing commas; everything from outside is therefore read here.
public enum StrictJSON {
    /// Reads one JSON text.
    ///
    /// - Parameters:
    ///   - bytes: The whole text.
    ///   - maximumDepth: How deep objects and arrays may be nested.
    ///   - maximumString: Bytes that a string or a member's name may have, without its escapes.
    /// - Throws: ``JSONError`` with the position of the first defect. Control characters written as escapes are no
    ///   error here (``JSONReader`` refuses them where they make no sense), NUL always is.
    public static func parse(
        _ bytes: [UInt8], maximumDepth: Int = 16, maximumString: Int = 4096
    ) throws(JSONError) -> JSONValue {
        var scanner = JSONScanner(bytes: bytes, maximumDepth: maximumDepth, maximumString: maximumString)
        return try scanner.parse()
    }
}

/// What is wrong with a JSON text, and its position.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// 1, 2, 3 …
    public var line: Int
    /// 1, 2, 3 …, counted in bytes.
    public var column: Int
    /// For people.
    public var reason: String

    /// `line 3, column 5: reason`.
    public var description: String { "line \(line), column \(column): \(reason)" }
}

/// Recursive descent; the depth limit bounds the stack.
private struct JSONScanner {
    let bytes: [UInt8]
    let maximumDepth: Int
    let maximumString: Int
    var position = 0
    var depth = 0

    init(bytes: [UInt8], maximumDepth: Int, maximumString: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.maximumString = maximumString
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func parse() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error("begins with a byte order mark; save it as plain UTF-8")
        }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            throw error("is UTF-16; save it as UTF-8")
        }
        skipSpace()
        guard current != nil else { throw error("is empty") }
        let value = try value()
        skipSpace()
        guard current == nil else { throw error("something follows the end of the JSON text") }
        return value
    }

    mutating func value() throws(JSONError) -> JSONValue {
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return .number(try number())
        default:
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("null") { return .null }
            throw error(current == nil ? "ends where a value is expected" : "a value is expected here")
        }
    }

    mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take("}") { return leave(.object(members)) }
        while true {
            skipSpace()
            let start = position
            guard current == UInt8(ascii: "\"") else {
                throw error(
                    current == UInt8(ascii: "}")
                        ? "a comma before the closing brace" : "a key in double quotes is expected here")
            }
            let name = try string()
            guard names.insert(name).inserted else {
                throw error("the key \"\(name)\" is here for the second time", at: start)
            }
            skipSpace()
            guard take(":") else { throw error("a colon is expected here") }
            skipSpace()
            members.append(JSONValue.Member(name, try value()))
            skipSpace()
            if take("}") { return leave(.object(members)) }
            guard take(",") else { throw error("a comma or a closing brace is expected here") }
        }
    }

    mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return leave(.array(values)) }
        while true {
            skipSpace()
            if current == UInt8(ascii: "]") { throw error("a comma before the closing bracket") }
            values.append(try value())
            skipSpace()
            if take("]") { return leave(.array(values)) }
            guard take(",") else { throw error("a comma or a closing bracket is expected here") }
        }
    }

    mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= maximumDepth else { throw error("lies deeper than \(maximumDepth) levels") }
        position += 1
    }

    mutating func leave(_ value: JSONValue) -> JSONValue {
        depth -= 1
        return value
    }

    mutating func number() throws(JSONError) -> String {
        let start = position
        _ = take("-")
        // A number begins with 0 only when that is its whole integer part.
        if !take("0") { try digits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= maximumString else { throw error("the number is too long", at: start) }
        if let next = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
            throw error("a number has no leading zeros", at: start)
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func digits() throws(JSONError) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw error("a digit is expected here") }
    }

    mutating func string() throws(JSONError) -> String {
        let start = position
        var content: [UInt8] = []
        position += 1
        while true {
            guard let byte = current else { throw error("the text that begins here does not end", at: start) }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw error("the text that begins here is not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"): content += String(try escape()).utf8
            case 0..<0x20: throw error("a control character in a text; write it as an escape")
            default:
                content.append(byte)
                position += 1
            }
            guard content.count <= maximumString else {
                throw error("the text that begins here is longer than \(maximumString) bytes", at: start)
            }
        }
    }

    mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        position += 1
        guard let byte = current else { throw error("the text ends within an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            var code = UInt32(unit)
            if UTF16.isLeadSurrogate(unit), take("\\u") {
                let second = try hexadecimal()
                guard UTF16.isTrailSurrogate(second) else { throw error("half of a surrogate pair", at: start) }
                code = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair", at: start) }
            guard code != 0 else { throw error("a NUL character", at: start) }
            return scalar
        default: throw error("no escape that JSON knows", at: start)
        }
    }

    mutating func hexadecimal() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits are expected after \\u")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    mutating func take(_ word: StaticString) -> Bool {
        let expected = word.utf8CodeUnitCount
        guard position + expected <= bytes.count else { return false }
        let matches = word.withUTF8Buffer { bytes[position..<position + expected].elementsEqual($0) }
        if matches { position += expected }
        return matches
    }

    func error(_ reason: String, at offset: Int? = nil) -> JSONError {
        let before = bytes[..<min(offset ?? position, bytes.count)]
        let newline = UInt8(ascii: "\n")
        let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return JSONError(
            line: before.count { $0 == newline } + 1, column: before.count - lineStart + 1, reason: reason)
    }
}
