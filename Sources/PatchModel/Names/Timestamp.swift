public import FoundationEssentials

/// An instant, in JSON an RFC 3339 text in UTC with milliseconds.
public struct Timestamp: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The instant, cut to milliseconds so that it equals what is read back.
    public let date: Date

    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// An instant.
    public init(_ date: Date) {
        self.date = Date(timeIntervalSince1970: (date.timeIntervalSince1970 * 1000).rounded() / 1000)
    }

    /// A time in nanoseconds since 1970, as the kernel dates files.
    public init(nanoseconds: Int64) { self.init(Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)) }

    /// Now.
    public static var now: Timestamp { Timestamp(Date()) }

    /// This time and a number of seconds.
    public func adding(seconds: Double) -> Timestamp { Timestamp(date.addingTimeInterval(seconds)) }

    /// Seconds from another instant to this one.
    public func seconds(since other: Timestamp) -> Double { date.timeIntervalSince(other.date) }

    /// Earlier before later.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.date < right.date }

    /// `2026-11-21T10:15:00.123Z`.
    public var description: String {
        // The formatter truncates, and a binary fraction may be just below the millisecond.
        date.addingTimeInterval(0.000_5).formatted(Self.format)
    }

    /// Reads an RFC 3339 text, with or without fractions of a second; nil for anything else.
    public init?(_ text: String) {
        guard let date = (try? Date(text, strategy: Self.format)) ?? (try? Date(text, strategy: .iso8601)) else {
            return nil
        }
        self.init(date)
    }

    /// Reads an RFC 3339 text.
    ///
    /// - Throws: `DecodingError` when it is anything else.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no RFC 3339 time")
        }
        self = time
    }

    /// Writes ``description``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
