import Glibc
import PatchModel

/// Times as people read them: where they are, with the zone. JSON has UTC.
enum LocalTime {
    /// `2026-11-22 02:02:46 CET`; `-` for never.
    static func text(_ time: Timestamp?) -> String { time.map { text($0, "%Y-%m-%d %H:%M:%S %Z") } ?? "-" }

    /// `02:02 CET` on the same day, else `2026-11-22 02:02 CET`.
    static func brief(_ time: Timestamp, now: Timestamp) -> String {
        let isToday = text(time, "%Y-%m-%d") == text(now, "%Y-%m-%d")
        return text(time, isToday ? "%H:%M %Z" : "%Y-%m-%d %H:%M %Z")
    }

    /// A sentence of the daemon's, whose times are in UTC, as people read it here.
    static func localized(_ sentence: String, now: Timestamp) -> String {
        guard sentence.utf8.contains(UInt8(ascii: "Z")) else { return sentence }
        return sentence.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let end = word.lastIndex(of: "Z").map { word.index(after: $0) } ?? word.startIndex
            return Timestamp(String(word[..<end])).map { brief($0, now: now) + word[end...] } ?? String(word)
        }.joined(separator: " ")
    }

    /// `2026-11-22 02:02:46.123 CET`.
    static func precise(_ time: Timestamp) -> String {
        // In UTC, and so everywhere, the milliseconds are what stands before the `Z`.
        let milliseconds = String(time.description.dropLast().suffix(3))
        return text(time, "%Y-%m-%d %H:%M:%S.\(milliseconds) %Z")
    }

    private static func text(_ time: Timestamp, _ format: String) -> String {
        // Half a millisecond more: binary fractions lie below or above the one that is meant.
        let since1970 = time.adding(seconds: 0.000_5).seconds(since: Timestamp(nanoseconds: 0))
        var seconds = time_t(since1970.rounded(.down))
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return time.description }
        var buffer = [CChar](repeating: 0, count: 80)
        let count = strftime(&buffer, buffer.count, format, &parts)
        guard count > 0 else { return time.description }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
