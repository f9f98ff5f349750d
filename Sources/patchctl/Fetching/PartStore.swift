import Glibc
import PatchFiles

/// `STATE/sources/<sha256>.ranges/`: parts of an archive, each in a file that is called by where it begins.
struct PartStore: ~Copyable {
    let directory: Directory

    /// Without what a run that was killed had half.
    init(_ directory: consuming Directory) throws(FileError) {
        for name in try directory.names() where name.hasPrefix(".") { try directory.remove(name) }
        self.directory = directory
    }

    /// What has to be fetched yet of a part.
    func lacking(of range: Range<UInt64>) throws(FileError) -> Range<UInt64> {
        let size = UInt64(clamping: try directory.status("\(range.lowerBound)")?.size ?? 0)
        return min(range.lowerBound + size, range.upperBound)..<range.upperBound
    }

    /// Adds what was fetched, a file in the directory, to the part to which it belongs.
    ///
    /// - Parameter fetched: what was asked for; the file may have less of it.
    /// - Returns: how many bytes came.
    func add(_ name: String, _ fetched: Range<UInt64>, of range: Range<UInt64>) throws(FileError) -> UInt64 {
        guard try directory.status(name) != nil else { return 0 }
        let answer = try directory.file(name)
        let part = try directory.appendingFile("\(range.lowerBound)", mode: 0o640)
        _ = try answer.copy(to: part, upTo: Int64(fetched.count))
        try directory.remove(name)
        return UInt64(clamping: try answer.status().size)
    }

    /// A part's bytes.
    func bytes(of range: Range<UInt64>) throws(FileError) -> [UInt8] {
        try directory.file("\(range.lowerBound)").read(limit: range.count)
    }

    /// Puts a part where it belongs.
    func put(_ range: Range<UInt64>, into archive: borrowing File) throws(FileError) {
        try archive.put(from: directory.file("\(range.lowerBound)"), 0..<UInt64(range.count), at: range.lowerBound)
    }
}

extension File {
    /// Writes bytes at a place.
    func put(_ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw FileError("write", path) }
        try self.write(bytes)
    }

    /// Copies a part of another file to a place.
    func put(from source: borrowing File, _ part: Range<UInt64>, at offset: UInt64) throws(FileError) {
        var done: UInt64 = 0
        while done < UInt64(part.count) {
            let bytes = try source.read(
                at: Int64(clamping: part.lowerBound + done), limit: min(1 << 20, part.count - Int(done)))
            guard !bytes.isEmpty else { throw FileError("read", source.path, number: ENODATA) }
            try put(bytes, at: offset + done)
            done += UInt64(bytes.count)
        }
    }
}
