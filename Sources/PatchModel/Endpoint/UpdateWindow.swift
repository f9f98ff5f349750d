/// A time in which jobs may start (contract §5, `windows`): `Sun 02:00-05:00`, `Mon-Fri 22:00-04:00`, `Sat,Sun
/// 01:00-06:00`, `02:00-05:00`. It is open whenever the local clock shows a time from its start on and before its end;
/// the days are those on which it begins.
///
/// Why: docs/decisions/approval.md#a-window-is-a-statement-about-the-local-clock
public struct UpdateWindow: Hashable, Sendable, CustomStringConvertible {
    /// Why a text is not a window, as a message of the configuration.
    public struct Malformed: Error, Sendable {
        /// For people.
        public let message: String
    }

    private static let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// As it was written.
    public let description: String
    /// The days on which it begins; 0 is Monday.
    private let days: Set<Int>
    /// Minutes after midnight. An end that is not after the start is on the next day.
    private let start: Int
    private let end: Int

    /// Reads a window.
    ///
    /// - Throws: ``Malformed`` when it is none, names no day that exists or has no length.
    public init(_ text: String) throws(Malformed) {
        let words = text.split(separator: " ")
        guard let times = words.last, words.count <= 2 else {
            throw Malformed(message: "is a window such as \"Sun 02:00-05:00\", not \"\(text)\"")
        }
        days = words.count == 2 ? try Self.days(words[0]) : Set(Self.names.indices)
        let ends = times.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let start = Self.minutes(ends[0]), let end = Self.minutes(ends[1]), start < 24 * 60
        else { throw Malformed(message: "has times such as 02:00-05:00, not \"\(times)\"") }
        guard start != end else { throw Malformed(message: "begins and ends at once: \"\(text)\"") }
        description = text
        self.start = start
        self.end = end
    }

    /// Whether it is open at a minute of a day of the local clock.
    ///
    /// - Parameters:
    ///   - day: 0 is Monday.
    ///   - minute: after midnight.
    public func isOpen(day: Int, minute: Int) -> Bool {
        if start < end { return days.contains(day) && start <= minute && minute < end }
        return days.contains(day) && start <= minute || days.contains((day + 6) % 7) && minute < end
    }

    private static func days(_ text: Substring) throws(Malformed) -> Set<Int> {
        var found: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard ends.count <= 2 else { throw Malformed(message: "has no range of days in \"\(part)\"") }
            var numbers: [Int] = []
            for day in ends {
                guard let number = names.firstIndex(of: day) else {
                    throw Malformed(
                        message: "names days as \(names.joined(separator: ", ")), not \"\(day)\""
                            + Suggestion.hint(for: day, in: names))
                }
                numbers.append(number)
            }
            guard let first = numbers.first, let last = numbers.last else { continue }
            // Fri-Mon crosses the end of the week.
            let length = (last - first + 7) % 7
            found.formUnion((0...length).map { (first + $0) % 7 })
        }
        return found
    }

    /// Minutes after midnight; `24:00` is valid as an end.
    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60
        else { return nil }
        let total = hour * 60 + minute
        return total <= 24 * 60 ? total : nil
    }
}

extension UpdateWindow: Codable {
    /// Reads ``description``.
    ///
    /// - Throws: `DecodingError` when it is no window.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(Malformed) {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    /// Writes ``description``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
