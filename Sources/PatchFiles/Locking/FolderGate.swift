import Glibc

/// The gate of a folder: applications are inside with a shared flock(2) on its directory, and patchd takes an exclusive
/// one to see that nobody is inside.
///
/// The invariant: who enters takes the flock first and then looks for the lock file (``enter(unless:)``); who locks the
/// folder writes the lock file first and then takes the flock (``drain()``). So one of the two always sees the other.
///
/// Why: docs/decisions/locks.md#applications-take-a-flock-on-the-folders-directory
public struct FolderGate: ~Copyable, Sendable {
    /// The folder. The flock belongs to this open file: a process that inherits or duplicates the descriptor has it
    /// too.
    public let directory: Directory

    /// The result of entering.
    public enum Entry: Hashable, Sendable {
        /// Inside, until ``leave()`` or until the descriptor is closed wherever it is open.
        case inside
        /// The lock file exists; nothing is held.
        case locked
        /// Another process has the exclusive flock, as the daemon has for an instant; nothing is held, and entering can
        /// be retried.
        case busy
    }

    /// A folder that is already open. It must have been opened for this gate: a duplicated descriptor shares its flock
    /// with the original.
    public init(_ directory: consuming Directory) { self.directory = directory }

    /// Opens a folder by its absolute path, in which no component may be a symbolic link.
    public static func open(_ path: String) throws(FileError) -> FolderGate {
        FolderGate(try Directory.openWithoutLinks(path))
    }

    /// Enters, unless the folder is locked. Does not block.
    ///
    /// - Parameter lockFile: the name of the file that keeps applications out. Any kind of file counts.
    /// - Throws: when it is unknown whether it exists; nothing is held then.
    public func enter(unless lockFile: String) throws(FileError) -> Entry {
        let isInside = try take(LOCK_SH)
        do throws(FileError) {
            if try directory.status(lockFile) != nil {
                leave()
                return .locked
            }
            return isInside ? .inside : .busy
        } catch {
            leave()
            throw error
        }
    }

    /// Takes the flock of who is inside, whether or not the folder is locked. Does not block.
    ///
    /// - Returns: false when somebody has the folder for himself.
    public func share() -> Bool { (try? take(LOCK_SH)) ?? false }

    /// Goes out, with everybody who inherited the descriptor; being outside is no error.
    public func leave() { _ = flock(directory.descriptor, LOCK_UN) }

    /// Whether nobody is inside. Call it only after the lock file was written and made durable: then nobody enters any
    /// more, and true stays true while the lock file exists. Does not block, and holds nothing afterwards.
    ///
    /// False may be a process that is just looking for the lock file and leaves again: retry a little later, and ask
    /// for ``holders()`` only then.
    public func drain() throws(FileError) -> Bool {
        guard try take(LOCK_EX) else { return false }
        leave()
        return true
    }

    /// The pids of those inside, sorted: the process that took the flock, where it still runs; otherwise all that
    /// inherited it, as far as this user may see. Empty also where they are not visible, as in another container.
    public func holders() -> [Int32] {
        guard let status = try? directory.status() else { return [] }
        func isOnFolder(_ lock: FileLocks.Lock) -> Bool {
            lock.kind == .flock && lock.isOn(device: status.device, inode: status.inode)
        }
        let takers = Set(FileLocks.all().filter(isOnFolder).map(\.pid))
        var found = takers.filter { $0 > 0 && RunningProcess($0).name != nil }
        if found.count < takers.count {
            for process in RunningProcess.all() where process.locks().contains(where: isOnFolder) {
                found.insert(process.pid)
            }
        }
        return found.sorted()
    }

    /// Of those who are inside, the ones that have no business there, as far as can be seen: processes of users who are
    /// neither root nor this user nor the folder's owner nor in its group. Anybody who can read a directory can lock it.
    public func strangers() -> [Int32] {
        guard let status = try? directory.status() else { return [] }
        return holders().filter { pid in
            guard let user = RunningProcess(pid).user, ![0, geteuid(), status.uid].contains(user) else { return false }
            return UserIdentity(uid: user)?.groups.contains(status.gid) != true
        }
    }

    /// - Returns: false when somebody's flock is in the way.
    /// - Returns: false when somebody's flock is in the way.
    private func take(_ operation: Int32) throws(FileError) -> Bool {
        while flock(directory.descriptor, operation | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw FileError("lock", directory.path) }
        }
        return true
    }
}
