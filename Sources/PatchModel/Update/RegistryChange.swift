/// What a step makes of a folder's `registry.json`.
public struct RegistryChange: Hashable, Codable, Sendable {
    /// The whole file afterwards.
    public var text: String
    /// The SHA-256 of the file that the plan was made from; nil where there was none. A step behind another one of the
    /// plan expects that one's text instead.
    public var was: String?

    /// A change from its parts.
    public init(text: String, was: String?) {
        self.text = text
        self.was = was
    }
}

/// How the rows of a step go into its table.
public struct RowRule: Hashable, Codable, Sendable {
    /// The columns that tell rows apart: one with the same key is changed, another is added. None: all are added.
    public var key: [String]
    /// Columns that are the folder's own settings.
    public var preserve: [String]

    /// A rule from its parts.
    public init(key: [String], preserve: [String]) {
        self.key = key
        self.preserve = preserve
    }
}
