/// Limits for archives; `limits` of `patchd.yaml`.
public struct Limits: Hashable, Codable, Sendable {
    /// Entries of the archive.
    public var entries = 200_000
    /// Bytes of all files together.
    public var unpacked: UInt64 = 64 << 30
    /// Bytes of the manifest and of each other JSON file in the archive.
    public var manifest = 1 << 20
    /// Bytes of an entry's name.
    public var name = 1024
    /// Components of an entry's name.
    public var depth = 32

    /// The largest size of an archive within these limits: all its content, stored, with what compressing may add, the
    /// names twice, and the records around them.
    public var archive: UInt64 {
        let (names, isTooMuch) = UInt64(entries).multipliedReportingOverflow(by: 2 * UInt64(name) + 512)
        let (sum, overflow) = (unpacked + unpacked / 64 + (1 << 17)).addingReportingOverflow(names)
        return isTooMuch || overflow ? .max : sum
    }

    /// The contract's defaults.
    public init() {}
}
