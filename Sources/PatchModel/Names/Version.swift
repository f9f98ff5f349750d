/// A version as the contract defines it: it begins with a digit, consists of `[0-9A-Za-z.+~:-]`, has at most 64
/// characters, and compares as `dpkg --compare-versions` does (deb-version(7)). Equality follows that order, so `1.0`
/// equals `1.00` and `1.0-0`.
public struct Version: Comparable, Hashable, Codable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let description: String

    /// Characters that a version may have.
    public static let maximumLength = 64

    /// Reads a version.
    ///
    /// Nil when the text breaks the contract's syntax, or when dpkg itself would refuse to compare it: an epoch that is
    /// no number or too large, nothing after the colon, an empty upstream part, an empty revision after a hyphen.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard let first = bytes.first, Self.isDigit(first), bytes.count <= Self.maximumLength,
            bytes.allSatisfy(Self.isAllowed), Parts(text) != nil
        else { return nil }
        description = text
    }

    /// The order of `dpkg --compare-versions`.
    public static func < (left: Version, right: Version) -> Bool { left.compare(to: right) < 0 }

    /// Whether neither is above the other.
    public static func == (left: Version, right: Version) -> Bool { left.compare(to: right) == 0 }

    /// Versions that compare as equal have the same hash.
    public func hash(into hasher: inout Hasher) {
        let parts = Parts(valid: description)
        hasher.combine(parts.epoch)
        hasher.combine(Self.canonical(parts.upstream))
        hasher.combine(Self.canonical(parts.revision))
    }

    /// Reads a version from a JSON string.
    ///
    /// - Throws: `DecodingError` when it is anything else.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let version = Version(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no version")
        }
        self = version
    }

    /// Writes ``description``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    private func compare(to other: Version) -> Int {
        let left = Parts(valid: description)
        let right = Parts(valid: other.description)
        if left.epoch != right.epoch { return left.epoch < right.epoch ? -1 : 1 }
        let upstream = Self.compare(left.upstream, right.upstream)
        return upstream != 0 ? upstream : Self.compare(left.revision, right.revision)
    }

    /// Epoch, upstream version and revision.
    private struct Parts {
        var epoch = 0
        var upstream: Substring.UTF8View
        var revision: Substring.UTF8View

        /// The parts of a text that is known to be valid.
        init(valid text: String) {
            self = Parts(text) ?? Parts(upstream: text[...].utf8)
        }

        private init(upstream: Substring.UTF8View) {
            self.upstream = upstream
            revision = "".utf8[...]
        }

        /// Nil where dpkg reports an error (warnings of dpkg are accepted).
        init?(_ text: String) {
            upstream = text[...].utf8
            revision = "".utf8[...]
            if let colon = upstream.firstIndex(of: UInt8(ascii: ":")) {
                // dpkg reads the epoch into an int.
                guard let epoch = Int32(String(Substring(upstream[..<colon]))), epoch >= 0,
                    upstream[..<colon].allSatisfy(Version.isDigit)
                else { return nil }
                self.epoch = Int(epoch)
                upstream = upstream[upstream.index(after: colon)...]
            }
            if let hyphen = upstream.lastIndex(of: UInt8(ascii: "-")) {
                revision = upstream[upstream.index(after: hyphen)...]
                upstream = upstream[..<hyphen]
                guard !revision.isEmpty else { return nil }
            }
            guard !upstream.isEmpty else { return nil }
        }
    }

    /// dpkg's `verrevcmp`: runs of other characters and runs of digits in turn. Digits are compared as text without
    /// leading zeros, longer is larger, so that no length overflows.
    private static func compare(_ left: Substring.UTF8View, _ right: Substring.UTF8View) -> Int {
        var left = left
        var right = right
        while !left.isEmpty || !right.isEmpty {
            while left.first.map({ !isDigit($0) }) ?? false || right.first.map({ !isDigit($0) }) ?? false {
                let (a, b) = (weight(left.first), weight(right.first))
                if a != b { return a < b ? -1 : 1 }
                left = left.dropFirst()
                right = right.dropFirst()
            }
            let (a, b) = (takeNumber(&left), takeNumber(&right))
            if a.count != b.count { return a.count < b.count ? -1 : 1 }
            if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) ? -1 : 1 }
        }
        return 0
    }

    /// The tilde sorts before the end, the end (and a digit, which ends the run) before letters, letters before the rest.
    private static func weight(_ character: UInt8?) -> Int {
        guard let character, !isDigit(character) else { return 0 }
        if character == UInt8(ascii: "~") { return -1 }
        return isLetter(character) ? Int(character) : Int(character) + 256
    }

    private static func takeNumber(_ text: inout Substring.UTF8View) -> Substring.UTF8View {
        let digits = text.prefix(while: isDigit)
        text = text[digits.endIndex...]
        return digits.drop { $0 == UInt8(ascii: "0") }
    }

    /// The same bytes for all spellings that compare as equal: numbers without leading zeros, a 0 at the end left out,
    /// since the end counts as 0.
    private static func canonical(_ part: Substring.UTF8View) -> [UInt8] {
        var rest = part
        var key: [UInt8] = []
        while !rest.isEmpty {
            let other = rest.prefix { !isDigit($0) }
            key += other
            rest = rest[other.endIndex...]
            let hadDigits = !rest.isEmpty
            let number = takeNumber(&rest)
            if !number.isEmpty {
                key += number
            } else if hadDigits && !rest.isEmpty {
                key.append(UInt8(ascii: "0"))
            }
        }
        return key
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || ".+~:-".utf8.contains(byte)
    }
}
