/// One folder in a job.
public struct FolderJob: Hashable, Codable, Sendable {
    /// Where a folder stands in a job.
    public enum State: String, Codable, CaseIterable, Sendable {
        case pending, running, done, upToDate, excluded, failed, blocked, reverted
    }

    /// How far a folder is; `done` of `total` steps.
    public struct Progress: Hashable, Codable, Sendable {
        /// Steps done.
        public var done: Int
        /// Steps in all.
        public var total: Int
        /// The step under way; empty for none.
        public var step: String

        /// Progress from its parts.
        public init(done: Int = 0, total: Int, step: String = "") {
            self.done = done
            self.total = total
            self.step = step
        }
    }

    /// Where it stands.
    public internal(set) var state: State
    /// A ``FaultCode``; empty unless it failed.
    public internal(set) var code: String
    /// For people.
    public internal(set) var message: String
    /// Files that were as they should be and not written again.
    public var equal: Int
    /// How far it is.
    public internal(set) var progress: Progress
    /// The version before the job; nil where none is known, and in jobs of earlier builds.
    public var from: Version?
    /// The version afterwards; nil in jobs of earlier builds.
    public var to: Version?
    /// True while what the job did here is being undone.
    public internal(set) var reverting: Bool?
    /// Of a folder that was tried while applications worked in it: when they were told to leave. nil for others.
    public internal(set) var disconnectedAt: Timestamp?
    /// Of such a folder: when nobody was inside any more. nil before that.
    public internal(set) var admittedAt: Timestamp?

    /// A folder's place in a job.
    public init(
        state: State, code: String = "", message: String = "", equal: Int = 0, progress: Progress,
        from: Version? = nil, to: Version? = nil
    ) {
        self.from = from
        self.to = to
        self.state = state
        self.code = code
        self.message = message
        self.equal = equal
        self.progress = progress
    }
}
