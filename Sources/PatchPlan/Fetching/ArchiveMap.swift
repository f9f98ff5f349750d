/// Where an archive's central directory lies, as its last bytes say.
public struct ArchiveEnd: Hashable, Sendable {
    /// Bytes of an archive's end that are looked at. With a longer comment, nothing is found.
    public static let reach: UInt64 = 64 << 10

    /// Of the archive.
    public var entries: UInt64
    /// Bytes of the archive.
    public var directory: Range<UInt64>

    /// Nil where nothing is found, or not what every writer writes.
    ///
    /// - Parameter tail: the last bytes of an archive of `size` bytes.
    public init?(tail: [UInt8], size: UInt64) {
        let bytes = ZipBytes(tail)
        guard UInt64(tail.count) <= size else { return nil }
        let start = size - UInt64(tail.count)
        let found = stride(from: tail.count - 22, through: 0, by: -1).first { at in
            tail[at] == 0x50 && bytes.number(at, 4) == 0x0605_4B50
                && bytes.number(at + 20, 2) == UInt64(tail.count - at - 22)
        }
        guard let found else { return nil }
        var (entries, count, first) = (
            bytes.number(found + 10, 2), bytes.number(found + 12, 4), bytes.number(found + 16, 4)
        )
        var end = start + UInt64(found)
        if found >= 76, bytes.number(found - 20, 4) == 0x0706_4B50 {
            // The zip64 form stands right before its locator.
            guard bytes.number(found - 76, 4) == 0x0606_4B50 else { return nil }
            entries = bytes.number(found - 44, 8)
            count = bytes.number(found - 36, 8)
            first = bytes.number(found - 28, 8)
            end -= 76
        }
        guard first <= end, end - first == count else { return nil }
        self.entries = entries
        directory = first..<end
    }
}

/// What an archive consists of, as its central directory says: enough to find out which of its bytes are here already.
///
/// Nothing is believed of it: what is put together by it is compared with the archive's sum. Archives are checked elsewhere.
public struct ArchiveMap: Sendable {
    /// One entry, with what stands before and behind its data.
    public struct Entry: Hashable, Sendable {
        /// What both headers of an entry begin with: version, flags, method, time, date.
        var head: [UInt8]
        var checksum: UInt64
        var compressed: UInt64
        var size: UInt64
        var name: [UInt8]
        var extra: [UInt8]
        /// Of the local header.
        public var offset: UInt64
        /// Bytes up to the next entry.
        var span: UInt64 = 0

        var hasDescriptor: Bool { head[2] & 8 != 0 }

        /// What its data is known by.
        public var content: ArchiveContent {
            ArchiveContent(
                checksum: checksum, size: size, compressed: compressed, method: UInt64(head[4]) | UInt64(head[5]) << 8)
        }
    }

    /// In their order in the archive.
    public private(set) var entries: [Entry] = []

    /// Nil where the directory has not the form that it should have.
    ///
    /// - Parameter directory: its bytes.
    public init?(directory: [UInt8], _ end: ArchiveEnd) {
        let bytes = ZipBytes(directory)
        var at = 0
        while at < directory.count {
            guard at + 46 <= directory.count, bytes.number(at, 4) == 0x0201_4B50 else { return nil }
            let (name, extra, comment) = (
                Int(bytes.number(at + 28, 2)), Int(bytes.number(at + 30, 2)), Int(bytes.number(at + 32, 2))
            )
            let next = at + 46 + name + extra + comment
            guard next <= directory.count else { return nil }
            var entry = Entry(
                head: Array(directory[at + 6..<at + 16]), checksum: bytes.number(at + 16, 4),
                compressed: bytes.number(at + 20, 4), size: bytes.number(at + 24, 4),
                name: Array(directory[at + 46..<at + 46 + name]),
                extra: Array(directory[at + 46 + name..<at + 46 + name + extra]), offset: bytes.number(at + 42, 4))
            entry.widen()
            entries.append(entry)
            at = next
        }
        guard UInt64(entries.count) == end.entries else { return nil }
        entries.sort { $0.offset < $1.offset }
        for index in entries.indices {
            let next = index + 1 < entries.count ? entries[index + 1].offset : end.directory.lowerBound
            // The shortest local header that there can be.
            guard next >= entries[index].offset, next - entries[index].offset >= entries[index].shortest else {
                return nil
            }
            entries[index].span = next - entries[index].offset
        }
    }
}

extension ArchiveMap.Entry {
    fileprivate var shortest: UInt64 { compressed > 1 << 62 ? .max : compressed + 30 + UInt64(name.count) }

    /// Takes sizes and offset from the zip64 field where the header refers to that.
    fileprivate mutating func widen() {
        let bytes = ZipBytes(extra)
        var at = 0
        while at + 4 <= extra.count {
            let length = Int(bytes.number(at + 2, 2))
            if bytes.number(at, 2) == 1 {
                var value = at + 4
                for field in [\ArchiveMap.Entry.size, \.compressed, \.offset]
                where self[keyPath: field] == 0xFFFF_FFFF && value + 8 <= min(extra.count, at + 4 + length) {
                    self[keyPath: field] = bytes.number(value, 8)
                    value += 8
                }
            }
            at += 4 + length
        }
    }
}

/// What the data of an entry is known by, whatever it is called: two that agree in this are taken for the same.
public struct ArchiveContent: Hashable, Sendable {
    var checksum: UInt64
    var size: UInt64
    var compressed: UInt64
    var method: UInt64
}

/// Bytes with little-endian numbers in them.
struct ZipBytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A number; 0 where there are too few bytes.
    func number(_ offset: Int, _ count: Int) -> UInt64 {
        guard offset >= 0, offset + count <= bytes.count else { return 0 }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
