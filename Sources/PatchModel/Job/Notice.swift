/// What the command `notify` gets on its standard input: an event that a person waits for.
public struct Notice: Hashable, Codable, Sendable {
    /// What it is about.
    public enum Event: String, Codable, Sendable {
        case waiting, pendingApproval, declined, done, failed, cancelled
        /// An archive is refused.
        case refused
        /// A unit that was stopped for an update does not start again.
        case unitNotUp
    }

    /// The form of this value.
    public var schema = 1
    /// See ``Event``.
    public var event: Event
    /// When.
    public var at: Timestamp
    /// The job's number; nil for none.
    public var job: Int?
    /// Empty for none, like all that follow.
    public var endpoint = ""
    /// What the job does.
    public var operation = ""
    /// The folder that failed.
    public var folder = ""
    /// The update's name; of a refused archive, the file's.
    public var update = ""
    /// The update's version.
    public var version = ""
    /// Who signed the archive.
    public var signer = ""
    /// The job's.
    public var state = ""
    /// A ``FaultCode`` or ``RefusalCode``.
    public var code = ""
    /// For people.
    public var message = ""

    /// A notice with only its event and time.
    public init(_ event: Event, at: Timestamp = .now) {
        self.event = event
        self.at = at
    }

    /// The event of a job that has changed; nil for a change that nobody waits for.
    public init?(of job: Job, before: Job) {
        guard let event = Event(rawValue: job.state.rawValue),
            job.state != before.state || job.state == .waiting && job.waitingFor != before.waitingFor
        else { return nil }
        self.init(event)
        self.job = job.job
        endpoint = job.endpoint
        operation = job.operation.rawValue
        if job.state == .failed { folder = job.folders.filter { !$0.value.code.isEmpty }.keys.min() ?? "" }
        update = job.update
        version = job.version.description
        signer = job.signer
        state = job.state.rawValue
        code = job.code
        message = job.state == .waiting ? job.waitingFor : job.message
    }
}
