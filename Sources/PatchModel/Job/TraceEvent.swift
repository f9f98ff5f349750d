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
    /// A line of output, or a message for people; empty when the event says it all.
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

    /// The line of `traces/<folder>.log`, for people.
    public var line: String { line(at: at.description) }

    /// The same with the time in another form.
    public func line(at time: String) -> String {
        let what =
            switch event {
            case .started: "start   \(step)"
            case .finished: "done    \(step)"
            case .output: "        | \(text)"
            case .message: step.isEmpty ? "        \(text)" : "        \(step): \(text)"
            }
        let hasNote = (event == .started || event == .finished) && !text.isEmpty
        return Printable.line(hasNote ? "\(time) \(what) (\(text))" : "\(time) \(what)")
    }
}

extension PlannedStep {
    /// `file lib/a.so`, `script 8.0.2.sh`: how a step is called in traces, progress and messages.
    public var title: String { "\(kind.rawValue) \(path)" }
}
