public import PatchModel
import PatchSQL

/// Looks through a script in SQL for what `lint` shows: quotes, comments and blocks that do not end, and statements that
/// the worker would not run.
public struct ScriptLint {
    private let dialect: String?

    /// Bytes that it needs of a script: one more than may be.
    public static let limit = SQLScript.sizeLimit + 1

    /// The names of the dialects.
    public static var dialects: [String] { ScriptProblems.dialects }

    /// - Parameter dialect: one of ``dialects``; nil: only what no database would take.
    public init(dialect: String?) { self.dialect = dialect }

    /// What is wrong with a script: errors for a dialect, warnings without one, as there are databases that patchd does not
    /// speak.
    public func findings(at place: String, _ text: [UInt8]) -> [Finding] {
        texts(text).map { text in
            Finding(level: dialect == nil ? .warning : .error, code: "scriptSyntax", place: place, message: text)
        }
    }

    private func texts(_ text: [UInt8]) -> [String] {
        if let dialect { return ScriptProblems.all(in: text, dialect: dialect).map { "\(dialect): \(Self.text($0))" } }
        let problems = ScriptProblems.common(in: text)
        let texts = problems.map { Self.text($0.problem) }
        guard let first = texts.first, let dialect = problems.first?.dialect else { return [] }
        return [Set(texts).count == 1 ? first : "no database takes it; \(dialect): \(first)"]
    }

    private static func text(_ error: SQLError) -> String {
        var text = error.place.map { "line \($0.line): " } ?? ""
        if let summary = error.place?.summary, !summary.isEmpty { text += "\(summary): " }
        return text + error.cause + (error.wayOut.isEmpty ? "" : "; \(error.wayOut)")
    }
}
