/// `STATE/configuration.json`: what the daemon said when it last read its configuration.
public struct ConfigurationAnswer: Hashable, Codable, Sendable {
    /// So many problems are kept; the journal has all.
    private static let kept = 20

    /// The form of this file.
    public var schema = 1
    /// What is wrong with it, so that the one before is in effect, or none; empty for nothing.
    public var refused: [String]
    /// When it was read.
    public var at: Timestamp
    /// The same by the clock that is never set, in seconds: by this the process that asked for it knows that the answer
    /// is to him.
    public var began: Double

    /// An answer.
    ///
    /// - Parameter began: the monotonic clock before it was read.
    public init(refused: [String], began: Double) {
        self.refused = refused.prefix(Self.kept).map { String($0.prefix(500)) }
        at = .now
        self.began = began
    }
}
