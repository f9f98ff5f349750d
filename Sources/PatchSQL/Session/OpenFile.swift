import PatchFiles
import PatchModel

/// A file, and the processes that have it open. A file is known to the kernel by device and inode.
struct OpenFile {
    let status: FileStatus

    /// Nil where it cannot be found.
    init?(_ path: String) {
        let (parent, name) = Directory.split(path)
        guard let directory = try? Directory.open(parent ?? "/"), let status = try? directory.status(name) else {
            return nil
        }
        self.status = status
    }

    /// The same for a file by its path; none where it cannot be found.
    static func others(with path: String) -> [Blocker] { OpenFile(path)?.others() ?? [] }

    /// Whether a lock is on it.
    func has(_ lock: FileLocks.Lock) -> Bool { lock.isOn(device: status.device, inode: status.inode) }

    /// Every other process that has it open, as far as /proc shows it to this user: those of the same user, and those that
    /// hold a lock.
    ///
    /// - Parameter known: those who were found by other means.
    func others(besides known: [Blocker] = []) -> [Blocker] {
        var found = known.isEmpty ? Self.blockers(of: FileLocks.all().filter(has)) : known
        let pids = Set(found.compactMap(\.pid)).union([RunningProcess.own])
        for process in RunningProcess.all() where !pids.contains(process.pid) {
            guard process.hasOpen(device: status.device, inode: status.inode) else { continue }
            found.append(process.blocker(writes: false))
        }
        return found
    }

    /// Who has locks.
    static func blockers(of locks: [FileLocks.Lock]) -> [Blocker] {
        var writes: [Int32: Bool] = [:]
        for lock in locks where lock.pid > 0 && lock.pid != RunningProcess.own {
            writes[lock.pid, default: false] = writes[lock.pid, default: false] || lock.writes
        }
        return writes.sorted { $0.key < $1.key }.map { RunningProcess($0.key).blocker(writes: $0.value) }
    }
}

extension RunningProcess {
    /// As somebody in the way.
    func blocker(writes: Bool) -> Blocker {
        Blocker(
            pid: pid, started: started, command: name ?? "a process that has ended", unit: unit, writes: writes)
    }
}
