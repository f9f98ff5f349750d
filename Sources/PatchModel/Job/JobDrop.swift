/// The file that a job came from, as it lay in `incoming/`.
public struct JobDrop: Hashable, Codable, Sendable {
    /// Its name.
    public var name: String
    /// When its content was last written.
    public var time: Timestamp
    /// Whose it was.
    public var owner: UInt32

    /// Memberwise.
    public init(name: String, time: Timestamp, owner: UInt32) {
        self.name = name
        self.time = time
        self.owner = owner
    }
}
