/// `STATE/unstable.json`: updates that are not applied without `force`. Readable by everybody.
public struct UnstableUpdates: Hashable, Codable, Sendable {
    /// One update.
    public struct Mark: Hashable, Codable, Sendable {
        /// The update's name.
        public var update: String
        /// Its version.
        public var version: Version
        /// The user who marked it.
        public var by: String
        /// When.
        public var at: Timestamp

        /// Memberwise.
        public init(update: String, version: Version, by: String, at: Timestamp) {
            self.update = update
            self.version = version
            self.by = by
            self.at = at
        }
    }

    /// The form of this file.
    public var schema = 1
    /// In the order in which they were marked.
    public var marks: [Mark] = []

    /// None.
    public init() {}

    /// Whether an update is marked.
    public func contains(_ update: String, _ version: Version) -> Bool {
        marks.contains { $0.update == update && $0.version == version }
    }
}

/// An update as an admin names it: `X3V8_P2`, or `X3V8_P2@8.0.2`.
public struct UpdateName: Hashable, Sendable, CustomStringConvertible {
    /// The update's name.
    public var name: String
    /// Nil: the only known version.
    public var version: Version?

    /// Memberwise.
    public init(name: String, version: Version? = nil) {
        self.name = name
        self.version = version
    }

    /// Nil when the part after the `@` is not a version, or the part before it is empty.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else { return nil }
        self.name = name
        if parts.count == 2 {
            guard let version = Version(parts[1]) else { return nil }
            self.version = version
        }
    }

    /// `X3V8_P2@8.0.2`.
    public var description: String { version.map { "\(name)@\($0)" } ?? name }
}
