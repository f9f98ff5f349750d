import CSQLite
import Glibc
import Synchronization

/// Lets SQLite's own writes fail, or ends the process right before one of them: counts the system calls with which
/// SQLite changes files. For child processes only, because it holds for everything that the process does with SQLite.
enum WriteFault {
    private static let count = Atomic<Int>(0)
    private static let point = Atomic<Int>(0)
    /// 0: SIGKILL; else the error number of the call.
    private static let number = Atomic<Int32>(0)

    /// How many calls were made since the arming.
    static var passed: Int { count.load(ordering: .relaxed) }

    /// Ends the process, or fails with `error`, at the n-th call from now.
    static func arm(at n: Int, error: Int32 = 0) {
        number.store(error, ordering: .relaxed)
        point.store(n, ordering: .relaxed)
        count.store(0, ordering: .relaxed)
        install("write", unsafeBitCast(write, to: sqlite3_syscall_ptr.self))
        install("pwrite", unsafeBitCast(pwrite, to: sqlite3_syscall_ptr.self))
        install("pwrite64", unsafeBitCast(pwrite, to: sqlite3_syscall_ptr.self))
        install("ftruncate", unsafeBitCast(ftruncate, to: sqlite3_syscall_ptr.self))
        install("unlink", unsafeBitCast(unlink, to: sqlite3_syscall_ptr.self))
    }

    private static func install(_ name: String, _ call: sqlite3_syscall_ptr?) {
        guard let vfs = sqlite3_vfs_find(nil) else { return }
        // A call that this build of SQLite does not use is not found, which is fine.
        _ = vfs.pointee.xSetSystemCall(vfs, name, call)
    }

    /// Whether the call may be made.
    private static func passes(writes: Bool) -> Bool {
        // Only what needs room fails for want of it.
        if !writes, [ENOSPC, EDQUOT].contains(number.load(ordering: .relaxed)) { return true }
        guard count.add(1, ordering: .relaxed).newValue == point.load(ordering: .relaxed) else { return true }
        let number = number.load(ordering: .relaxed)
        if number == 0 { kill(getpid(), SIGKILL) }
        errno = number
        return false
    }

    private static let write: @convention(c) (Int32, UnsafeRawPointer?, Int) -> Int = { file, bytes, count in
        passes(writes: true) ? Glibc.write(file, bytes, count) : -1
    }
    private static let pwrite: @convention(c) (Int32, UnsafeRawPointer?, Int, off_t) -> Int = {
        file, bytes, count, offset in
        passes(writes: true) ? Glibc.pwrite(file, bytes, count, offset) : -1
    }
    private static let ftruncate: @convention(c) (Int32, off_t) -> Int32 = { file, size in
        passes(writes: false) ? Glibc.ftruncate(file, size) : -1
    }
    private static let unlink: @convention(c) (UnsafePointer<CChar>?) -> Int32 = { path in
        guard passes(writes: false), let path else { return -1 }
        return Glibc.unlink(path)
    }
}
