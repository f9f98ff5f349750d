/// What an archive may ask of this host; `limits` of `patchd.yaml`.
public struct Limits: Hashable, Codable, Sendable {
    /// Entries of the archive.
    public var entries = 200_000
    /// Bytes of all files together.
    public var unpacked: UInt64 = 64 << 30
    /// Bytes of the manifest and of each other JSON file that the archive brings.
    public var manifest = 1 << 20
    /// Bytes of an entry's name.
    public var name = 1024
    /// Components of an entry's name.
    public var depth = 32

    /// The contract's defaults.
    public init() {}
}
