import PatchModel

/// Reads numbers, durations and sizes as the contract writes them.
enum Quantity {
    private static let seconds: [(unit: String, factor: Double)] = [
        ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400),
    ]
    private static let bytes: [(unit: String, factor: UInt64)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]
    /// A year: a longer time is a mistake, and no sum of times overflows.
    private static let longest = 365.0 * 86400

    /// `60s 5m 1h 2d 500ms`, in seconds.
    ///
    /// - Throws: ``InvalidValue`` for anything else, a missing unit, and more than a year.
    static func duration(_ text: String) throws(InvalidValue) -> Double {
        let (digits, unit) = split(text)
        guard let number = Int64(digits) else {
            throw InvalidValue("is a duration such as 500ms, 60s, 5m, 1h or 2d, not \"\(text)\"")
        }
        guard let factor = seconds.first(where: { $0.unit == unit })?.factor else {
            let hint =
                unit.isEmpty
                ? "; did you mean \"\(text)s\"?"
                : Suggestion.hint(for: unit, in: seconds.map(\.unit))
            throw InvalidValue("needs one of the units ms, s, m, h, d; \"\(text)\" has none of them" + hint)
        }
        let duration = Double(number) * factor
        guard duration <= longest else { throw InvalidValue("is at most 365d, not \"\(text)\"") }
        return duration
    }

    /// A duration after which something is ended.
    ///
    /// - Throws: ``InvalidValue`` as ``duration(_:)`` does, and for none at all: everything would be ended at once.
    static func limit(_ text: String) throws(InvalidValue) -> Double {
        let limit = try duration(text)
        guard limit > 0 else { throw InvalidValue("is more than nothing, not \"\(text)\"") }
        return limit
    }

    /// `64GiB`, `1MiB`, `4096`, in bytes.
    ///
    /// - Throws: ``InvalidValue`` for anything else, nothing at all, and more than 2^62.
    static func size(_ text: String) throws(InvalidValue) -> UInt64 {
        let (digits, unit) = split(text)
        guard let number = UInt64(digits) else {
            throw InvalidValue("is a size such as 4096, 64KiB, 1MiB, 64GiB or 1TiB, not \"\(text)\"")
        }
        guard let factor = bytes.first(where: { $0.unit == unit })?.factor else {
            throw InvalidValue(
                "needs one of the units KiB, MiB, GiB, TiB; \"\(text)\" has none of them"
                    + Suggestion.hint(for: unit, in: bytes.map(\.unit).filter { $0.count > 1 }))
        }
        let (size, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, size > 0, size <= 1 << 62 else { throw InvalidValue("cannot be \"\(text)\"") }
        return size
    }

    /// A whole number within bounds.
    static func number(_ bounds: ClosedRange<Int>) -> @Sendable (String) throws(InvalidValue) -> Int {
        { text throws(InvalidValue) in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
                bounds.contains(number)
            else {
                throw InvalidValue(
                    "is a number from \(bounds.lowerBound) to \(bounds.upperBound), not \"\(text)\"")
            }
            return number
        }
    }

    private static func split(_ text: String) -> (digits: Substring, unit: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        return (digits, String(text[digits.endIndex...]))
    }
}
