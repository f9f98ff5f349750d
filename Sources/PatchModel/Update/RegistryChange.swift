/// How a step changes a folder's `registry.json`.
public struct RegistryChange: Hashable, Codable, Sendable {
    /// The whole file afterwards.
    public var text: String
    /// The SHA-256 of the file from which the plan was made; nil where there was none. A later step of the same plan
    /// expects the text of the step before it.
    public var was: String?

    /// Memberwise.
    public init(text: String, was: String?) {
        self.text = text
        self.was = was
    }
}

/// How the rows of a step are loaded into its table.
public struct RowRule: Hashable, Codable, Sendable {
    /// The columns that identify a row: one with the same key is changed, another is added. None: all are added.
    public var key: [String]
    /// Columns that are the folder's own settings.
    public var preserve: [String]

    /// Memberwise.
    public init(key: [String], preserve: [String]) {
        self.key = key
        self.preserve = preserve
    }
}
