import PatchModel

/// The structural pass: a zip's records, read with pread(2) and compared with each other before anything is inflated.
///
/// It succeeds only where exactly one reading of the bytes exists: entries tile the file from its first byte to the
/// central directory, local and central headers agree one to one, and the end record ends the file. Memory is bounded
/// by the limit for entries and names, not by the archive.
struct ArchiveStructure {
    /// In their order in the file.
    private(set) var entries: [ArchiveEntry] = []
    /// Where the archive ends without its comment.
    private(set) var length: UInt64

    init(_ window: inout ArchiveWindow, limits: Limits) throws(ArchiveFailure) {
        let end = try Self.end(&window)
        length = end.position + EndRecord.length
        guard end.entries <= UInt64(clamping: limits.entries) else {
            throw .refused(
                .limitExceeded,
                "the archive has \(end.entries) entries, \(limits.entries) are allowed (limits: entries)")
        }
        try readDirectory(end, &window, limits: limits)
        entries.sort { $0.offset < $1.offset }
        try checkTiles(upTo: end.directoryStart, &window, limits: limits)
        try checkNames(limits)
    }

    private static func end(_ window: inout ArchiveWindow) throws(ArchiveFailure) -> EndRecord {
        let begin = try window.bytes(at: 0, Int(min(window.size, 4)), of: "the first record")
        guard begin.elementsEqual([0x50, 0x4B, 0x03, 0x04].prefix(begin.count)) else {
            // An archive without entries begins with its end record.
            guard begin.count == 4, begin.number32(0) == RecordSignature.end,
                try EndRecord.search(in: &window) == .found(0)
            else {
                throw .malformed("the file does not begin with a zip entry; \(guess(begin))")
            }
            return try EndRecord(at: 0, in: &window)
        }
        switch try EndRecord.search(in: &window) {
        case .found(let position): return try EndRecord(at: position, in: &window)
        case .followed(let count):
            throw .malformed(
                "after the end of the archive come \(count) more bytes; bsdtar writing to a pipe pads like that: "
                    + "write to a file instead")
        case .cut, .missing:
            throw .refused(
                .incomplete, "the archive begins like a zip but its end is missing; it was cut or is being written")
        }
    }

    private static func guess(_ begin: ArraySlice<UInt8>) -> String {
        switch Array(begin.prefix(2)) {
        case [0x1F, 0x8B]: "it looks like gzip"
        case [0x37, 0x7A]: "it looks like 7z"
        case [0x42, 0x5A]: "it looks like bzip2"
        case [0x4D, 0x5A], [0x7F, 0x45], [0x23, 0x21]: "self-extracting archives are not taken"
        default: "nothing may stand in front of it"
        }
    }

    private mutating func readDirectory(
        _ end: EndRecord, _ window: inout ArchiveWindow, limits: Limits
    ) throws(ArchiveFailure) {
        var position = end.directoryStart
        var unpacked: UInt64 = 0
        for _ in 0..<end.entries {
            guard end.directoryEnd - position >= 46 else {
                throw .malformed("the central directory has fewer than \(end.entries) entries")
            }
            let fixed = try window.bytes(at: position, 46, of: "a central header")
            guard fixed.number32(0) == RecordSignature.central else {
                throw .malformed("there is no central header at byte \(position)")
            }
            let length = 46 + Int(fixed.number16(28)) + Int(fixed.number16(30)) + Int(fixed.number16(32))
            guard end.directoryEnd - position >= UInt64(length) else {
                throw .malformed("the central header at byte \(position) reaches beyond the central directory")
            }
            let header = try window.bytes(at: position, length, of: "a central header")
            let entry = try ArchiveEntry(central: header, limits: limits)
            guard entry.size <= limits.unpacked, unpacked <= limits.unpacked - entry.size else {
                throw .refused(
                    .limitExceeded, at: entry.place,
                    "the files have more than \(limits.unpacked) bytes together (limits: unpacked)")
            }
            unpacked += entry.size
            entries.append(entry)
            position += UInt64(length)
        }
        guard position == end.directoryEnd else {
            throw .malformed("the central directory has \(end.directoryEnd - position) bytes after its last entry")
        }
    }

    private func checkTiles(
        upTo directory: UInt64, _ window: inout ArchiveWindow, limits: Limits
    ) throws(ArchiveFailure) {
        var expected: UInt64 = 0
        for (index, entry) in entries.enumerated() {
            guard entry.offset == expected else {
                throw .malformed(
                    at: entry.place,
                    entry.offset < expected
                        ? "the entry overlaps the one before it"
                        : "in front of the entry lie \(entry.offset - expected) bytes that no entry of the directory lists"
                )
            }
            guard entry.offset <= directory else {
                throw .malformed(at: entry.place, "the entry begins behind the central directory")
            }
            let header = try entry.check(local: &window, limits: limits)
            let room = directory - entry.offset
            guard header <= room, entry.compressed <= room - header else {
                throw .malformed(at: entry.place, "the entry's data reaches into the central directory")
            }
            let data = entry.offset + header
            try checkEmptyData(of: entry, at: data, &window)
            let dataEnd = data + entry.compressed
            expected = dataEnd
            if entry.hasDescriptor {
                let next = index + 1 < entries.count ? entries[index + 1].offset : directory
                guard next >= dataEnd, [12, 16, 20, 24].contains(next - dataEnd) else {
                    throw .malformed(
                        at: entry.place, "the entry's data is not followed by a descriptor and the next record")
                }
                let descriptor = try window.bytes(at: dataEnd, Int(next - dataEnd), of: "a descriptor")
                try entry.check(descriptor: descriptor)
                if entry.isStored { try StoredData.check(entry, at: data, &window) }
                expected = next
            }
        }
        guard expected == directory else {
            throw .malformed(
                "in front of the central directory lie \(directory - expected) bytes that it does not list")
        }
    }

    /// A directory may have an empty deflate stream (some writers add one), and an empty file must: zero bytes are no
    /// stream, and readers differ in how they treat them.
    private func checkEmptyData(
        of entry: ArchiveEntry, at data: UInt64, _ window: inout ArchiveWindow
    ) throws(ArchiveFailure) {
        guard !entry.isStored else { return }
        if entry.isDirectory {
            guard entry.compressed == 0 || entry.compressed == 2,
                try window.bytes(at: data, Int(entry.compressed), of: "data").elementsEqual(
                    [0x03, 0x00].prefix(Int(entry.compressed)))
            else { throw .malformed(at: entry.place, "a directory has data") }
        } else if entry.compressed == 0 {
            throw .malformed(at: entry.place, "the entry says deflate but has no data; store empty files")
        }
    }

    private func checkNames(_ limits: Limits) throws(ArchiveFailure) {
        var files: Set<ExactText> = []
        var directories: Set<ExactText> = []
        let areBelowDot = entries.first?.isBelowDot
        for entry in entries {
            guard entry.isBelowDot == areBelowDot else {
                throw .refused(.entryName, at: entry.place, "some of the names begin with ./ and others do not")
            }
            let isNew = entry.isDirectory ? directories.insert(entry.name).inserted : files.insert(entry.name).inserted
            guard isNew else { throw .refused(.entryDuplicate, at: entry.place, "the archive has this name twice") }
        }
        // An archive need not list the directories of its files; they are counted separately, with the same limit.
        var implied: Set<ExactText> = []
        for entry in entries {
            if entry.isDirectory, files.contains(entry.name) {
                throw .refused(.entryDuplicate, at: entry.place, "the name is a file and a directory")
            }
            for parent in entry.name.parents.reversed() {
                guard !files.contains(parent) else {
                    throw .refused(
                        .entryDuplicate, at: entry.place, "\"\(parent)\" is a file and this entry's directory")
                }
                if directories.contains(parent) { continue }
                // The directories above one that was seen before were seen with it.
                guard implied.insert(parent).inserted else { break }
            }
            guard implied.count <= limits.entries else {
                throw .refused(
                    .limitExceeded, "the archive makes more than \(limits.entries) directories (limits: entries)")
            }
        }
    }
}
