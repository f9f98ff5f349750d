import PatchModel

/// The extra fields of one header that affect its reading (APPNOTE 4.5 and 4.6).
struct HeaderExtras {
    private static let zip64: UInt16 = 0x0001
    private static let strongEncryption: UInt16 = 0x0017
    private static let unicodeComment: UInt16 = 0x6375
    private static let unicodePath: UInt16 = 0x7075
    private static let aes: UInt16 = 0x9901

    private var wide: ArraySlice<UInt8>?
    /// The Info-ZIP Unicode path, 0x7075.
    private(set) var path: ArraySlice<UInt8>?

    init(_ bytes: ArraySlice<UInt8>, of place: String) throws(ArchiveFailure) {
        var rest = bytes
        var once: Set<UInt16> = []
        while !rest.isEmpty {
            guard rest.count >= 4, rest.count - 4 >= Int(rest.number16(2)) else {
                throw .malformed(at: place, "an extra field is longer than the space for it")
            }
            let kind = rest.number16(0)
            let value = rest.part(4, Int(rest.number16(2)))
            rest = rest.dropFirst(4 + value.count)
            switch kind {
            case Self.zip64, Self.unicodePath, Self.unicodeComment:
                guard once.insert(kind).inserted else {
                    throw .malformed(at: place, "extra field 0x\(String(kind, radix: 16)) is there twice")
                }
            case Self.strongEncryption, Self.aes:
                throw .refused(
                    .archiveEncrypted, at: place, "the entry is encrypted; write the archive without a password")
            default: continue
            }
            if kind == Self.zip64 { wide = value }
            if kind == Self.unicodePath {
                guard value.count > 5 else { throw .malformed(at: place, "the Unicode path field has no name") }
                path = value.dropFirst(5)
            }
        }
    }

    /// Replaces header values that are the sentinel 0xFFFFFFFF by the zip64 values.
    ///
    /// The field has exactly the values that it must have, in the order of `fields`. Where it is not needed it may
    /// repeat the header's (some writers always add it), but then has to agree.
    func resolve(_ fields: [UInt64], of place: String) throws(ArchiveFailure) -> [UInt64] {
        let needed = fields.count { $0 == 0xFFFF_FFFF }
        guard let wide else {
            guard needed == 0 else {
                throw .malformed(at: place, "a size or offset refers to a zip64 field that is not there")
            }
            return fields
        }
        if needed == 0 {
            for (index, field) in fields.enumerated() where wide.count >= index * 8 + 8 {
                guard wide.number64(index * 8) == field else {
                    throw .malformed(at: place, "the zip64 field and the header disagree")
                }
            }
            return fields
        }
        guard wide.count == needed * 8 else {
            throw .malformed(at: place, "the zip64 field has \(wide.count) bytes where \(needed * 8) are needed")
        }
        var taken = 0
        return fields.map { field in
            guard field == 0xFFFF_FFFF else { return field }
            defer { taken += 8 }
            return wide.number64(taken)
        }
    }
}
