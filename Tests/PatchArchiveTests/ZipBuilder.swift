/// Builds a zip in which every field can be wrong.
struct ZipBuilder: Sendable {
    var members: [ZipMember]
    var comment: [UInt8] = []
    /// In front of the first entry, counted in no offset unless ``shiftsOffsets``.
    var prefix: [UInt8] = []
    var shiftsOffsets = false
    /// Between the last entry and the central directory.
    var beforeDirectory: [UInt8] = []
    /// Between the central directory and the end record; counted in the directory's size when ``countsJunk``.
    var afterDirectory: [UInt8] = []
    var countsJunk = false
    var suffix: [UInt8] = []
    /// Whether the zip64 end record and locator are written.
    var isZip64 = false
    var changeEnd: @Sendable (inout EndFields) -> Void = { _ in }

    struct EndFields {
        var disk: UInt16 = 0
        var directoryDisk: UInt16 = 0
        var here: UInt16
        var count: UInt16
        var size: UInt32
        var start: UInt32
        var commentLength: UInt16
        var count64: UInt64
        var here64: UInt64
        var size64: UInt64
        var start64: UInt64
        var recordSize: UInt64 = 44
        var recordOffset: UInt64
        var disks: UInt32 = 1
    }

    init(_ members: [ZipMember]) { self.members = members }

    func bytes() -> [UInt8] {
        var out = prefix
        let base = shiftsOffsets ? 0 : prefix.count
        var central: [UInt8] = []
        var offsets: [Int] = []
        for member in members {
            out += member.gapBefore
            let offset = member.offset ?? out.count - base
            offsets.append(offset)
            let (local, directory) = member.headers(offset: offset)
            if !member.isUnwritten { out += local + member.payload + member.descriptor }
            if !member.isUnlisted { central += directory }
            for copy in member.centralCopies { central += copy(member, offset) }
        }
        out += beforeDirectory
        let start = out.count - base
        let listed = members.reduce(0) { $0 + ($1.isUnlisted ? 0 : 1) + $1.centralCopies.count }
        out += central + afterDirectory
        let size = central.count + (countsJunk ? afterDirectory.count : 0)
        var end = EndFields(
            here: isZip64 ? 0xFFFF : UInt16(listed), count: isZip64 ? 0xFFFF : UInt16(listed),
            size: isZip64 ? 0xFFFF_FFFF : UInt32(size), start: isZip64 ? 0xFFFF_FFFF : UInt32(start),
            commentLength: UInt16(comment.count), count64: UInt64(listed), here64: UInt64(listed), size64: UInt64(size),
            start64: UInt64(start), recordOffset: UInt64(out.count - base))
        changeEnd(&end)
        if isZip64 {
            out += le32(0x0606_4B50) + le64(end.recordSize) + le16(45) + le16(45) + le32(0) + le32(0)
            out += le64(end.here64) + le64(end.count64) + le64(end.size64) + le64(end.start64)
            out += le32(0x0706_4B50) + le32(0) + le64(end.recordOffset) + le32(end.disks)
        }
        out += le32(0x0605_4B50) + le16(end.disk) + le16(end.directoryDisk) + le16(end.here) + le16(end.count)
        out += le32(end.size) + le32(end.start) + le16(end.commentLength) + comment + suffix
        return out
    }
}

/// One entry of a ``ZipBuilder``.
struct ZipMember: Sendable {
    struct Fields {
        var signature: UInt32
        var versionNeeded: UInt16 = 20
        var madeBy: UInt16
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var compressed: UInt32
        var size: UInt32
        var name: [UInt8]
        var extra: [UInt8]
        var disk: UInt16 = 0
        var attributes: UInt32
        var offset: UInt32
        var comment: [UInt8] = []
    }

    var name: [UInt8]
    var payload: [UInt8]
    var method: UInt16
    var checksum: UInt32
    var size: Int
    var flags: UInt16 = 0
    var madeBy: UInt16 = 3 << 8 | 30
    var attributes: UInt32
    var descriptor: [UInt8] = []
    var localExtra: [UInt8] = []
    var centralExtra: [UInt8] = []
    var gapBefore: [UInt8] = []
    var offset: Int?
    var isUnlisted = false
    var isUnwritten = false
    var centralCopies: [@Sendable (ZipMember, Int) -> [UInt8]] = []
    var changeLocal: @Sendable (inout Fields) -> Void = { _ in }
    var changeCentral: @Sendable (inout Fields) -> Void = { _ in }

    init(_ name: String, _ text: String = "", mode: UInt32 = 0o100644) {
        self.init(Array(name.utf8), Array(text.utf8), mode: mode)
    }

    init(_ name: [UInt8], _ data: [UInt8], mode: UInt32 = 0o100644) {
        self.name = name
        payload = data
        method = 0
        checksum = crc32(data)
        size = data.count
        attributes = mode << 16
    }

    static func directory(_ name: String, mode: UInt32 = 0o040755) -> ZipMember {
        var member = ZipMember(name + "/", mode: mode)
        member.attributes |= 0x10
        return member
    }

    /// The same content as a deflate stream of stored blocks (RFC 1951, 3.2.4).
    func deflated() -> ZipMember {
        var member = self
        member.method = 8
        member.payload = deflateStored(payload)
        return member
    }

    /// The same with a data descriptor, as a writer does that cannot seek.
    func streamed(signed: Bool = true, wide: Bool = false, keepsLocalValues: Bool = false) -> ZipMember {
        var member = self
        member.flags |= 8
        let sizes =
            wide
            ? le64(UInt64(payload.count)) + le64(UInt64(size)) : le32(UInt32(payload.count)) + le32(UInt32(size))
        member.descriptor = (signed ? le32(0x0807_4B50) : []) + le32(checksum) + sizes
        if !keepsLocalValues {
            member.changeLocal = { fields in
                fields.checksum = 0
                fields.compressed = 0
                fields.size = 0
            }
        }
        return member
    }

    func headers(offset: Int) -> (local: [UInt8], central: [UInt8]) {
        var local = Fields(
            signature: 0x0403_4B50, madeBy: madeBy, flags: flags, method: method, checksum: checksum,
            compressed: UInt32(payload.count), size: UInt32(size), name: name, extra: localExtra,
            attributes: attributes,
            offset: UInt32(offset))
        var central = local
        central.signature = 0x0201_4B50
        central.extra = centralExtra
        changeLocal(&local)
        changeCentral(&central)
        return (Self.local(local), Self.central(central))
    }

    private static func common(_ fields: Fields) -> [UInt8] {
        le16(fields.flags) + le16(fields.method) + le16(0) + le16(0x21) + le32(fields.checksum)
            + le32(fields.compressed)
            + le32(fields.size) + le16(UInt16(fields.name.count)) + le16(UInt16(fields.extra.count))
    }

    private static func local(_ fields: Fields) -> [UInt8] {
        le32(fields.signature) + le16(fields.versionNeeded) + common(fields) + fields.name + fields.extra
    }

    static func central(_ fields: Fields) -> [UInt8] {
        le32(fields.signature) + le16(fields.madeBy) + le16(fields.versionNeeded) + common(fields)
            + le16(UInt16(fields.comment.count))
            + le16(fields.disk) + le16(0) + le32(fields.attributes) + le32(fields.offset) + fields.name + fields.extra
            + fields.comment
    }
}

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }
func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

/// An extra field.
func extra(_ kind: UInt16, _ value: [UInt8]) -> [UInt8] { le16(kind) + le16(UInt16(value.count)) + value }

private let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
}

func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crcTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
}

func deflateStored(_ data: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var rest = data[...]
    repeat {
        let block = rest.prefix(65535)
        rest = rest.dropFirst(65535)
        out += [rest.isEmpty ? 1 : 0] + le16(UInt16(block.count)) + le16(~UInt16(block.count)) + block
    } while !rest.isEmpty
    return out
}
