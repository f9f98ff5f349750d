/// A session on a database server, as the server shows it.
public struct DatabaseSession: Hashable, Codable, Sendable {
    /// What the server knows it by.
    public var id: String
    /// When it began, in the server's words: an ``id`` alone is used again. Empty where the server does not say.
    public var began: String
    /// The role or user.
    public var user: String
    /// From where; empty for the same host.
    public var address: String
    /// What it runs, or ran last, shortened; empty where this may not be seen.
    public var statement: String
    /// For how many seconds it has been at it, or idle in its transaction; nil where this may not be seen.
    public var seconds: Int?
    /// Whether it can be ended at all: a prepared transaction belongs to no session.
    public var canBeEnded: Bool

    /// Memberwise.
    public init(
        id: String, began: String = "", user: String, address: String = "", statement: String = "", seconds: Int? = nil,
        canBeEnded: Bool = true
    ) {
        self.id = id
        self.began = began
        self.user = user
        self.address = address
        self.statement = statement
        self.seconds = seconds
        self.canBeEnded = canBeEnded
    }

    /// Characters of a statement that are kept.
    public static let statementLength = 200
}
