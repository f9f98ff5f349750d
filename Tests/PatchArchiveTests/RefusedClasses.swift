import PatchModel

/// A valid update with exactly one thing wrong, and the code that it is refused with.
struct Defect: Sendable, CustomStringConvertible {
    var description: String
    var code: RefusalCode
    var bytes: @Sendable () -> [UInt8]

    init(_ description: String, _ code: RefusalCode, _ change: @escaping @Sendable (inout ZipBuilder) -> Void) {
        self.description = description
        self.code = code
        bytes = {
            var zip = Sample.zip
            change(&zip)
            return zip.bytes()
        }
    }

    /// One more file with a name.
    static func name(_ name: String, _ description: String, _ code: RefusalCode = .entryName) -> Defect {
        Defect(description, code) { $0.members.append(ZipMember(name, "x")) }
    }

    /// One more entry.
    static func entry(_ description: String, _ code: RefusalCode, _ member: ZipMember) -> Defect {
        Defect(description, code) { $0.members.append(member) }
    }

    /// The second entry changed.
    static func member(
        _ description: String, _ code: RefusalCode, _ change: @escaping @Sendable (inout ZipMember) -> Void
    ) -> Defect {
        Defect(description, code) { change(&$0.members[1]) }
    }

    /// The manifest replaced.
    static func manifest(_ description: String, _ code: RefusalCode, _ text: String) -> Defect {
        Defect(description, code) { $0.members[0] = ZipMember("update.json", text) }
    }
}

/// The classes of hostile archives, a case each and more.
enum RefusedClasses {
    static let all = names + types + duplicates + disagreements + tiling + descriptors + wide + data + ends + contents

    private static let names: [Defect] = [
        .name("P/FILPATCH/../../x", "a name that climbs"),
        .name("../x", "a name that climbs out at once"),
        .name("/etc/passwd", "an absolute name"),
        .name("P/FILPATCH//x", "a doubled slash"),
        .name("P/FILPATCH/./x", "a dot component"),
        .name("./P/FILPATCH/x", "a name below ./ where the others are not"),
        .name("././P/FILPATCH/x", "a dot component after ./"),
        .entry("the directory ./ where the others are not below it", .entryName, .directory(".")),
        .name("C:/x", "a drive letter"),
        .name("P\\FILPATCH\\x", "backslashes, as old .NET writes"),
        .name("\\\\host\\share\\x", "a UNC name"),
        .name("P/FILPATCH/a\u{0}b", "a NUL"),
        .name("P/FILPATCH/a\nb", "a line feed"),
        .name("P/FILPATCH/a\u{7F}b", "a DEL"),
        .name("P/FILPATCH/a\u{202E}txt.exe", "a bidirectional override"),
        .name("P/FILPATCH/a\u{200B}b", "a zero-width space"),
        .name("P/FILPATCH/a ", "a trailing space"),
        .name("P/FILPATCH/a.", "a trailing dot"),
        .name("", "an empty name"),
        .name("/", "nothing but a slash"),
        .name("P/FILPATCH/" + String(repeating: "x", count: 256), "a component of 256 bytes"),
        .name("P/FILPATCH/" + String(repeating: "x/", count: 600) + "x", "a name over the limit", .limitExceeded),
        .name("P/FILPATCH/" + String(repeating: "x/", count: 40) + "x", "a name too deep", .limitExceeded),
        .name("P/FILPATCH/update.lock", "a reserved name"),
        .name("P/FILPATCH/d/.patchd/x", "a reserved directory"),
        .entry("a name that is not UTF-8", .entryName, ZipMember(Array("P/FILPATCH/".utf8) + [0x81, 0x9A], [1])),
        .member("a climbing name in the local header alone", .entryName) {
            $0.changeLocal = { $0.name = Array("../FILPATCH/abc.".utf8) }
        },
        .member("a climbing name in the Unicode path field alone", .entryName) {
            $0.centralExtra = extra(0x7075, [1] + le32(crc32($0.name)) + Array("../x".utf8))
        },
    ]

    private static let types: [Defect] = [
        .entry("a symbolic link", .entryType, ZipMember("P/FILPATCH/l", "/etc/passwd", mode: 0o120777)),
        .entry(
            "a symbolic link made on macOS", .entryType,
            {
                var member = ZipMember("P/FILPATCH/l", "/etc/passwd", mode: 0o120777)
                member.madeBy = 19 << 8 | 21
                return member
            }()),
        .entry("a device", .entryType, ZipMember("P/FILPATCH/d", mode: 0o020644)),
        .entry("a pipe", .entryType, ZipMember("P/FILPATCH/d", mode: 0o010644)),
        .entry("a socket", .entryType, ZipMember("P/FILPATCH/d", mode: 0o140644)),
        .entry("a setuid file", .entryType, ZipMember("P/FILPATCH/s", "x", mode: 0o104755)),
        .entry("a setgid file", .entryType, ZipMember("P/FILPATCH/s", "x", mode: 0o102755)),
        .entry("a sticky file", .entryType, ZipMember("P/FILPATCH/s", "x", mode: 0o101755)),
        .entry("a directory's type without a slash", .archiveMalformed, ZipMember("P/FILPATCH/s", mode: 0o040755)),
        .entry("a file's type with a slash", .archiveMalformed, ZipMember("P/FILPATCH/s/", mode: 0o100644)),
        .member("the DOS directory bit on a file", .archiveMalformed) { $0.attributes |= 0x10 },
        .entry("a directory with data", .archiveMalformed, ZipMember("P/FILPATCH/d/", "data", mode: 0o040755)),
    ]

    private static let duplicates: [Defect] = [
        .entry("a name twice", .entryDuplicate, ZipMember("P/FILPATCH/a.txt", "another")),
        .entry("a directory that is a file", .entryDuplicate, .directory("P/FILPATCH/a.txt")),
        .entry("a file below a file", .entryDuplicate, ZipMember("P/FILPATCH/a.txt/b", "x")),
        .entry("a file far below a file", .entryDuplicate, ZipMember("P/FILPATCH/a.txt/b/c/d", "x")),
        Defect("a directory twice", .entryDuplicate) { $0.members += [.directory("P/d"), .directory("P/d")] },
    ]

    private static let disagreements: [Defect] = [
        .member("names that differ between the headers", .archiveMalformed) {
            $0.changeLocal = { $0.name = Array("P/FILPATCH/z.txt".utf8) }
        },
        .member("methods that differ", .archiveMalformed) { $0.changeLocal = { $0.method = 8 } },
        .member("flags that differ", .archiveMalformed) { $0.changeLocal = { $0.flags = 2 } },
        .member("checksums that differ", .archiveMalformed) { $0.changeLocal = { $0.checksum ^= 1 } },
        .member("sizes that differ", .archiveMalformed) { $0.changeLocal = { $0.size += 1 } },
        .member("compressed sizes that differ", .archiveMalformed) { $0.changeLocal = { $0.compressed -= 1 } },
        .member("a zero checksum in the local header without a descriptor", .archiveMalformed) {
            $0.changeLocal = { $0.checksum = 0 }
        },
        .member("another name in the Unicode path field", .archiveMalformed) {
            $0.centralExtra = extra(0x7075, [1] + le32(crc32($0.name)) + Array("P/FILPATCH/q".utf8))
        },
        .member("another name in the local Unicode path field", .archiveMalformed) {
            $0.localExtra = extra(0x7075, [1] + le32(crc32($0.name)) + Array("P/FILPATCH/q".utf8))
        },
        .member("two Unicode path fields", .archiveMalformed) {
            let field = extra(0x7075, [1] + le32(crc32($0.name)) + $0.name)
            $0.centralExtra = field + field
        },
        .member("an extra field that is too long", .archiveMalformed) { $0.centralExtra = [1, 2, 9, 0, 1] },
        .member("half an extra field", .archiveMalformed) { $0.localExtra = [1, 2] },
        .member("a flag that nobody sets", .archiveMalformed) { $0.flags = 1 << 4 },
        .member("encrypted in the local header alone", .archiveEncrypted) { $0.changeLocal = { $0.flags = 1 } },
        .member("a version of the specification above that of zip64", .archiveMalformed) {
            $0.changeCentral = { $0.versionNeeded = 46 }
        },
        .member("another disk", .archiveMalformed) { $0.changeCentral = { $0.disk = 1 } },
        .member("stored with two sizes", .archiveMalformed) { $0.size += 1 },
        .member("no signature on the local header", .archiveMalformed) {
            $0.changeLocal = { $0.signature = 0x0403_4B51 }
        },
        .member("no signature on the central header", .archiveMalformed) { $0.changeCentral = { $0.signature ^= 1 } },
    ]

    private static let tiling: [Defect] = [
        .member("an entry that no directory lists", .archiveMalformed) { $0.isUnlisted = true },
        .member("a gap between entries", .archiveMalformed) { $0.gapBefore = [0, 0, 0] },
        Defect("a prefix", .archiveMalformed) { $0.prefix = Array("#!/bin/sh\n".utf8) },
        Defect("a prefix that the offsets count", .archiveMalformed) {
            $0.prefix = Array("MZ stub".utf8)
            $0.shiftsOffsets = true
        },
        Defect("a prefix that is a local header of its own", .archiveMalformed) {
            $0.prefix = ZipMember("ghost", "x").headers(offset: 0).local + [0x78]
            $0.shiftsOffsets = true
        },
        Defect("two zips one after the other", .archiveMalformed) {
            $0.prefix = Sample.zip.bytes()
        },
        Defect("two zips one after the other, offsets put right", .archiveMalformed) {
            $0.prefix = Sample.zip.bytes()
            $0.shiftsOffsets = true
        },
        Defect("junk before the central directory", .archiveMalformed) { $0.beforeDirectory = [1, 2, 3] },
        Defect("junk after the central directory", .archiveMalformed) { $0.afterDirectory = [1, 2, 3] },
        Defect("junk in the central directory", .archiveMalformed) {
            $0.afterDirectory = [1, 2, 3]
            $0.countsJunk = true
        },
        .member("two directory entries for one local header", .archiveMalformed) {
            $0.centralCopies = [
                { member, offset in
                    var copy = member
                    copy.name = Array("P/FILPATCH/c.txt".utf8)
                    return copy.headers(offset: offset).central
                }
            ]
        },
        Defect("entries that overlap by quoting", .archiveMalformed) { zip in
            // The first entry's stored data is the second's header and data.
            let inner = ZipMember("P/FILPATCH/inner", "bomb")
            let innerBytes = inner.headers(offset: 0).local + inner.payload
            var outer = ZipMember("P/FILPATCH/outer", "")
            outer.payload = innerBytes
            outer.size = innerBytes.count
            outer.checksum = crc32(innerBytes)
            outer.centralCopies = [{ _, offset in inner.headers(offset: offset + 30 + 16).central }]
            zip.members.append(outer)
        },
        .member("an offset beyond the end", .archiveMalformed) { $0.changeCentral = { $0.offset = 0xFFFF_FFF0 } },
        .member("data that reaches into the directory", .archiveMalformed) {
            $0.changeLocal = { ($0.compressed, $0.size) = (60000, 60000) }
            $0.changeCentral = { ($0.compressed, $0.size) = (60000, 60000) }
        },
    ]

    private static let descriptors: [Defect] = [
        .member("a descriptor with another checksum", .archiveMalformed) {
            $0 = $0.deflated().streamed()
            $0.descriptor[4] ^= 1
        },
        .member("a descriptor with another size", .archiveMalformed) {
            $0 = $0.deflated().streamed()
            $0.descriptor[12] ^= 1
        },
        .member("a descriptor that is missing", .archiveMalformed) {
            $0 = $0.deflated().streamed()
            $0.descriptor = []
        },
        .member("a descriptor with a false signature", .archiveMalformed) {
            $0 = $0.deflated().streamed()
            $0.descriptor[0] ^= 1
        },
        .member("a descriptor that the flags do not announce", .archiveMalformed) {
            $0.descriptor = le32(0x0807_4B50) + le32($0.checksum) + le32(15) + le32(15)
        },
        .member("a descriptor without signature on stored data", .archiveMalformed) { $0 = $0.streamed(signed: false) },
        .member("stored data that holds its own end", .archiveMalformed) {
            let head = Array("head".utf8)
            let data = head + le32(0x0807_4B50) + le32(crc32(head)) + le32(4) + le32(4) + Array("tail".utf8)
            $0 = ZipMember($0.name, data).streamed()
        },
        .member("stored data that holds its own end without signature", .archiveMalformed) {
            let head = Array("head".utf8)
            let data = head + le32(crc32(head)) + le32(4) + le32(4) + le32(0x0403_4B50) + Array("tail".utf8)
            $0 = ZipMember($0.name, data).streamed()
        },
        .member("stored data that holds its own end in zip64 form", .archiveMalformed) {
            let head = Array("head".utf8)
            let data = head + le32(0x0807_4B50) + le32(crc32(head)) + le64(4) + le64(4) + Array("tail".utf8)
            $0 = ZipMember($0.name, data).streamed()
        },
    ]

    private static let wide: [Defect] = [
        .member("a sentinel without a zip64 field", .archiveMalformed) { $0.changeCentral = { $0.size = 0xFFFF_FFFF } },
        .member("a zip64 field that lacks a value", .archiveMalformed) {
            $0.centralExtra = extra(1, le64(15))
            $0.changeCentral = { ($0.size, $0.compressed) = (0xFFFF_FFFF, 0xFFFF_FFFF) }
        },
        .member("a zip64 field with a value too many", .archiveMalformed) {
            $0.centralExtra = extra(1, le64(15) + le64(15))
            $0.changeCentral = { $0.size = 0xFFFF_FFFF }
        },
        .member("a needless zip64 field that disagrees", .archiveMalformed) {
            $0.centralExtra = extra(1, le64(16) + le64(15))
        },
        .member("two zip64 fields", .archiveMalformed) {
            $0.centralExtra = extra(1, le64(15)) + extra(1, le64(15))
            $0.changeCentral = { $0.size = 0xFFFF_FFFF }
        },
        .member("a size in the zip64 field that differs", .archiveMalformed) {
            $0.localExtra = extra(1, le64(16) + le64(16))
            $0.changeLocal = { ($0.size, $0.compressed) = (0xFFFF_FFFF, 0xFFFF_FFFF) }
        },
        .member("a size that no number holds", .limitExceeded) {
            $0.centralExtra = extra(1, le64(.max))
            $0.changeCentral = { $0.size = 0xFFFF_FFFF }
        },
        .member("an offset that no number holds", .archiveMalformed) {
            $0.centralExtra = extra(1, le64(.max))
            $0.changeCentral = { $0.offset = 0xFFFF_FFFF }
        },
        .member("a compressed size that no number holds", .archiveMalformed) {
            $0 = $0.deflated()
            $0.centralExtra = extra(1, le64(.max))
            $0.localExtra = extra(1, le64(.max))
            $0.changeCentral = { $0.compressed = 0xFFFF_FFFF }
            $0.changeLocal = { $0.compressed = 0xFFFF_FFFF }
        },
        Defect("an end record that refers to a missing zip64 record", .archiveMalformed) {
            $0.changeEnd = { $0.start = 0xFFFF_FFFF }
        },
        Defect("a zip64 record of another size", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { $0.recordSize = 45 }
        },
        Defect("a zip64 record with another count", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { $0.count64 += 1 }
        },
        Defect("a zip64 record that the end record contradicts", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { ($0.count, $0.here) = (3, 3) }
        },
        Defect("a zip64 locator that points elsewhere", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { $0.recordOffset -= 1 }
        },
        Defect("zip64 numbers at their end", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { ($0.start64, $0.size64) = (.max, .max) }
        },
        Defect("a directory size that no number holds", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { $0.size64 = .max }
        },
        Defect("a zip64 archive of two disks", .archiveMalformed) {
            $0.isZip64 = true
            $0.changeEnd = { $0.disks = 2 }
        },
        Defect("a flood of entries", .limitExceeded) {
            $0.isZip64 = true
            $0.changeEnd = { ($0.count64, $0.here64) = (1 << 40, 1 << 40) }
        },
    ]

    private static let data: [Defect] = [
        .member("encrypted", .archiveEncrypted) { $0.flags = 1 },
        .member("strongly encrypted", .archiveEncrypted) { $0.flags = 1 | 1 << 6 },
        .member("masked headers", .archiveEncrypted) { $0.flags = 1 << 13 },
        .member("AES", .archiveEncrypted) { $0.method = 99 },
        .member("shrink", .archiveMethod) { $0.method = 1 },
        .member("implode", .archiveMethod) { $0.method = 6 },
        .member("deflate64", .archiveMethod) { $0.method = 9 },
        .member("bzip2", .archiveMethod) { $0.method = 12 },
        .member("LZMA", .archiveMethod) { $0.method = 14 },
        .member("zstandard", .archiveMethod) { $0.method = 93 },
        .member("xz", .archiveMethod) { $0.method = 95 },
        .member("PPMd", .archiveMethod) { $0.method = 98 },
        .member("patched data", .archiveMethod) { $0.flags = 1 << 5 },
        .member("a wrong checksum", .entryChecksum) { $0.checksum ^= 1 },
        .member("a checksum of zero", .entryChecksum) { $0.checksum = 0 },
        .member("a wrong checksum on deflate", .entryChecksum) {
            $0 = $0.deflated()
            $0.checksum ^= 1
        },
        .member("deflate that is garbage", .entryChecksum) {
            $0 = $0.deflated()
            $0.payload[0] = 7
        },
        .member("junk after the deflate stream", .archiveMalformed) {
            $0 = $0.deflated()
            $0.payload += [0, 0, 0]
        },
        .member("two deflate streams", .archiveMalformed) {
            $0 = $0.deflated()
            $0.payload += $0.payload
        },
        .member("no deflate stream at all", .archiveMalformed) {
            $0 = ZipMember($0.name, [])
            $0.method = 8
        },
        .member("more data than declared", .archiveMalformed) {
            $0 = $0.deflated()
            $0.size -= 1
        },
        .member("less data than declared", .archiveMalformed) {
            $0 = $0.deflated()
            $0.size += 1
        },
        .member("more unpacked than allowed", .limitExceeded) {
            $0 = $0.deflated()
            $0.centralExtra = extra(1, le64(1 << 40))
            $0.localExtra = extra(1, le64(1 << 40))
            $0.changeCentral = { $0.size = 0xFFFF_FFFF }
            $0.changeLocal = { $0.size = 0xFFFF_FFFF }
        },
    ]

    private static let ends: [Defect] = [
        Defect("bytes after the end", .archiveMalformed) { $0.suffix = [UInt8](repeating: 0, count: 512) },
        Defect("one byte after the end", .archiveMalformed) { $0.suffix = [10] },
        Defect("an end record in the comment", .archiveMalformed) {
            $0.comment = le32(0x0605_4B50) + [UInt8](repeating: 0, count: 18)
        },
        Defect("a whole zip in the comment", .archiveMalformed) { $0.comment = Sample.zip.bytes() },
        Defect("a local header's signature in the comment", .archiveMalformed) {
            $0.comment = [1, 0x50, 0x4B, 3, 4, 1]
        },
        Defect("a comment that is cut", .incomplete) { $0.changeEnd = { $0.commentLength = 5 } },
        Defect("counts that differ", .archiveMalformed) { $0.changeEnd = { $0.here -= 1 } },
        Defect("a count too high", .archiveMalformed) { $0.changeEnd = { ($0.here, $0.count) = (5, 5) } },
        Defect("a count too low", .archiveMalformed) { $0.changeEnd = { ($0.here, $0.count) = (3, 3) } },
        Defect("a second disk", .archiveMalformed) { $0.changeEnd = { $0.disk = 1 } },
        Defect("a directory on another disk", .archiveMalformed) { $0.changeEnd = { $0.directoryDisk = 1 } },
        Defect("a directory that begins elsewhere", .archiveMalformed) { $0.changeEnd = { $0.start -= 1 } },
        Defect("a directory of another size", .archiveMalformed) { $0.changeEnd = { $0.size -= 1 } },
        Defect("no entries", .manifestMissing) { $0.members = [] },
    ]

    private static let contents: [Defect] = [
        Defect("no manifest", .manifestMissing) { $0.members.removeFirst() },
        Defect("two manifests by another name", .manifestMissing) {
            $0.members[0] = ZipMember("a.json", Sample.manifest)
            $0.members.append(ZipMember("b.json", Sample.manifest))
        },
        Defect("a manifest below one of two top directories", .manifestMissing) {
            $0.members[0] = ZipMember("Q/update.json", Sample.manifest)
        },
        .manifest("a manifest that is no JSON", .manifestInvalid, "{"),
        .manifest("a manifest with an unknown key", .manifestInvalid, "{\"hello\": 1," + Sample.manifest.dropFirst()),
        .manifest(
            "a manifest over the limit", .limitExceeded, Sample.manifest + String(repeating: " ", count: 1 << 20)),
        .entry("a file below no patch", .contentUndeclared, ZipMember("Q/x", "x")),
        .entry(
            "jobs that name a missing file", .contentMissing,
            ZipMember("P/FILPATCH/jobs.json", "[[\"filecopy\",\"nope\"]]")),
        .entry("jobs that are no JSON", .manifestInvalid, ZipMember("P/FILPATCH/jobs.json", "[")),
        .entry(
            "jobs over the limit", .limitExceeded,
            ZipMember("P/FILPATCH/jobs.json", "[" + String(repeating: " ", count: 1 << 20) + "]")),
        .entry("a script above the version", .manifestInvalid, ZipMember("P/FILPATCH/upgrades/9.0.sh", "exit 0")),
        Defect("a patch without content", .contentMissing) { $0.members.removeLast(3) },
    ]
}
