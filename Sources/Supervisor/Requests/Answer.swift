import PatchModel

/// What is answered to a request: `requests/done/NAME` (contract §7).
struct Answer: Encodable, Sendable {
    /// What the audit record has beside the answer.
    struct Note: Sendable {
        /// When it took effect; nil: now.
        var at: Timestamp?
        /// `NAME@VERSION`, where the request left the version out.
        var update: String?
    }

    var ok: Bool
    /// One of the contract's; empty where all is well.
    var code: String
    var message: String
    var note = Note()

    private enum CodingKeys: CodingKey { case ok, code, message }

    static func done(_ message: String, note: Note = Note()) -> Answer {
        Answer(ok: true, code: "", message: message, note: note)
    }

    static func refused(_ code: String, _ message: String) -> Answer {
        Answer(ok: false, code: code, message: message)
    }

    static func invalid(_ message: String) -> Answer { .refused("requestInvalid", message) }

    static func unknown(_ job: Int) -> Answer {
        .refused("unknownJob", "there is no job \(job); see: patchctl jobs")
    }

    static func wrongState(_ job: Job, _ why: String) -> Answer {
        .refused("wrongState", "job \(job.job) is \(job.state.rawValue); \(why)")
    }

    /// Another job is in the way.
    static func isHeld(_ endpoint: String, by job: Job) -> Answer {
        wrongState(job, "it works on \(endpoint) or holds it; finish, cancel or roll it back first")
    }

    init(ok: Bool, code: String, message: String, note: Note = Note()) {
        (self.ok, self.code, self.message, self.note) = (ok, code, message, note)
    }

    /// What is answered where a command could not be carried out.
    init(_ error: any Error) {
        switch error {
        // The code of the refusal is never shown: an answer has its own codes.
        case let refusal as Refusal: self = .invalid("\(refusal)")
        case let fault as Fault: self = .refused(fault.code.rawValue, "\(fault)")
        default: self = .refused("io", "\(error)")
        }
    }
}
