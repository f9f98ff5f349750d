import CArchive
import Glibc
import PatchFiles
import PatchModel

/// The second reader of an archive: libarchive, which must see every entry as the structural pass saw it.
///
/// Only its zip reader for seekable files is enabled, and every warning is an error: it warns where it guesses.
struct EntryReader: ~Copyable {
    private let handle: OpaquePointer
    private let entry: OpaquePointer
    private let source: UnsafeMutablePointer<ReadSource>

    /// libarchive gives no UTF-8 names in the C locale. Set once for the process; a failure shows as a name that
    /// differs.
    private static let locale: Void = { _ = setlocale(LC_CTYPE, "C.UTF-8") }()

    /// Opens an archive.
    ///
    /// - Parameter length: Where it ends without its comment, which is hidden from libarchive (3.6 does not find the
    ///   end record before a comment of more than 16 KiB).
    static func open(_ archive: borrowing File, length: UInt64) throws(ArchiveFailure) -> EntryReader {
        _ = locale
        let file = try onHost { () throws(FileError) in try archive.duplicate() }
        guard let handle = archive_read_new() else {
            throw .failed(FileError("read", archive.path, number: ENOMEM))
        }
        guard let entry = archive_entry_new2(handle) else {
            archive_read_free(handle)
            throw .failed(FileError("read", archive.path, number: ENOMEM))
        }
        let source = UnsafeMutablePointer<ReadSource>.allocate(capacity: 1)
        source.initialize(to: ReadSource(file, length: Int64(clamping: length)))
        let reader = EntryReader(handle: handle, entry: entry, source: source)
        try reader.start()
        return reader
    }

    private init(handle: OpaquePointer, entry: OpaquePointer, source: UnsafeMutablePointer<ReadSource>) {
        self.handle = handle
        self.entry = entry
        self.source = source
    }

    deinit {
        archive_entry_free(entry)
        archive_read_free(handle)
        source.pointee.buffer.deallocate()
        source.deinitialize(count: 1)
        source.deallocate()
    }

    private func start() throws(ArchiveFailure) {
        let steps = [
            archive_read_support_format_zip_seekable(handle),
            archive_read_set_read_callback(handle, readSource),
            archive_read_set_seek_callback(handle, seekSource),
            archive_read_set_skip_callback(handle, skipSource),
            archive_read_set_callback_data(handle, source),
        ]
        guard steps.allSatisfy({ $0 == ARCHIVE_OK }), archive_read_open1(handle) == ARCHIVE_OK else {
            throw problem(at: "")
        }
    }

    /// Moves to the next entry, which must be the expected one.
    func next(_ expected: ArchiveEntry) throws(ArchiveFailure) {
        let place = expected.place
        guard archive_read_next_header2(handle, entry) == ARCHIVE_OK else { throw problem(at: place) }
        guard let name = archive_entry_pathname(entry) else {
            throw .malformed(at: place, "the second reader (libarchive) sees no name")
        }
        // libarchive may put names into composed Unicode form, and Swift compares texts in any form as equal; the bytes
        // were already compared between the headers.
        let seen = String(cString: name)
        guard seen == String(decoding: expected.rawName, as: UTF8.self) else {
            throw .malformed(at: place, "the second reader (libarchive) sees another name: \(shown(seen.utf8))")
        }
        guard archive_entry_filetype(entry) == (expected.isDirectory ? S_IFDIR : S_IFREG),
            archive_entry_symlink(entry) == nil, archive_entry_hardlink(entry) == nil
        else { throw .malformed(at: place, "the second reader (libarchive) sees another type of entry") }
        let size = archive_entry_size_is_set(entry) == 0 ? 0 : archive_entry_size(entry)
        guard size == Int64(clamping: expected.size) else {
            throw .malformed(at: place, "the second reader (libarchive) sees \(size) bytes, not \(expected.size)")
        }
    }

    /// Streams the current entry's data; never gives more than the declared size.
    func data(
        of expected: ArchiveEntry, _ body: (UnsafeRawBufferPointer) throws(ArchiveFailure) -> Void
    ) throws(ArchiveFailure) {
        var delivered: UInt64 = 0
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            var offset: Int64 = 0
            let result = archive_read_data_block(handle, &start, &count, &offset)
            guard result == ARCHIVE_OK || result == ARCHIVE_EOF else {
                let total = delivered.addingReportingOverflow(result == ARCHIVE_WARN ? UInt64(clamping: count) : 0)
                throw damage(of: expected, delivered: total.partialValue, isComplete: result == ARCHIVE_WARN)
            }
            if result == ARCHIVE_EOF { break }
            guard UInt64(clamping: offset) == delivered, UInt64(clamping: count) <= expected.size - delivered else {
                throw wrongSize(of: expected, "more than that")
            }
            delivered += UInt64(clamping: count)
            try body(UnsafeRawBufferPointer(start: start, count: count))
        }
        guard delivered == expected.size else { throw wrongSize(of: expected, "\(delivered)") }
    }

    /// Checks that there is no further entry.
    func end() throws(ArchiveFailure) {
        let result = archive_read_next_header2(handle, entry)
        if result == ARCHIVE_OK { throw .malformed("the second reader (libarchive) sees more entries") }
        guard result == ARCHIVE_EOF else { throw problem(at: "") }
    }

    private func wrongSize(of entry: ArchiveEntry, _ found: String) -> ArchiveFailure {
        .malformed(at: entry.place, "the entry says that it has \(entry.size) bytes, its data has \(found)")
    }

    private var message: String { archive_error_string(handle).map { String(cString: $0) } ?? "no reason given" }

    private func problem(at place: String) -> ArchiveFailure {
        if let error = source.pointee.failure { return .failed(error) }
        return .malformed(at: place, "the second reader (libarchive) refuses it: \(message)")
    }

    /// What a failure while reading data means. libarchive warns, with the last data, where the stream has another
    /// length than declared or the checksum of all data differs, and fails where the stream is not deflate.
    private func damage(of entry: ArchiveEntry, delivered: UInt64, isComplete: Bool) -> ArchiveFailure {
        if let error = source.pointee.failure { return .failed(error) }
        let message = message
        if delivered > entry.size { return wrongSize(of: entry, "more than that") }
        if isComplete, delivered < entry.size { return wrongSize(of: entry, "\(delivered)") }
        if isComplete, message.contains("compressed data is wrong size") {
            return .malformed(at: entry.place, "the compressed data ends before or behind its declared end: \(message)")
        }
        return .refused(.entryChecksum, at: entry.place, "the data is damaged: \(message)")
    }
}

/// The source of libarchive's reads: pread(2) with a position of its own.
private struct ReadSource: ~Copyable {
    static let block = 1 << 17

    let file: File
    let length: Int64
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: ReadSource.block, alignment: 16)
    var position: Int64 = 0
    /// Set when a read failed.
    var failure: FileError?

    init(_ file: consuming File, length: Int64) {
        self.file = file
        self.length = length
    }

    /// The next bytes, none at the end, -1 when reading failed.
    mutating func read() -> Int {
        let wanted = min(Self.block, Int(clamping: length - position))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(file.descriptor, buffer, wanted, off_t(position))
            if count >= 0 {
                position += Int64(count)
                return count
            }
            guard errno == EINTR else {
                failure = FileError("read", file.path)
                return -1
            }
        }
    }

    /// The new position; one outside of the archive is clamped to it.
    mutating func move(to target: Int64) -> Int64 {
        position = min(max(target, 0), length)
        return position
    }
}

private func source(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<ReadSource>? {
    data?.assumingMemoryBound(to: ReadSource.self)
}

private func readSource(
    _: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ block: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> Int {
    guard let source = source(data) else { return -1 }
    block?.pointee = UnsafeRawPointer(source.pointee.buffer)
    return source.pointee.read()
}

private func skipSource(_: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ count: Int64) -> Int64 {
    guard let source = source(data) else { return 0 }
    let before = source.pointee.position
    return source.pointee.move(to: before.addingReportingOverflow(count).partialValue) - before
}

private func seekSource(
    _: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ offset: Int64, _ whence: Int32
) -> Int64 {
    guard let source = source(data) else { return -1 }
    let base: Int64 =
        switch whence {
        case SEEK_SET: 0
        case SEEK_CUR: source.pointee.position
        case SEEK_END: source.pointee.length
        default: -1
        }
    guard base >= 0 else { return -1 }
    return source.pointee.move(to: base.addingReportingOverflow(offset).partialValue)
}
