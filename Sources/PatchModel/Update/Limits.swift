/// What an archive and its scripts may ask of this host; `limits` of `patchd.yaml`.
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
    /// Bytes that are kept of what one script prints.
    public var output = 16 << 20
    /// Bytes that refused archives take in `rejected/`; the oldest go first.
    public var rejected: UInt64 = 1 << 30
    /// Bytes of the audit record; the oldest lines go first.
    public var audit: UInt64 = 640 << 20

    /// Bytes of a database, and of a folder where its file system cannot share blocks, that are copied for a rehearsal.
    public var rehearsal: UInt64 = 64 << 30

    /// The largest size of an archive within these limits: all its content, stored, with what compressing may add, the
    /// names twice, and the records around them.
    public var archive: UInt64 {
        let (names, isTooMuch) = UInt64(entries).multipliedReportingOverflow(by: 2 * UInt64(name) + 512)
        let (sum, overflow) = (unpacked + unpacked / 64 + (1 << 17)).addingReportingOverflow(names)
        return isTooMuch || overflow ? .max : sum
    }

    /// Seconds that the reader of an archive may take: far more than a slow disk needs for what the archive can hold, so that only
    /// one that hangs is ended.
    ///
    /// - Parameter size: the archive's, in bytes.
    public func patience(archive size: Int64) -> Double {
        let size = Double(max(size, 0))
        // Deflated data grows by 1032 at the most.
        return 120 + (size + min(Double(unpacked), size * 1032)) / Double(1 << 20)
    }

    /// The contract's defaults.
    public init() {}

    /// Reads what another version of patchd may have written: a limit that it did not know has the contract's default.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        entries = try keys.decodeIfPresent(Int.self, forKey: .entries) ?? entries
        unpacked = try keys.decodeIfPresent(UInt64.self, forKey: .unpacked) ?? unpacked
        manifest = try keys.decodeIfPresent(Int.self, forKey: .manifest) ?? manifest
        name = try keys.decodeIfPresent(Int.self, forKey: .name) ?? name
        depth = try keys.decodeIfPresent(Int.self, forKey: .depth) ?? depth
        rehearsal = try keys.decodeIfPresent(UInt64.self, forKey: .rehearsal) ?? rehearsal
        output = try keys.decodeIfPresent(Int.self, forKey: .output) ?? output
        rejected = try keys.decodeIfPresent(UInt64.self, forKey: .rejected) ?? rejected
        audit = try keys.decodeIfPresent(UInt64.self, forKey: .audit) ?? audit
    }
}
