/// One thing that is wrong with the configuration, and where.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// Relative to the configuration directory: `endpoints.d/payroll.yaml`.
    public var file: String
    /// From 1; 0 for the file as a whole.
    public var line: Int
    /// From 1, in characters; 0 for the file as a whole.
    public var column: Int
    /// What is wrong and what would be right.
    public var message: String

    /// A problem at a place.
    public init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `endpoints.d/payroll.yaml:12:3: unknown key "grce"; did you mean "grace"?`
    public var description: String {
        line == 0 ? "\(file): \(message)" : "\(file):\(line):\(column): \(message)"
    }
}

/// Everything that is wrong with a configuration, in the order in which an admin reads the files.
public struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    /// Never empty.
    public var problems: [ConfigurationProblem]

    /// The errors that stand for these problems.
    public init(problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// A line a problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
