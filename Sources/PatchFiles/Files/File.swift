import CLinux
import Glibc

/// An open file; closed when the value ends. ``path`` is for messages only: all work goes through the descriptor.
public struct File: ~Copyable, Sendable {
    /// The descriptor, for calls that this type does not have. Valid as long as the value lives.
    public let descriptor: Int32
    /// For messages.
    public let path: String

    /// Takes over an open descriptor.
    public init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a file that already exists by its path; links are followed. Only for paths that the admin gave.
    public static func open(_ path: String, _ flags: Int32 = O_RDONLY) throws(FileError) -> File {
        let descriptor = patch_open(path, flags, 0o600)
        guard descriptor >= 0 else { throw FileError("open", path) }
        return File(adopting: descriptor, path: path)
    }

    /// Opens a file by its path only to look at it: ``status()`` works, reading does not before it is ``reopened()``. Links
    /// are followed. Opening a device or a FIFO may do something; looking at it does nothing.
    public static func look(at path: String) throws(FileError) -> File {
        let descriptor = patch_look(path)
        guard descriptor >= 0 else { throw FileError("open", path) }
        return File(adopting: descriptor, path: path)
    }

    /// The same file, for reading, whatever its name leads to by now.
    public func reopened() throws(FileError) -> File {
        let own = patch_open("/proc/self/fd/\(descriptor)", O_RDONLY, 0)
        guard own >= 0 else { throw FileError("open", path) }
        return File(adopting: own, path: path)
    }

    /// A file that has no name and is gone when it is closed, standing at its beginning.
    public static func inMemory(_ bytes: [UInt8]) throws(FileError) -> File {
        let descriptor = patch_memory_file("patchd")
        guard descriptor >= 0 else { throw FileError("make", "a file in memory") }
        let file = File(adopting: descriptor, path: "a file in memory")
        try file.write(bytes)
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw FileError("go back in", "a file in memory") }
        return file
    }

    /// A second descriptor of the same open file.
    public func duplicate() throws(FileError) -> File {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw FileError("duplicate", path) }
        return File(adopting: copy, path: path)
    }

    /// The file's status now.
    public func status() throws(FileError) -> FileStatus {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { throw FileError("stat", path) }
        return FileStatus(raw)
    }

    /// Reads up to `limit` bytes from `offset` on; fewer only at the end of the file.
    public func read(at offset: Int64 = 0, limit: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var filled = 0
        while filled < limit {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, limit - filled, off_t(offset) + off_t(filled))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path)
            }
            if count == 0 { break }
            filled += count
        }
        bytes.removeSubrange(filled...)
        return bytes
    }

    /// Reads the file from its start to its end, in blocks, without using the descriptor's position.
    ///
    /// - Parameter limit: no more bytes than this, however much is written to it meanwhile.
    public func forEachBlock<E: Error>(
        size: Int = 1 << 18, upTo limit: Int64 = .max, _ body: (UnsafeRawBufferPointer) throws(E) -> Void,
        onError: (FileError) -> E
    ) throws(E) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var offset: off_t = 0
        while offset < limit {
            let count = pread(descriptor, buffer.baseAddress, min(size, Int(off_t(limit) - offset)), offset)
            if count < 0 {
                if errno == EINTR { continue }
                throw onError(FileError("read", path))
            }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += off_t(count)
        }
    }

    /// Writes all bytes at the descriptor's position (at the end with `O_APPEND`).
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try Self.write(bytes, to: descriptor, path: path)
    }

    /// Writes all bytes at the descriptor's position (at the end with `O_APPEND`).
    public func write(_ bytes: [UInt8]) throws(FileError) {
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(FileError) in try Self.write(buffer, to: descriptor, path: path) }
        }
        try result.get()
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError) {
        try FaultPoint.pass("write", path)
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            done += count
        }
    }

    /// Makes the file consist of some bytes, in the blocks that it has.
    public func overwrite(with bytes: [UInt8]) throws(FileError) {
        try FaultPoint.pass("overwrite", path)
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw FileError("write", path) }
        try write(bytes)
        try truncate(to: Int64(bytes.count))
    }

    /// Makes content and size durable. A failure is final: the kernel may have dropped the dirty pages, and a second
    /// call could succeed without them (fsync(2)).
    public func sync() throws(FileError) {
        try FaultPoint.pass("sync", path)
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }

    /// Truncates the file.
    public func truncate(to size: Int64) throws(FileError) {
        try FaultPoint.pass("truncate", path)
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError("truncate", path) }
    }

    /// Allocates all blocks now, so that ENOSPC and EDQUOT come now. A file system that cannot is not an error.
    public func allocate(_ size: Int64) throws(FileError) {
        guard size > 0 else { return }
        try FaultPoint.pass("allocate", path)
        guard patch_allocate(descriptor, size) != 0 else { return }
        guard errno == EOPNOTSUPP || errno == ENOSYS else { throw FileError("allocate room for", path) }
    }

    /// Sets permission bits.
    public func setMode(_ mode: UInt16) throws(FileError) {
        try FaultPoint.pass("chmod", path)
        guard fchmod(descriptor, mode_t(mode)) == 0 else { throw FileError("change the mode of", path) }
    }

    /// Sets owner and group.
    public func setOwner(uid: UInt32, gid: UInt32) throws(FileError) {
        try FaultPoint.pass("chown", path)
        guard fchown(descriptor, uid, gid) == 0 else { throw FileError("change the owner of", path) }
    }

    /// Takes an exclusive flock(2).
    ///
    /// - Returns: false when another process has one, which is no error; never false with `wait`.
    public func lock(wait: Bool = false) throws(FileError) -> Bool {
        while flock(descriptor, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw FileError("lock", path) }
        }
        return true
    }

    /// Whether a read lease is granted: false while a process has the file open for writing; nil where the file system
    /// has no leases or the file is not ours.
    public func nobodyWrites() -> Bool? {
        switch patch_nobody_writes(descriptor) {
        case 0: false
        case 1: true
        default: nil
        }
    }
}
