/// Many numbers in a short text: `0-41,45`. Neighbours cost nothing, so that a list of all steps or jobs stays small.
public enum NumberRanges {
    /// No text stands for more numbers than this, nor for a higher one: what comes from a worker must not fill memory.
    public static let limit = 4_000_000

    /// The text for numbers, in ascending order; empty for none.
    public static func text(_ numbers: some Sequence<Int>) -> String {
        var parts: [String] = []
        var range: ClosedRange<Int>?
        func close() {
            guard let range else { return }
            parts.append(range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)")
        }
        for number in Set(numbers).sorted() {
            if let last = range, number == last.upperBound + 1 {
                range = last.lowerBound...number
            } else {
                close()
                range = number...number
            }
        }
        close()
        return parts.joined(separator: ",")
    }

    /// The numbers of a text; nil when it is none, or stands for more than ``limit``.
    public static func numbers(_ text: String) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",") && text.isEmpty) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first >= 0, first <= last, last < limit, numbers.count + (last - first) < limit
            else { return nil }
            numbers += first...last
        }
        return numbers
    }
}
