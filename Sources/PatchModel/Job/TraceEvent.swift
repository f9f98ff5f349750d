import PatchJSON

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

    /// Memberwise.
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

    /// Its line, which ends with a line feed. Two are written for each file while the folder is locked, so no encoder is made
    /// for them.
    public var line: [UInt8] {
        let members: [(String, JSONValue)] = [
            ("at", .string(at.description)), ("endpoint", .string(endpoint)), ("event", .string(event.rawValue)),
            ("folder", .string(folder)), ("job", .number("\(job)")), ("step", .string(step)), ("text", .string(text)),
        ]
        return JSONValue.object(members.map { JSONValue.Member($0, $1) }).serialized + [UInt8(ascii: "\n")]
    }
}

extension PlannedStep {
    /// The name of a step in traces, progress and messages: `file lib/a.so`, `script 8.0.2.sh`.
    public var title: String { "\(kind.rawValue) \(path)" }
}
