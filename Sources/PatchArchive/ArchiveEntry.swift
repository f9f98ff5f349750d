import Glibc
import PatchModel

/// One entry as the central directory describes it, after every check that needs only that description.
struct ArchiveEntry {
    private static let descriptorFlag: UInt16 = 1 << 3
    /// Bits 1 and 2 are the level, 3 a descriptor, 11 a UTF-8 name (APPNOTE 4.4.4).
    private static let allowedFlags: UInt16 = 1 << 1 | 1 << 2 | descriptorFlag | 1 << 11
    /// Bits 0 and 6 are encryption, 13 hides values of the header.
    private static let encryptionFlags: UInt16 = 1 << 0 | 1 << 6 | 1 << 13
    private static let patchedFlag: UInt16 = 1 << 5
    /// The highest version of the specification that stored and deflated data can ask for (APPNOTE 4.4.3, ISO/IEC 21320-1): that
    /// of zip64. Info-ZIP's unzip passes over entries that ask for more than 46.
    private static let highestVersion: UInt16 = 45

    /// Without a directory's trailing slash and the `./` of ``isBelowDot``; empty for the directory `./` itself.
    var name: ExactText
    /// Whether the name begins with `./`, as bsdtar writes it from `.`; in an archive all names do, or none.
    var isBelowDot: Bool
    var isDirectory: Bool
    var flags: UInt16
    var method: UInt16
    var checksum: UInt32
    var compressed: UInt64
    var size: UInt64
    /// Of the local header.
    var offset: UInt64
    /// Permission bits, masked with 0755; nil where the archive has none.
    var mode: UInt16?

    var isStored: Bool { method == 0 }
    var hasDescriptor: Bool { flags & Self.descriptorFlag != 0 }
    var rawName: [UInt8] {
        let bare = isDirectory && !name.bytes.isEmpty ? name.bytes + [UInt8(ascii: "/")] : name.bytes
        return isBelowDot ? Self.dot + bare : bare
    }
    private static var dot: [UInt8] { Array("./".utf8) }
    /// For messages.
    var place: String { shown(rawName) }

    /// An entry from its central header: 46 bytes, then name, extra fields and comment.
    init(central header: ArraySlice<UInt8>, limits: Limits) throws(ArchiveFailure) {
        let nameLength = Int(header.number16(28))
        let raw = header.part(46, nameLength)
        let place = shown(raw)
        try Self.check(name: raw, limits: limits)
        flags = header.number16(8)
        method = header.number16(10)
        try Self.check(flags: flags, method: method, of: place)
        try Self.check(versionNeeded: header.number16(6), of: place)
        let extras = try HeaderExtras(header.part(46 + nameLength, Int(header.number16(30))), of: place)
        try Self.check(extras, against: raw)
        guard header.number16(34) == 0 else {
            throw .malformed(at: place, "the entry lies in another part of the archive")
        }
        let wide = try extras.resolve(
            [UInt64(header.number32(24)), UInt64(header.number32(20)), UInt64(header.number32(42))], of: place)
        size = wide[0]
        compressed = wide[1]
        offset = wide[2]
        checksum = header.number32(16)
        isDirectory = raw.last == UInt8(ascii: "/")
        isBelowDot = raw.starts(with: Self.dot)
        let inside = isBelowDot ? raw.dropFirst(2) : raw
        name = ExactText(bytes: inside.last == UInt8(ascii: "/") ? inside.dropLast() : inside)
        mode = try Self.mode(
            host: header.number16(4) >> 8, attributes: header.number32(38), isDirectory: isDirectory, place)
        try checkSizes(place)
    }

    /// Checks the rules for names on raw bytes; a directory's name ends with a slash.
    static func check(name raw: ArraySlice<UInt8>, limits: Limits) throws(ArchiveFailure) {
        guard raw.count <= limits.name else {
            throw .refused(
                .limitExceeded, at: shown(raw),
                "the name has \(raw.count) bytes, \(limits.name) are allowed (limits: name)")
        }
        if raw.elementsEqual(dot) { return }
        let inside = raw.starts(with: dot) ? raw.dropFirst(2) : raw
        let bare = inside.last == UInt8(ascii: "/") ? inside.dropLast() : inside
        if let problem = EntryName.problem(in: bare) { throw .refused(.entryName, at: shown(raw), problem) }
        let depth = bare.count { $0 == UInt8(ascii: "/") } + 1
        guard depth <= limits.depth else {
            throw .refused(
                .limitExceeded, at: shown(raw),
                "the name has \(depth) components, \(limits.depth) are allowed (limits: depth)")
        }
    }

    private static func check(versionNeeded: UInt16, of place: String) throws(ArchiveFailure) {
        guard versionNeeded & 0xFF <= highestVersion else {
            throw .malformed(at: place, "the entry asks for version \(versionNeeded & 0xFF) of the zip specification")
        }
    }

    private static func check(_ extras: HeaderExtras, against raw: ArraySlice<UInt8>) throws(ArchiveFailure) {
        // The name itself was already checked.
        guard let path = extras.path, !path.elementsEqual(raw) else { return }
        let bare = path.last == UInt8(ascii: "/") ? path.dropLast() : path
        if let problem = EntryName.problem(in: bare) {
            throw .refused(.entryName, at: shown(path), "in the Unicode path field: \(problem)")
        }
        throw .malformed(at: shown(raw), "the Unicode path field has another name: \(shown(path))")
    }

    private static func check(flags: UInt16, method: UInt16, of place: String) throws(ArchiveFailure) {
        guard flags & encryptionFlags == 0, method != 99 else {
            throw .refused(.archiveEncrypted, at: place, "the entry is encrypted; write the archive without a password")
        }
        guard method == 0 || method == 8, flags & patchedFlag == 0 else {
            let shown = flags & patchedFlag != 0 ? "compressed patched data" : CompressionMethod.name(method)
            throw .refused(
                .archiveMethod, at: place, "the entry is compressed with \(shown); only stored and deflate are read")
        }
        guard flags & ~allowedFlags == 0 else {
            throw .malformed(at: place, "flags 0x\(String(flags, radix: 16)) have bits that no ordinary writer sets")
        }
    }

    /// The external attributes (APPNOTE 4.4.15): type bits count for Unix hosts only, which are 3 and 19 (macOS).
    private static func mode(
        host: UInt16, attributes: UInt32, isDirectory: Bool, _ place: String
    ) throws(ArchiveFailure) -> UInt16? {
        guard attributes & 0x10 == 0 || isDirectory else {
            throw .malformed(at: place, "the attributes say directory, but the name has no slash at its end")
        }
        guard host == 3 || host == 19 else { return nil }
        let mode = UInt16(truncatingIfNeeded: attributes >> 16)
        switch UInt32(mode) & S_IFMT {
        case 0: break
        case S_IFREG:
            guard !isDirectory else { throw .malformed(at: place, "a plain file's name ends with a slash") }
        case S_IFDIR:
            guard isDirectory else { throw .malformed(at: place, "a directory's name has no slash at its end") }
        case S_IFLNK:
            throw .refused(.entryType, at: place, "the entry is a symbolic link; only files and directories are taken")
        default:
            throw .refused(
                .entryType, at: place, "the entry is a device, pipe or socket; only files and directories are taken")
        }
        guard isDirectory || mode & 0o7000 == 0 else {
            throw .refused(.entryType, at: place, "the file is setuid, setgid or sticky; take the bit away with chmod")
        }
        // jar and git archive write this for "not specified"; a file that nobody may read is not intended either.
        let kept = mode & 0o777 & ~0o022
        return kept == 0 ? nil : kept
    }

    private func checkSizes(_ place: String) throws(ArchiveFailure) {
        if isDirectory {
            guard size == 0, checksum == 0 else { throw .malformed(at: place, "a directory has data") }
        }
        guard size <= UInt64(Int64.max) else {
            throw .refused(.limitExceeded, at: place, "the entry says it has \(size) bytes")
        }
        guard !isStored || compressed == size else {
            throw .malformed(at: place, "stored without compression, but has \(compressed) bytes of data for \(size)")
        }
    }
}

extension ArchiveEntry {
    /// Compares a local header with this entry; returns the bytes that it takes, with name and extra fields.
    func check(local window: inout ArchiveWindow, limits: Limits) throws(ArchiveFailure) -> UInt64 {
        let fixed = try window.bytes(at: offset, 30, of: "a local header")
        guard fixed.number32(0) == RecordSignature.local else {
            throw .malformed(at: place, "there is no local header at byte \(offset), where the central directory says")
        }
        let nameLength = Int(fixed.number16(26))
        let extraLength = Int(fixed.number16(28))
        let header = try window.bytes(at: offset, 30 + nameLength + extraLength, of: "a local header")
        let raw = header.part(30, nameLength)
        try Self.check(name: raw, limits: limits)
        guard raw.elementsEqual(rawName) else {
            throw .malformed(at: place, "the local header has another name: \(shown(raw))")
        }
        try Self.check(flags: header.number16(6), method: header.number16(8), of: place)
        try Self.check(versionNeeded: header.number16(4), of: place)
        guard header.number16(6) == flags else {
            throw .malformed(at: place, "local and central header differ in the flags")
        }
        guard header.number16(8) == method else {
            throw .malformed(at: place, "local and central header differ in the method")
        }
        let extras = try HeaderExtras(header.part(30 + nameLength, extraLength), of: place)
        try Self.check(extras, against: raw)
        let wide = try extras.resolve([UInt64(header.number32(22)), UInt64(header.number32(18))], of: place)
        let pairs = [
            ("size", wide[0], size), ("compressed size", wide[1], compressed),
            ("checksum", UInt64(header.number32(14)), UInt64(checksum)),
        ]
        for (what, local, central) in pairs where local != central {
            // With a descriptor, the local values were not known when they were written.
            guard hasDescriptor, local == 0 else {
                throw .malformed(at: place, "local and central header differ in the \(what): \(local) and \(central)")
            }
        }
        return UInt64(header.count)
    }

    /// Compares a data descriptor with this entry (APPNOTE 4.3.9): with or without signature, 4- or 8-byte sizes.
    func check(descriptor bytes: ArraySlice<UInt8>) throws(ArchiveFailure) {
        let isSigned = bytes.count == 16 || bytes.count == 24
        guard !isSigned || bytes.number32(0) == RecordSignature.descriptor else {
            throw .malformed(at: place, "between data and next header lie bytes that are no descriptor")
        }
        // A streaming reader looks for the signature; without it nothing marks the end of stored data.
        guard isSigned || !isStored || size == 0 else {
            throw .malformed(
                at: place, "stored data of a length that is not known before needs a descriptor with signature")
        }
        let values = isSigned ? bytes.dropFirst(4) : bytes
        let (first, second) =
            values.count == 20
            ? (values.number64(4), values.number64(12)) : (UInt64(values.number32(4)), UInt64(values.number32(8)))
        guard values.number32(0) == checksum, first == compressed, second == size else {
            throw .malformed(at: place, "the descriptor after the data and the central directory disagree")
        }
    }
}

/// Names for refused methods.
enum CompressionMethod {
    /// APPNOTE 4.4.5.
    static func name(_ method: UInt16) -> String {
        switch method {
        case 1: "shrink (method 1)"
        case 2...5: "reduce (method \(method))"
        case 6: "implode (method 6)"
        case 9: "deflate64 (method 9)"
        case 12: "bzip2 (method 12)"
        case 14: "LZMA (method 14)"
        case 20, 93: "zstandard (method \(method))"
        case 95: "xz (method 95)"
        case 98: "PPMd (method 98)"
        default: "method \(method)"
        }
    }
}
