/// One line of `traces/<folder>.jsonl`.
public struct TraceEvent: Hashable, Codable, Sendable {
    /// What a line tells.
    public enum Kind: String, Codable, Sendable { case started, finished, output, message }

    /// When.
    public var at: Timestamp
    /// The job's number.
    public var job: Int
    /// The endpoint's name.
    public var endpoint: String
    /// The folder's name.
    public var folder: String
    /// The step, as in ``PlannedStep/title``; empty when the line is about the folder as a whole.
    public var step: String
    /// What the line tells.
    public var event: Kind
    /// A line of output, or several with line feeds between them, or a message for people; empty when the event says it all.
    public var text: String

    /// An event from its parts.
    public init(
        at: Timestamp, job: Int, endpoint: String, folder: String, step: String, event: Kind, text: String = ""
    ) {
        self.at = at
        self.job = job
        self.endpoint = endpoint
        self.folder = folder
        self.step = step
        self.event = event
        self.text = text
    }

    /// The line of `traces/<folder>.log`, for people; several where it has several lines of output.
    public var line: String {
        if event == .output, text.utf8.contains(UInt8(ascii: "\n")) {
            return text.split(separator: "\n", omittingEmptySubsequences: false).map { part in
                var single = self
                single.text = String(part)
                return single.line
            }.joined(separator: "\n")
        }
        let what =
            switch event {
            case .started: "start   \(step)"
            case .finished: "done    \(step)"
            case .output: "        | \(text)"
            case .message: step.isEmpty ? "        \(text)" : "        \(step): \(text)"
            }
        let line =
            event == .output || text.isEmpty || event == .message ? "\(at) \(what)" : "\(at) \(what) (\(text))"
        return Printable.text(line)
    }
}

extension PlannedStep {
    /// `file lib/a.so`, `script 8.0.2.sh`: how a step is called in traces, progress and messages.
    public var title: String { "\(kind.rawValue) \(path)" }
}
