import PatchFiles

/// An archive's bytes, read with pread(2) through one buffer: memory does not grow with the archive, and the
/// descriptor's position is not used.
struct ArchiveWindow: ~Copyable {
    private static let chunk: UInt64 = 1 << 16

    /// Of the whole file.
    let size: UInt64
    private let file: File
    private var start: UInt64
    private var held: [UInt8]

    init(_ archive: borrowing File) throws(FileError) {
        let length = try archive.status().size
        let own = try archive.duplicate()
        size = UInt64(clamping: length)
        file = own
        start = 0
        held = []
    }

    /// Bytes from the middle of the file.
    ///
    /// - Throws: also when the file ends before.
    mutating func bytes(at offset: UInt64, _ count: Int, of what: String) throws(ArchiveFailure) -> ArraySlice<UInt8> {
        let wanted = UInt64(clamping: count)
        guard offset <= size, wanted <= size - offset else {
            throw .malformed("\(what) at byte \(offset) reaches beyond the end of the file")
        }
        let end = offset + wanted
        if offset < start || end > start + UInt64(held.count) {
            let length = min(max(wanted, Self.chunk), size - offset)
            do throws(FileError) {
                held = try file.read(at: Int64(clamping: offset), limit: Int(clamping: length))
            } catch {
                throw .failed(error)
            }
            start = offset
            guard UInt64(held.count) == length else { throw .malformed("the file became shorter while it was read") }
        }
        let first = Int(offset - start)
        return held[first..<first + count]
    }
}

extension ArraySlice<UInt8> {
    /// A little-endian number; `offset` counts from the slice's start and must lie within it.
    func number16(_ offset: Int) -> UInt16 {
        UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
    }

    /// A little-endian number; `offset` counts from the slice's start and must lie within it.
    func number32(_ offset: Int) -> UInt32 {
        UInt32(number16(offset)) | UInt32(number16(offset + 2)) << 16
    }

    /// A little-endian number; `offset` counts from the slice's start and must lie within it.
    func number64(_ offset: Int) -> UInt64 {
        UInt64(number32(offset)) | UInt64(number32(offset + 4)) << 32
    }

    /// A part; `offset` counts from the slice's start, and both must lie within it.
    func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
        self[startIndex + offset..<startIndex + offset + count]
    }
}

/// The signatures of a zip's records (APPNOTE 4.3).
enum RecordSignature {
    static let local: UInt32 = 0x0403_4B50
    static let descriptor: UInt32 = 0x0807_4B50
    static let central: UInt32 = 0x0201_4B50
    static let end: UInt32 = 0x0605_4B50
    static let end64: UInt32 = 0x0606_4B50
    static let locator64: UInt32 = 0x0706_4B50

    /// Signatures that a comment must not contain, or it could be read as part of the structure.
    static let structural: Set<UInt32> = [local, central, end, end64, locator64]
}
