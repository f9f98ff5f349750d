/// Finds what somebody probably meant.
enum Suggestion {
    /// `; did you mean "grace"?`, or empty when nothing is near.
    static func text(for word: String, among candidates: [String]) -> String {
        nearest(to: word, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// The nearest candidate, the first of those equally near; nil when all are too far to be a slip.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let given = Array(word.lowercased().unicodeScalars)
        // A third of the letters: more changes turn any short word into any other.
        let limit = max(1, given.count / 3)
        var best: (candidate: String, distance: Int)?
        // What is longer than any name cannot be a slip, and would only cost time.
        guard given.count <= 64 else { return nil }
        for candidate in candidates {
            let wanted = Array(candidate.lowercased().unicodeScalars)
            let isBeginning = given.count >= 3 && wanted.starts(with: given)
            let distance = isBeginning ? min(1, wanted.count - given.count) : distance(given, wanted)
            if distance <= limit, distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbours.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, scalar) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (scalar == other ? 0 : 1))
                if row > 0, column > 0, scalar == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
