/// The name of a migration: of a file in `migrations/` without `.sql`, `.up.sql` or `.down.sql` (contract §4). Its vendor
/// numbers it by himself: `0042_x`, `20250923_x`, `V12__x`.
public struct MigrationName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number at the start of a name.
    public struct Number: Hashable, Comparable, Sendable, CustomStringConvertible {
        /// Digits without zeros in front, so that a longer part is a higher one; at least one part.
        private let parts: [String]

        fileprivate init(_ parts: [Substring]) {
            self.parts = parts.map { part in
                let digits = part.drop { $0 == "0" }
                return digits.isEmpty ? "0" : String(digits)
            }
        }

        /// Part by part, as whole numbers; what is only the beginning of the other comes first.
        public static func < (left: Number, right: Number) -> Bool {
            left.parts.lexicographicallyPrecedes(right.parts) { one, other in
                one.utf8.count != other.utf8.count
                    ? one.utf8.count < other.utf8.count : one.utf8.lexicographicallyPrecedes(other.utf8)
            }
        }

        /// `42`, `1.2`.
        public var description: String { parts.joined(separator: ".") }
    }

    /// As the vendor wrote it.
    public let description: String
    /// What orders it.
    public let number: Number

    /// Bytes that a name may have; the record of it has room for this and `.down.sql`.
    public static let longest = 200

    /// A name, with or without `.sql`, `.up.sql` or `.down.sql`; nil where it has no number at its start, or is too long.
    public init?(_ text: String) {
        let name = File(text)?.stem ?? text
        guard (1...Self.longest).contains(name.utf8.count), let number = Self.number(name) else { return nil }
        description = name
        self.number = number
    }

    /// By number, then by name (bytewise).
    public static func < (left: MigrationName, right: MigrationName) -> Bool {
        if left.number != right.number { return left.number < right.number }
        return left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }

    /// Digits, after a `V` or `v` perhaps; then `.` or `_` with digits after it where a further `_`, `.` or the end
    /// follows. So `0042_2fa` is 42.
    private static func number(_ name: String) -> Number? {
        var rest = Substring(name)
        if rest.first == "V" || rest.first == "v" { rest = rest.dropFirst() }
        func digits(_ text: Substring) -> Substring { text.prefix { $0.isASCII && $0.isNumber } }
        var part = digits(rest)
        guard !part.isEmpty else { return nil }
        var parts = [part]
        rest = rest[part.endIndex...]
        while rest.first == "." || rest.first == "_" {
            part = digits(rest.dropFirst())
            let behind = rest[part.endIndex...].first
            guard !part.isEmpty, behind == nil || behind == "." || behind == "_" else { break }
            parts.append(part)
            rest = rest[part.endIndex...]
        }
        return Number(parts)
    }
}

extension MigrationName {
    /// A file of a directory `migrations/`.
    public struct File: Hashable, Sendable {
        /// Its name without what says what it is; nothing else is checked.
        public let stem: String
        /// Whether it is the way back of the migration with that name.
        public let isWayBack: Bool

        /// Nil for a file that is no SQL; such files are ignored. Case counts.
        public init?(_ name: String) {
            guard name.hasSuffix(".sql") else { return nil }
            let stem = name.dropLast(".sql".count)
            isWayBack = stem.hasSuffix(".down")
            let way = isWayBack ? ".down" : stem.hasSuffix(".up") ? ".up" : ""
            self.stem = String(stem.dropLast(way.count))
        }
    }
}
