/// `<folder>/update.lock`, which applications look for.
public struct UpdateLock: Hashable, Codable, Sendable {
    /// Why the folder is locked.
    public enum Phase: String, Codable, Sendable {
        case announced, trying, disconnect, updating, reverting, failed, blocked, behind
    }

    /// The file's name in a folder; reserved in archives.
    public static let fileName = "update.lock"

    /// The form of this file.
    public var schema = 1
    /// The endpoint's name.
    public var endpoint: String
    /// The folder's name.
    public var folder: String
    /// 9998: please close, or start nothing new. 9999: leave, or do not start.
    public var code: Int
    /// Why.
    public var phase: Phase
    /// The update's name.
    public var update: String
    /// The version before; nil where none is known.
    public var from: Version?
    /// The version afterwards; nil where none is known.
    public var to: Version?
    /// The job that wrote it.
    public var job: Int
    /// Since when the folder is locked.
    public var since: Timestamp
    /// When applications must have left; nil where no time is set.
    public var deadline: Timestamp?
    /// For people.
    public var message: String

    /// A lock; its code follows from its phase.
    public init(
        endpoint: String, folder: String, phase: Phase, update: String, from: Version?, to: Version?, job: Int,
        since: Timestamp, deadline: Timestamp? = nil, message: String = ""
    ) {
        self.endpoint = endpoint
        self.folder = folder
        self.phase = phase
        self.update = update
        self.from = from
        self.to = to
        self.job = job
        self.since = since
        self.deadline = deadline
        self.message = message
        code = phase == .announced || phase == .trying ? 9998 : 9999
    }
}
