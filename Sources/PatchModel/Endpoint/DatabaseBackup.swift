/// A copy of a database, with all that restoring it needs.
public struct DatabaseBackup: Hashable, Codable, Sendable {
    /// The file's name in its directory.
    public var name: String
    /// Bytes.
    public var size: Int64
    /// Of the file.
    public var sha256: String
    /// A mode of the database that is not stored in the file (SQLite's journal mode).
    public var mode: String

    /// Memberwise.
    public init(name: String, size: Int64, sha256: String, mode: String) {
        self.name = name
        self.size = size
        self.sha256 = sha256
        self.mode = mode
    }
}
