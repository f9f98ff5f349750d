/// `update.json`: what an archive says of itself.
public struct Manifest: Hashable, Codable, Sendable {
    /// The update's name, `[A-Za-z0-9._-]{1,64}`.
    public var name: String
    /// What a folder has afterwards.
    public var version: Version
    /// The least version that a folder must have before.
    public var dependency: Version
    /// For people; empty when the manifest has none.
    public var description: String
    /// In the manifest's order, which is the order they are applied in.
    public var patches: [Patch]
    /// No lead time is given.
    public var critical: Bool
    /// Globs of the endpoints that it is for; nil for all.
    public var endpoints: [String]?

    /// A manifest from its parts; nothing is checked here.
    public init(
        name: String, version: Version, dependency: Version, description: String = "", patches: [Patch],
        critical: Bool = false, endpoints: [String]? = nil
    ) {
        self.name = name
        self.version = version
        self.dependency = dependency
        self.description = description
        self.patches = patches
        self.critical = critical
        self.endpoints = endpoints
    }
}

/// One part of an update, aimed at some of the folders.
public struct Patch: Hashable, Codable, Sendable {
    /// Which folders may get it, besides ``type``.
    public enum Target: String, Codable, Sendable { case all, supervisor }

    /// Unique within the update.
    public var name: String
    /// `$ROOT` for every folder, else the module that a folder must have.
    public var type: String
    /// Whether it can be switched off.
    public var mandatory: Bool
    /// The directory in the archive that holds its content; no trailing slash.
    public var path: String
    /// For people.
    public var description: String
    /// `all` unless the manifest says otherwise.
    public var target: Target
    /// The manifest's `default`: whether an optional patch is on unless someone says otherwise.
    public var isOnByDefault: Bool
    /// Globs of files that are the admin's own once changed.
    public var keep: [String]
    /// Paths, relative to the folder, that go away; nil for none.
    public var delete: [String]?
    /// Whether its migrations may run although their number is used or passed; nil: no.
    public var outOfOrder: Bool?

    /// The type that aims at every folder.
    public static let everyFolder = "$ROOT"

    /// A patch from its parts; nothing is checked here.
    public init(
        name: String, type: String, mandatory: Bool, path: String, description: String = "", target: Target = .all,
        isOnByDefault: Bool = true, keep: [String] = [], delete: [String]? = nil, outOfOrder: Bool? = nil
    ) {
        self.name = name
        self.type = type
        self.mandatory = mandatory
        self.path = path
        self.description = description
        self.target = target
        self.isOnByDefault = isOnByDefault
        self.keep = keep
        self.delete = delete
        self.outOfOrder = outOfOrder
    }
}
