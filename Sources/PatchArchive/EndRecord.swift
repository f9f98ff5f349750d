import PatchFiles
import PatchModel

/// What the end of central directory record says, with its zip64 form where there is one (APPNOTE 4.3.14 to 4.3.16).
struct EndRecord: Equatable {
    /// The record's own length, without its comment.
    static let length: UInt64 = 22
    private static let locatorLength: UInt64 = 20
    private static let record64Length: UInt64 = 56

    /// Where the record itself begins.
    var position: UInt64
    /// Entries of the archive.
    var entries: UInt64
    /// Where the central directory begins.
    var directoryStart: UInt64
    /// Where it ends: at the zip64 record or, without one, at ``position``.
    var directoryEnd: UInt64

    /// The result of looking at a file's end.
    enum Search: Equatable {
        /// A record whose comment ends where the file ends.
        case found(UInt64)
        /// A record, followed by bytes that belong to nothing.
        case followed(byBytes: UInt64)
        /// A record whose comment is longer than the file.
        case cut
        /// None.
        case missing
    }

    /// Looks for the record in the last 65,557 bytes, the farthest from the end that its comment allows.
    static func search(in window: inout ArchiveWindow) throws(ArchiveFailure) -> Search {
        guard window.size >= length else { return .missing }
        let reach = min(window.size, length + 65535)
        let first = window.size - reach
        let tail = try window.bytes(at: first, Int(reach), of: "the end of the archive")
        var result = Search.missing
        // Backwards: the record with the longest fitting comment wins, so that a record inside a comment is found.
        for offset in stride(from: Int(reach - length), through: 0, by: -1) {
            guard tail[tail.startIndex + offset] == 0x50, tail.number32(offset) == RecordSignature.end else { continue }
            let end = UInt64(offset) + length + UInt64(tail.number16(offset + 20))
            if end == reach {
                result = .found(first + UInt64(offset))
            } else if case .found = result {
                continue
            } else if result == .missing {
                result = end < reach ? .followed(byBytes: reach - end) : .cut
            }
        }
        return result
    }

    /// Reads the record at a position that ``search(in:)`` found.
    init(at position: UInt64, in window: inout ArchiveWindow) throws(ArchiveFailure) {
        let comment = Int(window.size - position - Self.length)
        let record = try window.bytes(at: position, Int(Self.length) + comment, of: "the end record")
        for offset in stride(from: 22, to: record.count - 3, by: 1)
        where RecordSignature.structural.contains(record.number32(offset)) {
            throw .malformed("the archive's comment holds the signature of a zip record; write it without a comment")
        }
        guard record.number16(4) == 0, record.number16(6) == 0 else {
            throw .malformed("the archive is one part of several; write it as a single file")
        }
        guard record.number16(8) == record.number16(10) else {
            throw .malformed("the end record counts \(record.number16(8)) and \(record.number16(10)) entries")
        }
        self.position = position
        let short = (
            count: UInt64(record.number16(10)), size: UInt64(record.number32(12)), start: UInt64(record.number32(16))
        )
        let mustBeLong = short.count == 0xFFFF || short.size == 0xFFFF_FFFF || short.start == 0xFFFF_FFFF
        if let long = try Self.zip64(before: position, in: &window) {
            guard
                [long.count, 0xFFFF].contains(short.count), [long.size, 0xFFFF_FFFF].contains(short.size),
                [long.start, 0xFFFF_FFFF].contains(short.start)
            else { throw .malformed("the end record and its zip64 form disagree") }
            entries = long.count
            directoryStart = long.start
            directoryEnd = long.end
            try check(size: long.size)
        } else {
            guard !mustBeLong else { throw .malformed("the end record refers to a zip64 record that is not there") }
            entries = short.count
            directoryStart = short.start
            directoryEnd = position
            try check(size: short.size)
        }
    }

    private func check(size: UInt64) throws(ArchiveFailure) {
        guard directoryStart <= directoryEnd, size == directoryEnd - directoryStart else {
            throw .malformed(
                "the central directory (\(size) bytes from byte \(directoryStart)) does not end where the end record "
                    + "begins (byte \(directoryEnd)); bytes were put in front of or into the archive")
        }
    }

    private static func zip64(
        before position: UInt64, in window: inout ArchiveWindow
    ) throws(ArchiveFailure) -> (count: UInt64, size: UInt64, start: UInt64, end: UInt64)? {
        guard position >= locatorLength + record64Length else { return nil }
        let locator = position - locatorLength
        let found = try window.bytes(at: locator, Int(locatorLength), of: "the zip64 locator")
        guard found.number32(0) == RecordSignature.locator64 else { return nil }
        let start = locator - record64Length
        guard found.number32(4) == 0, found.number32(16) == 1, found.number64(8) == start else {
            throw .malformed("the zip64 locator does not point to a record right before it")
        }
        let record = try window.bytes(at: start, Int(record64Length), of: "the zip64 end record")
        guard
            record.number32(0) == RecordSignature.end64, record.number64(4) == 44, record.number32(16) == 0,
            record.number32(20) == 0, record.number64(24) == record.number64(32)
        else { throw .malformed("the zip64 end record is not one of version 1, of a single file, with equal counts") }
        return (record.number64(32), record.number64(40), record.number64(48), start)
    }
}
