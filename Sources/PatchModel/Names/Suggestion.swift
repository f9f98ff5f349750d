/// "Did you mean …?" for keys and names.
public enum Suggestion {
    /// The known word nearest to a wrong one; nil where none is near enough.
    public static func closest(to word: String, in known: some Sequence<String>) -> String? {
        let wrong = Array(word.lowercased().unicodeScalars)
        // A longer text is no typing error, and the distance costs the product of both lengths.
        guard !wrong.isEmpty, wrong.count <= 64 else { return nil }
        // A third of the letters: with more changes any short word becomes any other.
        let allowed = max(1, wrong.count / 3)
        return known.map { word in
            let right = Array(word.lowercased().unicodeScalars)
            let isBeginning = wrong.count >= 3 && right.starts(with: wrong)
            return (isBeginning ? min(1, right.count - wrong.count) : distance(wrong, right), word)
        }
        .filter { $0.0 <= allowed }.min { ($0.0, $0.1) < ($1.0, $1.1) }?.1
    }

    /// `; did you mean "name"?`, or an empty text.
    public static func hint(for word: String, in known: some Sequence<String>) -> String {
        closest(to: word, in: known).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// Insertions, deletions, changes and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var row = [i + 1]
            for (j, b) in right.enumerated() {
                var best = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            before = previous
            previous = row
        }
        return previous[right.count]
    }
}
