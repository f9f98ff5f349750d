/// What a plan has to know of a folder. A worker finds it out (`patchd-worker facts`), because plans are computed
/// without I/O and by a user who may not be the folder's owner.
public struct FolderFacts: Hashable, Sendable {
    /// The folder's `registry.json`.
    public var registry: DataRegistry
    /// Its text; nil where there is none.
    public var registryText: String?
    /// SHA-256 of the text, lower case hexadecimal; nil where there is none.
    public var registrySHA256: String?
    /// Of the paths in the question (``WorkOrder/ask``), those where an application finds a plain file, also through
    /// links.
    public var present: Set<ExactText>
    /// What its database knows of migrations; nil where the question had none, or where it could not be asked.
    public var migrations: MigrationRecords?
    /// Why the database could not be asked; nil where it was, or need not be.
    public var unasked: String?

    /// Facts from their parts.
    ///
    /// - Parameter registryText: nil where there is no such file.
    /// - Throws: ``DataRegistry/Damage`` when the text is no registry.
    public init(
        registryText: String? = nil, registrySHA256: String? = nil, present: Set<ExactText> = [],
        migrations: MigrationRecords? = nil, unasked: String? = nil
    ) throws(DataRegistry.Damage) {
        registry = if let registryText { try DataRegistry(text: registryText) } else { DataRegistry() }
        self.registryText = registryText
        self.registrySHA256 = registrySHA256
        self.present = present
        self.migrations = migrations
        self.unasked = unasked
    }
}

extension FolderFacts: Codable {
    private enum CodingKeys: String, CodingKey {
        case registryText, registrySHA256, present, migrations, unasked
    }

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            registryText: values.decodeIfPresent(String.self, forKey: .registryText),
            registrySHA256: values.decodeIfPresent(String.self, forKey: .registrySHA256),
            present: Set(values.decode([String].self, forKey: .present).map { ExactText($0) }),
            migrations: values.decodeIfPresent(MigrationRecords.self, forKey: .migrations),
            unasked: values.decodeIfPresent(String.self, forKey: .unasked))
    }

    /// The registry is written as its text, in which numbers keep their spelling.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(registryText, forKey: .registryText)
        try values.encodeIfPresent(registrySHA256, forKey: .registrySHA256)
        try values.encode(present.sorted().map(\.description), forKey: .present)
        try values.encodeIfPresent(migrations, forKey: .migrations)
        try values.encodeIfPresent(unasked, forKey: .unasked)
    }
}
