import PatchFiles
import PatchModel

/// Who has locks on a SQLite file, from /proc/locks. A file is known there by device and inode; which bytes are locked
/// says for what (https://www.sqlite.org/fileformat.html, wal.html; unix VFS).
struct SQLiteLocks {
    /// The database file.
    let path: String

    /// PENDING, RESERVED and SHARED on the database file.
    private static let databaseBytes: ClosedRange<UInt64> = 0x4000_0000...0x4000_01ff
    /// On the `-shm` file: who writes (120), checkpoints (121), recovers (122). Behind them stand readers, and at 128
    /// everybody who has it open.
    private static let writerBytes: ClosedRange<UInt64> = 120...122

    /// Who keeps a transaction of ours from beginning. Empty where nobody is in the way any more, or where whoever it
    /// is cannot be seen from here (another container, NFS).
    ///
    /// - Parameter alone: whether we need the file for ourselves, as a change of the journal mode does.
    func blockers(alone: Bool) -> [Blocker] {
        let locks = FileLocks.all().filter { $0.kind == .posix }
        guard let database = OpenFile(path) else { return [] }
        let onDatabase = locks.filter { database.has($0) && $0.bytes.overlaps(Self.databaseBytes) }
        guard let shared = OpenFile(path + "-shm") else { return OpenFile.blockers(of: onDatabase) }
        let onShared = locks.filter { shared.has($0) }
        if alone { return OpenFile.blockers(of: onDatabase + onShared) }
        // With a WAL everybody who has it open reads the database file; only writers are in the way.
        return OpenFile.blockers(
            of: onDatabase.filter(\.writes) + onShared.filter { $0.writes && $0.bytes.overlaps(Self.writerBytes) })
    }

    /// Every other process that has the database open, as far as /proc shows it to this user: all of the same user's,
    /// and whoever has a lock.
    func others() -> [Blocker] {
        guard let database = OpenFile(path) else { return [] }
        let shared = OpenFile(path + "-shm")
        let locks = FileLocks.all().filter { $0.kind == .posix && (database.has($0) || shared?.has($0) == true) }
        return database.others(besides: OpenFile.blockers(of: locks))
    }
}
