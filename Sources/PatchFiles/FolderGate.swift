import Glibc

/// The gate of a folder: applications are inside with a shared flock(2) on its directory, and whoever locks them out sees
/// with an exclusive one that nobody is.
///
/// What must stay true: who enters takes the flock first and looks for the lock file then (``enter(unless:)``); who locks
/// them out writes the lock file first and takes the flock then (``drain()``). Of any two, one sees the other.
public struct FolderGate: ~Copyable, Sendable {
    /// The folder. The flock belongs to this open file: whoever inherits or duplicates the descriptor has it too.
    public let directory: Directory

    /// How it went to enter.
    public enum Entry: Hashable, Sendable {
        /// Inside, until ``leave()`` or until the descriptor is closed wherever it is open.
        case inside
        /// The lock file is there; nothing is held.
        case locked
        /// Somebody has the folder for himself, as the daemon has for an instant; nothing is held, and it can be tried
        /// again.
        case busy
    }

    /// A folder that is open already. It must have been opened for this gate: a descriptor that was duplicated shares its
    /// flock with the one that it came from.
    public init(_ directory: consuming Directory) { self.directory = directory }

    /// Opens a folder by its absolute path, in which no component may be a symbolic link.
    public static func open(_ path: String) throws(FileError) -> FolderGate {
        FolderGate(try Directory.openWithoutLinks(path))
    }

    /// Goes in, unless the folder is locked. Does not block.
    ///
    /// - Parameter lockFile: the name of the file that keeps applications out. Whatever lies there counts.
    /// - Throws: when it cannot be told whether it is there; nothing is held then.
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

    /// Whether nobody is inside. Only after the lock file was written and made durable: then nobody comes in any more, and
    /// true stays true while the lock file is there. Does not block, and holds nothing afterwards.
    ///
    /// False may be somebody who looks for the lock file in this very instant and goes: look again a little later, and ask
    /// for ``holders()`` only then.
    public func drain() throws(FileError) -> Bool {
        guard try take(LOCK_EX) else { return false }
        leave()
        return true
    }

    /// Who is inside, by process number, sorted. Whoever took the flock, where it still runs; else all who inherited it, as
    /// far as this user may look. Empty also where they cannot be seen from here, as in another container.
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
    private func take(_ operation: Int32) throws(FileError) -> Bool {
        while flock(directory.descriptor, operation | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw FileError("lock", directory.path) }
        }
        return true
    }
}
