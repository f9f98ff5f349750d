import CLinux
import Glibc

/// An open directory; closed when the value ends. Everything is reached beneath its descriptor and never through a
/// symbolic link, so a user who can rename or link inside the tree cannot redirect a call out of it.
public struct Directory: ~Copyable, Sendable {
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

    /// Opens a directory by its path; links are followed. Only for paths that the admin gave.
    public static func open(_ path: String) throws(FileError) -> Directory {
        let descriptor = patch_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw FileError("open directory", path) }
        return Directory(adopting: descriptor, path: path)
    }

    /// Opens a directory by its absolute path, in which no component may be a symbolic link.
    public static func openWithoutLinks(_ path: String) throws(FileError) -> Directory {
        let root = try open("/")
        let relative = String(path.drop { $0 == "/" })
        return relative.isEmpty ? root : try root.directory(relative)
    }

    private func place(_ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }

    /// A second descriptor of the same directory.
    public func duplicate() throws(FileError) -> Directory {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw FileError("duplicate", path) }
        return Directory(adopting: copy, path: path)
    }

    /// Opens a directory beneath this one.
    public func directory(_ relative: String, stayOnMount: Bool = false) throws(FileError) -> Directory {
        let child = patch_open_beneath(descriptor, relative, O_RDONLY | O_DIRECTORY, 0, stayOnMount ? 1 : 0)
        guard child >= 0 else { throw FileError("open directory", place(relative)) }
        return Directory(adopting: child, path: place(relative))
    }

    /// Opens a file beneath this directory; never blocks on a FIFO or a terminal.
    public func file(_ relative: String, _ flags: Int32 = O_RDONLY) throws(FileError) -> File {
        let child = patch_open_beneath(descriptor, relative, flags | O_NONBLOCK | O_NOCTTY, 0, 0)
        guard child >= 0 else { throw FileError("open", place(relative)) }
        return File(adopting: child, path: place(relative))
    }

    /// Creates a file that does not exist yet. The mode is exact, whatever the umask.
    public func createFile(_ name: String, mode: UInt16 = 0o600) throws(FileError) -> File {
        try create(name, flags: O_RDWR | O_CREAT | O_EXCL, mode: mode)
    }

    /// Opens a file for reading and appending, creating it where it does not exist.
    public func appendingFile(_ name: String, mode: UInt16 = 0o600) throws(FileError) -> File {
        if let status = try status(name) {
            guard status.kind == .file else { throw FileError("append to", place(name), number: EINVAL) }
            return try file(name, O_RDWR | O_APPEND)
        }
        let made = try create(name, flags: O_RDWR | O_APPEND | O_CREAT | O_EXCL, mode: mode)
        try sync()
        return made
    }

    private func create(_ name: String, flags: Int32, mode: UInt16) throws(FileError) -> File {
        try FaultPoint.pass("create", place(name))
        let child = patch_open_beneath(descriptor, name, flags, mode_t(mode), 0)
        guard child >= 0 else { throw FileError("create", place(name)) }
        let file = File(adopting: child, path: place(name))
        guard fchmod(child, mode_t(mode)) == 0 else { throw FileError("change the mode of", place(name)) }
        return file
    }

    /// The status of a name itself, not of a link's target; nil when there is none.
    ///
    /// - Parameter relative: may have several components; a link among them is an error.
    public func status(_ relative: String) throws(FileError) -> FileStatus? {
        let (parent, name) = Self.split(relative)
        if let parent {
            let child = patch_open_beneath(descriptor, parent, O_RDONLY | O_DIRECTORY, 0, 0)
            if child < 0 {
                if errno == ENOENT { return nil }
                throw FileError("look at", place(relative))
            }
            defer { close(child) }
            return try status(of: name, at: child, relative)
        }
        return try status(of: name, at: descriptor, relative)
    }

    private func status(of name: String, at parent: Int32, _ relative: String) throws(FileError) -> FileStatus? {
        var raw = stat()
        guard fstatat(parent, name, &raw, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw FileError("look at", place(relative))
        }
        return FileStatus(raw)
    }

    /// This directory's own status.
    public func status() throws(FileError) -> FileStatus {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { throw FileError("stat", path) }
        return FileStatus(raw)
    }

    /// The directory and the name of a path's last component.
    public static func split(_ relative: String) -> (parent: String?, name: String) {
        // Bytes, not characters: for Swift a slash with a combining mark is another character.
        let bytes = relative.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (nil, relative) }
        return (
            String(decoding: bytes[..<slash], as: UTF8.self),
            String(decoding: bytes[bytes.index(after: slash)...], as: UTF8.self)
        )
    }

    /// The names in this directory, sorted, without `.` and `..`; names that are not UTF-8 are left out.
    ///
    /// - Parameters:
    ///   - prefix: only names that begin so: of a directory with very many others none of those is kept in memory.
    ///   - suffix: only names that end so.
    public func names(from prefix: String = "", to suffix: String = "") throws(FileError) -> [String] {
        var names: [String] = []
        try forEachEntry { raw in
            guard raw.starts(with: prefix.utf8), raw.suffix(suffix.utf8.count).elementsEqual(suffix.utf8),
                let name = String(validating: raw, as: UTF8.self)
            else { return }
            names.append(name)
        }
        return names.sorted()
    }

    private func forEachEntry(_ body: (Slice<UnsafeRawBufferPointer>) -> Void) throws(FileError) {
        let own = patch_open_beneath(descriptor, ".", O_RDONLY | O_DIRECTORY, 0, 0)
        guard own >= 0 else { throw FileError("read directory", path) }
        guard let stream = fdopendir(own) else {
            close(own)
            throw FileError("read directory", path)
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError("read directory", path) }
                return
            }
            withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                let name = raw.prefix { $0 != 0 }
                if !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) { body(name) }
            }
        }
    }

    /// How many entries this directory has, including those that ``names()`` leaves out.
    public func count() throws(FileError) -> Int {
        var count = 0
        try forEachEntry { _ in count += 1 }
        return count
    }

    /// Makes the directory's entries durable. A failure is final, as with ``File/sync()``.
    public func sync() throws(FileError) {
        try FaultPoint.pass("sync", path)
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }

    /// Writes back everything that is dirty on this directory's file system; one call for many new files. A failure is
    /// final, as with ``File/sync()``.
    public func syncFileSystem() throws(FileError) {
        try FaultPoint.pass("syncfs", path)
        guard patch_syncfs(descriptor) == 0 else { throw FileError("sync the file system of", path) }
    }

    /// Creates a directory. The mode is exact, whatever the umask. One that exists is left unchanged, which is no
    /// error.
    ///
    /// - Returns: whether it was created.
    @discardableResult
    public func makeDirectory(_ name: String, mode: UInt16 = 0o700) throws(FileError) -> Bool {
        try FaultPoint.pass("mkdir", place(name))
        guard mkdirat(descriptor, name, mode_t(mode & 0o700)) == 0 else {
            if errno == EEXIST, try status(name)?.kind == .directory { return false }
            throw FileError("create directory", place(name), number: errno == 0 ? EEXIST : errno)
        }
        if mode & ~0o700 != 0 {
            let made = try directory(name)
            guard fchmod(made.descriptor, mode_t(mode)) == 0 else { throw FileError("change the mode of", place(name)) }
        }
        return true
    }

    /// Opens a directory, creating it where it does not exist.
    public func ensureDirectory(_ name: String, mode: UInt16 = 0o700) throws(FileError) -> Directory {
        if try makeDirectory(name, mode: mode) { try sync() }
        return try directory(name)
    }

    /// Renames, replacing what is at the target.
    public func rename(_ name: String, to other: borrowing Directory, _ newName: String) throws(FileError) {
        try FaultPoint.pass("rename", place(name))
        guard renameat(descriptor, name, other.descriptor, newName) == 0 else {
            throw FileError("rename \"\(place(name))\" to", other.path + "/" + newName)
        }
    }

    /// Renames; an existing target is an error.
    public func renameNew(_ name: String, to other: borrowing Directory, _ newName: String) throws(FileError) {
        try FaultPoint.pass("rename", place(name))
        guard patch_rename_new(descriptor, name, other.descriptor, newName) == 0 else {
            throw FileError("rename \"\(place(name))\" to", other.path + "/" + newName)
        }
    }

    /// Exchanges two files in one step: at every instant each name has one or the other.
    public func exchange(_ name: String, with other: borrowing Directory, _ otherName: String) throws(FileError) {
        try FaultPoint.pass("exchange", place(name))
        guard patch_exchange(descriptor, name, other.descriptor, otherName) == 0 else {
            throw FileError("exchange \"\(place(name))\" with", other.path + "/" + otherName)
        }
    }

    /// Removes a file; one that does not exist is no error.
    public func remove(_ name: String) throws(FileError) {
        try FaultPoint.pass("unlink", place(name))
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw FileError("remove", place(name)) }
    }

    /// Removes a directory that is empty.
    ///
    /// - Returns: false when it is not empty, which is no error; one that does not exist counts as removed.
    public func removeDirectory(_ name: String) throws(FileError) -> Bool {
        try FaultPoint.pass("rmdir", place(name))
        if unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
        if errno == ENOTEMPTY || errno == EEXIST { return false }
        throw FileError("remove directory", place(name))
    }

    /// Removes a file or a directory with everything in it, without following links; one that does not exist is no
    /// error.
    public func removeTree(_ name: String) throws(FileError) {
        guard let found = try status(name) else { return }
        guard found.kind == .directory else { return try remove(name) }
        let inside = try directory(name)
        // Its owner may have removed their own right to write; its content is removed all the same.
        if found.mode & 0o300 != 0o300, geteuid() != 0 { _ = fchmod(inside.descriptor, 0o700) }
        for child in try inside.names() { try inside.removeTree(child) }
        try FaultPoint.pass("rmdir", place(name))
        guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw FileError("remove directory", place(name))
        }
    }

    /// Replaces a file as a whole and durably: temporary file, fsync, rename, fsync of the directory.
    ///
    /// - Parameters:
    ///   - owner: whose it is; nil: this process's.
    ///   - fixed: the temporary file's name, where nobody else writes there at the same time: what a kill left of it is then
    ///     replaced without looking for it. Nil for one that nobody else has.
    ///   - isDurable: false for what may be lost in a power cut.
    public func replaceFile(
        _ name: String, with bytes: [UInt8], mode: UInt16 = 0o600, owner: (uid: UInt32, gid: UInt32)? = nil,
        through fixed: String? = nil, isDurable: Bool = true
    ) throws(FileError) {
        var temporary = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
        // Where a directory has the name, the other one does.
        if let fixed, (try? remove(fixed)) != nil { temporary = fixed }
        try replaceFile(name, as: temporary, mode: mode, isDurable: isDurable) { (file) throws(FileError) in
            try file.write(bytes)
            if let owner { try file.setOwner(uid: owner.uid, gid: owner.gid) }
        }
    }

    /// The same for content that is written piece by piece.
    public func replaceFile(
        _ name: String, mode: UInt16 = 0o600, _ write: (borrowing File) throws(FileError) -> Void
    ) throws(FileError) {
        let temporary = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
        try replaceFile(name, as: temporary, mode: mode, isDurable: true, write)
    }

    private func replaceFile(
        _ name: String, as temporary: String, mode: UInt16, isDurable: Bool,
        _ write: (borrowing File) throws(FileError) -> Void
    ) throws(FileError) {
        do throws(FileError) {
            let file = try createFile(temporary, mode: mode)
            try write(file)
            if isDurable { try file.sync() }
            try rename(temporary, to: self, name)
        } catch {
            unlinkat(descriptor, temporary, 0)
            throw error
        }
        if isDurable { try sync() }
    }

    /// So many files are waited for one by one: the rest of the file system may have much to write.
    private static let syncedSingly = 16

    /// Replaces several files, each as a whole and all durably: the disk is waited for as seldom as that can be.
    public func replaceFiles(_ files: [(name: String, bytes: [UInt8])], mode: UInt16 = 0o600) throws(FileError) {
        var temporaries: [String] = []
        do throws(FileError) {
            for (name, bytes) in files {
                let temporary = ".\(name).\(UInt64.random(in: .min ... .max)).tmp"
                temporaries.append(temporary)
                let file = try createFile(temporary, mode: mode)
                try file.write(bytes)
                if files.count <= Self.syncedSingly { try file.sync() }
            }
            if files.count > Self.syncedSingly { try syncFileSystem() }
            for (temporary, file) in zip(temporaries, files) { try rename(temporary, to: self, file.name) }
        } catch {
            for temporary in temporaries { unlinkat(descriptor, temporary, 0) }
            throw error
        }
        if !files.isEmpty { try sync() }
    }

    /// Removes temporary files that a kill in ``replaceFile(_:with:mode:)`` left. Only where nobody else is writing.
    public func removeLeftovers() throws(FileError) {
        for name in try names(from: ".", to: ".tmp") {
            if try status(name)?.kind == .file { try remove(name) }
        }
    }

    /// Reads a file as a whole.
    ///
    /// - Returns: nil when it does not exist.
    /// - Throws: also when it is larger than `limit` bytes (`EFBIG`) or no plain file.
    public func readFile(_ relative: String, limit: Int = 64 << 20) throws(FileError) -> [UInt8]? {
        let opened: File
        do throws(FileError) {
            opened = try file(relative)
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
        let status = try opened.status()
        guard status.kind == .file else { throw FileError("read", place(relative), number: EINVAL) }
        guard status.size <= limit else { throw FileError("read", place(relative), number: EFBIG) }
        return try opened.read(limit: limit < Int(status.size) + 1 ? limit : Int(status.size) + 1)
    }

    /// Bytes that a file takes on the disk; of a directory, what is in it does not count. 0 for one that is not there.
    public func allocatedSize(_ name: String) throws(FileError) -> UInt64 {
        var raw = stat()
        guard fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return 0 }
            throw FileError("look at", place(name))
        }
        return UInt64(raw.st_blocks) * 512
    }

    /// Bytes that an unprivileged user may still write to this file system.
    public func availableSpace() throws(FileError) -> UInt64 {
        var raw = statvfs()
        guard fstatvfs(descriptor, &raw) == 0 else { throw FileError("ask for the free space of", path) }
        return UInt64(raw.f_bavail) * UInt64(raw.f_frsize)
    }
}
