import PatchFiles
import PatchModel

/// Who has locks on a SQLite file, from /proc/locks. A file is known there by device and inode; which bytes are locked
/// says for what (https://www.sqlite.org/fileformat.html, wal.html; unix VFS).
struct SQLiteLocks {
    /// The database file.
    let path: String

    /// A line of /proc/locks.
    struct Lock: Hashable {
        var pid: Int32
        var writes: Bool
        var inode: UInt64
        /// `major:minor`, hexadecimal.
        var device: String
        var bytes: ClosedRange<UInt64>
    }

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
        let locks = Self.locks(in: text("/proc/locks"))
        guard let database = identity(of: path) else { return [] }
        let onDatabase = locks.filter { database.matches($0) && $0.bytes.overlaps(Self.databaseBytes) }
        guard let shared = identity(of: path + "-shm") else { return blockers(of: onDatabase) }
        let onShared = locks.filter { shared.matches($0) }
        if alone { return blockers(of: onDatabase + onShared) }
        // With a WAL everybody who has it open reads the database file; only writers are in the way.
        return blockers(
            of: onDatabase.filter(\.writes) + onShared.filter { $0.writes && $0.bytes.overlaps(Self.writerBytes) })
    }

    /// Every other process that has the database open, as far as /proc shows it to this user: all of the same user's,
    /// and whoever has a lock.
    func others() -> [Blocker] {
        guard let database = identity(of: path) else { return [] }
        let shared = identity(of: path + "-shm")
        let locks = Self.locks(in: text("/proc/locks")).filter { database.matches($0) || shared?.matches($0) == true }
        var found = blockers(of: locks)
        guard let processes = try? Directory.open("/proc"), let names = try? processes.names() else { return found }
        let known = Set(found.compactMap(\.pid))
        for pid in names.compactMap({ Int32($0) }) where !known.contains(pid) && pid != RunningProcess.own {
            guard RunningProcess(pid).hasOpen(device: database.device, inode: database.inode) else { continue }
            found.append(RunningProcess(pid).blocker(writes: false))
        }
        return found
    }

    private func blockers(of locks: [Lock]) -> [Blocker] {
        var writes: [Int32: Bool] = [:]
        for lock in locks where lock.pid > 0 && lock.pid != RunningProcess.own {
            writes[lock.pid, default: false] = writes[lock.pid, default: false] || lock.writes
        }
        return writes.sorted { $0.key < $1.key }.map { RunningProcess($0.key).blocker(writes: $0.value) }
    }

    private struct Identity {
        var device: UInt64
        var inode: UInt64

        func matches(_ lock: Lock) -> Bool {
            // dev_t of the C library: 12 bits of the major number above 8 of the minor, the others above those.
            let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
            let minor = device & 0xff | (device >> 12) & 0xffff_ff00
            return lock.inode == inode && lock.device == "\(hex(major)):\(hex(minor))"
        }

        /// As the kernel prints it: two digits at least.
        private func hex(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return text.utf8.count < 2 ? "0" + text : text
        }
    }

    private func identity(of path: String) -> Identity? {
        let (parent, name) = Directory.split(path)
        guard let directory = try? Directory.open(parent ?? "/"), let status = try? directory.status(name) else {
            return nil
        }
        return Identity(device: status.device, inode: status.inode)
    }

    private func text(_ path: String) -> String {
        guard let file = try? File.open(path) else { return "" }
        var text: [UInt8] = []
        while let block = try? file.read(at: Int64(text.count), limit: 65536), !block.isEmpty { text += block }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads `1: POSIX  ADVISORY  READ 4711 fe:01:131077 1073741826 1073742335`; those that only wait (`->`) are left
    /// out.
    static func locks(in text: String) -> [Lock] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 8, words[1] == "POSIX", let pid = Int32(words[4]) else { return nil }
            let place = words[5].split(separator: ":")
            guard place.count == 3, let inode = UInt64(place[2]), let first = UInt64(words[6]) else { return nil }
            let last = UInt64(words[7]) ?? .max
            guard first <= last else { return nil }
            return Lock(
                pid: pid, writes: words[3] == "WRITE", inode: inode, device: "\(place[0]):\(place[1])",
                bytes: first...last)
        }
    }
}

extension RunningProcess {
    /// As somebody in the way.
    func blocker(writes: Bool) -> Blocker {
        Blocker(
            pid: pid, started: started, command: name ?? "a process that has ended", unit: unit, writes: writes)
    }
}
