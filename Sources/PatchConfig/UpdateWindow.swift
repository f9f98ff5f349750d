import PatchModel

/// Reads `windows`: `Sun 02:00-05:00`, `Mon-Fri 22:00-04:00`, `Sat,Sun 01:00-06:00`, `02:00-05:00`.
enum UpdateWindow {
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// The text itself, checked.
    ///
    /// - Throws: ``InvalidValue`` when it is no window, names no day that exists or has no length.
    static func check(_ text: String) throws(InvalidValue) -> String {
        let words = text.split(separator: " ")
        guard let times = words.last, words.count <= 2 else {
            throw InvalidValue("is a window such as \"Sun 02:00-05:00\", not \"\(text)\"")
        }
        if words.count == 2 {
            for part in words[0].split(separator: ",", omittingEmptySubsequences: false) {
                let ends = part.split(separator: "-", omittingEmptySubsequences: false)
                guard ends.count <= 2 else { throw InvalidValue("has no range of days in \"\(part)\"") }
                for day in ends where !days.contains(String(day)) {
                    throw InvalidValue(
                        "names days as \(days.joined(separator: ", ")), not \"\(day)\""
                            + Suggestion.hint(for: String(day), in: days))
                }
            }
        }
        let ends = times.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let start = minutes(ends[0]), let end = minutes(ends[1]), start < 24 * 60 else {
            throw InvalidValue("has times such as 02:00-05:00, not \"\(times)\"")
        }
        guard start != end else { throw InvalidValue("begins and ends at once: \"\(text)\"") }
        return text
    }

    /// Minutes after midnight; `24:00` is an end.
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
