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
    /// Bytes that refused archives take in `rejected/`; the oldest go first.
    public var rejected: UInt64 = 1 << 30
    /// Bytes of the audit record; the oldest lines go first.
    public var audit: UInt64 = 640 << 20

    /// Bytes that an archive which keeps to these limits has itself at most: all its content, stored, with what compressing may
    /// add, the names twice, and room for what stands beside them.
    public var archive: UInt64 {
        let (names, isTooMuch) = UInt64(entries).multipliedReportingOverflow(by: 2 * UInt64(name) + 512)
        let (sum, overflow) = (unpacked + unpacked / 64 + (1 << 17)).addingReportingOverflow(names)
        return isTooMuch || overflow ? .max : sum
    }

    /// The contract's defaults.
    public init() {}
}
