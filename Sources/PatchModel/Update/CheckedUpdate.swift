/// The result of checking an archive: the manifest and a table of contents of the checked tree of plain files. All
/// later code reads only this and the tree.
public struct CheckedUpdate: Hashable, Codable, Sendable {
    /// The form of this file.
    public var schema = 1
    /// The archive's manifest.
    public var manifest: Manifest
    /// Everything in the checked tree, sorted by path (bytewise).
    public var entries: [ContentEntry]
    /// Of the patches that have a `jobs.json` or a `datafiles.json`.
    public var descriptions: [PatchDescription]
    /// Warnings, and errors of a vendor's that refuse no archive.
    public var findings: [Finding]

    /// Memberwise.
    public init(
        manifest: Manifest, entries: [ContentEntry], descriptions: [PatchDescription] = [], findings: [Finding] = []
    ) {
        self.manifest = manifest
        self.entries = entries
        self.descriptions = descriptions
        self.findings = findings
    }
}

extension CheckedUpdate {
    /// Reads one, also of an archive that an older patchd checked without descriptions: it then has none, and the plan
    /// reports that.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            manifest: try keys.decode(Manifest.self, forKey: .manifest),
            entries: try keys.decode([ContentEntry].self, forKey: .entries),
            descriptions: try keys.decodeIfPresent([PatchDescription].self, forKey: .descriptions) ?? [],
            findings: try keys.decode([Finding].self, forKey: .findings))
    }
}

/// One file or directory of a checked tree.
public struct ContentEntry: Hashable, Codable, Sendable {
    /// A plain file, or a directory.
    public enum Kind: String, Codable, Sendable { case file, directory }

    /// Relative to the archive's root, after a common top directory was taken off; no trailing slash.
    public var path: String
    /// A plain file, or a directory.
    public var kind: Kind
    /// In bytes; 0 for a directory.
    public var size: UInt64
    /// Permission bits the archive asks for, masked with 0755; nil where the archive has none.
    public var mode: UInt16?
    /// Lower case hexadecimal; empty for a directory.
    public var sha256: String

    /// Memberwise.
    public init(path: String, kind: Kind, size: UInt64 = 0, mode: UInt16? = nil, sha256: String = "") {
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
        self.sha256 = sha256
    }
}

/// What `patchd-worker unpack` answers: the update, or why it is refused.
public struct UnpackVerdict: Codable, Sendable {
    /// The form of this file.
    public var schema = 1
    /// Set when the archive is refused.
    public var refusal: Refusal?
    /// Set when the archive is accepted.
    public var update: CheckedUpdate?
    /// Set when the reader failed (a full disk), which says nothing about the archive.
    public var problem: String?

    /// The archive is fine.
    public init(_ update: CheckedUpdate) { self.update = update }

    /// The archive is refused.
    public init(_ refusal: Refusal) { self.refusal = refusal }

    /// It could not be read.
    public init(problem: String) { self.problem = problem }
}
