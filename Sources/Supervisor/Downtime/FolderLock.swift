import Glibc
import Logging
import PatchFiles
import PatchJSON
import PatchModel
import Synchronization

/// Writes and removes `update.lock` in one folder: the only thing that the daemon writes there, and never read back as
/// truth, since the folder's owner can change it. All calls run on the folder's thread.
///
/// A spare file with room for any lock lies beside it while it is locked: a file system that has run full can still be given
/// another phase (the spare is written and exchanged), and be unlocked.
final class FolderLock: Sendable {
    /// The lock as this process knows it.
    private enum Known {
        /// Not looked at yet: what lies there may be an earlier daemon's, or nobody's.
        case unknown
        case unlocked
        case locked(UpdateLock, FileStatus)
    }

    /// What came of ``settle()``.
    enum Change: Hashable, Sendable {
        case none
        case locked(UpdateLock, isNew: Bool)
        case unlocked(UpdateLock?)
    }

    /// Beside the lock: room for the next one. Names that begin with `.patchd` are reserved (contract §4).
    static let spareName = ".patchd-lock"
    private static let temporaryName = ".patchd-lock.tmp"
    /// Bytes of the spare: a lock with a long message fits.
    private static let room: Int64 = 16384

    let folder: Folder
    let thread: FolderThread
    private let watch: DirectoryWatch
    private let known = Mutex(Known.unknown)
    private let wanted = Mutex<UpdateLock?>(nil)

    /// - Parameter watch: woken when a lock that was written is touched.
    init(_ folder: Folder, thread: FolderThread, watch: DirectoryWatch) {
        self.folder = folder
        self.thread = thread
        self.watch = watch
    }

    /// The lock that was written last; nil where there is none, or none is known.
    var current: UpdateLock? { known.withLock { if case .locked(let lock, _) = $0 { lock } else { nil } } }

    /// Whether it is known that the folder is not locked.
    var isUnlocked: Bool { known.withLock { if case .unlocked = $0 { true } else { false } } }

    /// Says what the lock should be; nil for none. ``settle()`` makes it so.
    func want(_ lock: UpdateLock?) { wanted.withLock { $0 = lock } }

    /// Whether the lock is not what it should be, as far as is known.
    var isUnsettled: Bool {
        let wanted = wanted.withLock { $0 }
        switch known.withLock({ $0 }) {
        case .locked(let lock, _): return lock != wanted
        case .unlocked: return wanted != nil
        case .unknown: return true
        }
    }

    /// Whether the folder is to be locked.
    var isWanted: Bool { wanted.withLock { $0 != nil } }

    /// Makes the lock what it should be when the folder's thread comes to it: of several calls none undoes a later one.
    ///
    /// - Throws: ``Fault`` `io`.
    func settle() async throws -> Change {
        guard isUnsettled else { return .none }
        return try await thread.run(isWanted ? "lock" : "unlock") { [self] in
            guard isUnsettled else { return .none }
            return try wanted.withLock({ $0 }).map(write) ?? remove()
        }
    }

    /// How one folder's lock was made what it should be.
    struct Settlement: Sendable {
        let folder: String
        let result: Result<Change, Fault>
    }

    /// How a lock was looked after; whether it had to be written again.
    struct Restoration: Sendable {
        let folder: String
        let result: Result<Bool, Fault>
    }

    // These two are for task groups. A child of a group must not return a tuple from a closure that catches: optimized by
    // Swift 6.3.1, the group then copied a value that was gone, and the daemon crashed.

    /// ``settle()``, with what went wrong as a value.
    func settlement() async -> Settlement {
        do {
            return Settlement(folder: folder.name, result: .success(try await settle()))
        } catch {
            return Settlement(folder: folder.name, result: .failure(fault(error)))
        }
    }

    /// ``restore()``, with what went wrong as a value.
    func restoration() async -> Restoration {
        do {
            return Restoration(folder: folder.name, result: .success(try await restore()))
        } catch {
            return Restoration(folder: folder.name, result: .failure(fault(error)))
        }
    }

    private func fault(_ error: any Error) -> Fault { error as? Fault ?? Fault(folder: folder.name, .io, "\(error)") }

    /// Makes room for a lock and its changes, before the applications are stopped.
    ///
    /// - Throws: ``Fault`` `space` or `io`.
    func reserve() async throws {
        try await thread.run("make room for a lock in") { [folder] in
            do throws(FileError) {
                let directory = try Directory.openWithoutLinks(folder.path)
                if try directory.status(Self.spareName) != nil { return }
                try Self.makeSpare(in: directory)
            } catch {
                let isFull = [ENOSPC, EDQUOT].contains(error.number)
                throw Fault(
                    folder: folder.name, isFull ? .space : .io,
                    "cannot make room for \(UpdateLock.fileName) in \(folder.path): \(error)")
            }
        }
    }

    /// Writes the lock again where somebody removed or changed it.
    ///
    /// - Returns: whether that was so.
    func restore() async throws -> Bool {
        guard case .locked = known.withLock({ $0 }) else { return false }
        return try await thread.run("restore the lock of") { [self] in
            guard case .locked(let lock, let file) = known.withLock({ $0 }) else { return false }
            let directory = try Directory.openWithoutLinks(folder.path)
            if try directory.status(UpdateLock.fileName) == file { return false }
            _ = try write(lock)
            return true
        }
    }

    /// The lock that lies there, for when no job can say which should: that it is there, and what it says where it can be
    /// read. Nil where none lies there.
    func found() async throws -> (isThere: Bool, lock: UpdateLock?) {
        try await thread.run("look for a lock in") { [folder] in
            let directory = try Directory.openWithoutLinks(folder.path)
            guard try directory.status(UpdateLock.fileName) != nil else { return (false, nil) }
            let bytes = (try? directory.readFile(UpdateLock.fileName, limit: 1 << 16)) ?? nil
            return (true, bytes.flatMap { try? JSONText.read(UpdateLock.self, $0) })
        }
    }

    // MARK: On the folder's thread

    private func write(_ lock: UpdateLock) throws -> Change {
        let before = known.withLock { $0 }
        do {
            let directory = try Directory.openWithoutLinks(folder.path)
            if case .unknown = before { try Self.removeLeftovers(of: directory) }
            let bytes = try JSONText.page(lock)
            do throws(FileError) {
                try Self.replace(with: bytes, in: directory)
            } catch {
                guard [ENOSPC, EDQUOT].contains(error.number), try directory.status(Self.spareName) != nil else {
                    throw error
                }
                try Self.useSpare(for: bytes, in: directory)
            }
            // Watched before it is looked at: a change in between is seen by one or the other.
            watch.watch(file: folder.path + "/" + UpdateLock.fileName)
            guard let status = try directory.status(UpdateLock.fileName) else {
                throw FileError("find", folder.path + "/" + UpdateLock.fileName, number: ENOENT)
            }
            known.withLock { $0 = .locked(lock, status) }
            // A disk that is full has no room for it, and the lock is there.
            if try directory.status(Self.spareName) == nil { try? Self.makeSpare(in: directory) }
            if case .locked = before { return .locked(lock, isNew: false) }
            return .locked(lock, isNew: true)
        } catch {
            throw Fault(folder: folder.name, .io, "cannot lock \(folder.path): \(error)")
        }
    }

    private func remove() throws -> Change {
        let before = known.withLock { $0 }
        do {
            let directory = try Directory.openWithoutLinks(folder.path)
            if case .unknown = before { try Self.removeLeftovers(of: directory) }
            let wasThere = try directory.status(UpdateLock.fileName) != nil
            for name in [UpdateLock.fileName, Self.spareName] { try Self.clear(name, in: directory) }
            if wasThere { try directory.sync() }
            known.withLock { $0 = .unlocked }
            if case .locked(let lock, _) = before { return .unlocked(lock) }
            return wasThere ? .unlocked(nil) : .none
        } catch {
            throw Fault(
                folder: folder.name, .io,
                "cannot unlock \(folder.path): \(error); patchd retries, or remove \(UpdateLock.fileName) there by hand"
            )
        }
    }

    /// Replaced as a whole: who reads the lock sees the old one or the new one.
    private static func replace(with bytes: [UInt8], in directory: borrowing Directory) throws(FileError) {
        let temporary = try create(temporaryName, in: directory)
        do throws(FileError) {
            try temporary.write(bytes)
            try temporary.sync()
            try directory.rename(temporaryName, to: directory, UpdateLock.fileName)
        } catch {
            try? directory.remove(temporaryName)
            guard error.number == EISDIR else { throw error }
            try clear(UpdateLock.fileName, in: directory)
            return try replace(with: bytes, in: directory)
        }
        try directory.sync()
    }

    /// Writes the spare, whose blocks are there already, and puts it in the lock's place. What was the lock is the spare then.
    private static func useSpare(for bytes: [UInt8], in directory: borrowing Directory) throws(FileError) {
        let spare = try directory.file(spareName, O_RDWR)
        // The folder's owner may have put another file there, which is not to be written to.
        let (found, owner) = (try spare.status(), try directory.status())
        guard found.kind == .file, found.links == 1, found.uid == owner.uid || found.uid == 0 else {
            throw FileError("use", spare.path, number: EPERM)
        }
        try spare.overwrite(with: bytes)
        try spare.sync()
        if try directory.status(UpdateLock.fileName) == nil {
            try directory.rename(spareName, to: directory, UpdateLock.fileName)
        } else {
            try directory.exchange(spareName, with: directory, UpdateLock.fileName)
        }
        try directory.sync()
    }

    private static func makeSpare(in directory: borrowing Directory) throws(FileError) {
        do throws(FileError) {
            try create(temporaryName, in: directory).allocate(room)
            try directory.rename(temporaryName, to: directory, spareName)
        } catch {
            try? directory.remove(temporaryName)
            throw error
        }
    }

    /// It belongs to the owner of the directory, who could replace it anyway: a file of root's that he can rename would,
    /// moved into holds/, be a hold of root's.
    private static func create(_ name: String, in directory: borrowing Directory) throws(FileError) -> File {
        try clear(name, in: directory)
        let file = try directory.createFile(name, mode: 0o644)
        if geteuid() == 0 {
            let owner = try directory.status()
            try file.setOwner(uid: owner.uid, gid: owner.gid)
        }
        return file
    }

    /// Removes what lies under a name, also a directory that somebody put there.
    private static func clear(_ name: String, in directory: borrowing Directory) throws(FileError) {
        guard let status = try directory.status(name) else { return }
        if status.kind == .directory { try directory.removeTree(name) } else { try directory.remove(name) }
    }

    /// What a kill left between creating a temporary file and its rename; earlier builds gave them names at random. Once a
    /// start: the directory may have very many names.
    private static func removeLeftovers(of directory: borrowing Directory) throws(FileError) {
        for name in try directory.names(from: ".\(UpdateLock.fileName).", to: ".tmp") {
            try clear(name, in: directory)
        }
    }
}
