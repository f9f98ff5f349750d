/// One line of `STATE/audit.jsonl`: a request and its answer.
public struct AuditRecord: Hashable, Codable, Sendable {
    /// The form of this line.
    public var schema = 1
    /// When it was answered; for an approval, when it was given.
    public var at: Timestamp
    /// The user who asked.
    public var uid: UInt32
    /// The user's name; empty where no user has this number.
    public var user: String
    /// The name of the request's file, or of the archive that was dropped.
    public var request: String
    /// Distinguishes files of one name, so that a line is not written twice after a crash.
    public var id: String
    /// The command as in the request, or `drop`; empty for a request that could not be read.
    public var command: String
    /// The job that it was about; nil for none.
    public var job: Int?
    /// Nil for none.
    public var endpoint: String?
    /// Nil for none.
    public var folder: String?
    /// `NAME` or `NAME@VERSION`; nil for none.
    public var update: String?
    /// Of the archive; nil where none was given or approved.
    public var sha256: String?
    /// Who signed the archive that was dropped; nil where no signature was asked for.
    public var signer: String?
    /// Whether it was carried out.
    public var ok: Bool
    /// The answer's.
    public var code: String
    /// The answer's.
    public var message: String

    /// The record of a request that was not read yet.
    public init(uid: UInt32, user: String, request: String, id: String) {
        at = .now
        self.uid = uid
        self.user = user
        self.request = request
        self.id = id
        command = ""
        ok = false
        code = ""
        message = ""
    }
}
