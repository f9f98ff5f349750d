/// A position in the configuration.
struct SourceLocation: Hashable, Sendable {
    let file: String
    /// From 1; 0 for the file as a whole.
    let line: Int
    /// From 1, in characters.
    let column: Int

    /// The file as a whole.
    static func file(_ name: String) -> SourceLocation { SourceLocation(file: name, line: 0, column: 0) }
}

/// A value and its position, for checks that compare values of different positions.
struct Located<Value> {
    let value: Value
    let place: SourceLocation
}

/// Collects problems: an admin wants to see all of them at once, so no check stops at its first finding.
final class Problems {
    private(set) var list: [ConfigurationProblem] = []

    func report(at place: SourceLocation, _ message: String) {
        list.append(
            ConfigurationProblem(file: place.file, line: place.line, column: place.column, message: message))
    }

    /// In the order of the files, then of the lines. Checks across files come after those within one, so sorting is
    /// needed.
    func sorted(files: [String]) -> [ConfigurationProblem] {
        let rank = Dictionary(files.enumerated().map { ($1, $0) }, uniquingKeysWith: min)
        return list.sorted { left, right in
            (rank[left.file] ?? Int.max, left.line, left.column) < (
                rank[right.file] ?? Int.max, right.line, right.column
            )
        }
    }
}
