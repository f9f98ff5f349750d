import CLinux
import Glibc

/// Whether a process may change what lies in a directory, found out without changing anything that stays.
extension Directory {
    private static let probeName = ".patchd-probe"

    /// Whether nothing may be added, renamed or removed here, even by root: immutable or append-only, as chattr(1) makes
    /// it.
    public var isImmutable: Bool { patch_is_immutable(descriptor) == 1 }

    /// Whether this process may do something with a path beneath this directory, by its modes and access control lists.
    ///
    /// - Returns: nil, or the kernel's error number.
    public func refusal(_ access: Int32, _ relative: String = ".") -> Int32? {
        faccessat(descriptor, relative, access, AT_EACCESS) == 0 ? nil : errno
    }

    /// Creates a file here, renames and removes it, as a switch will do with others. Afterwards the directory has the
    /// time of change that it had before.
    ///
    /// - Parameter body: gets the file while it is there.
    public func probe(_ body: (borrowing File) throws(FileError) -> Void = { _ in }) throws(FileError) {
        let before = try status().modified
        let (name, renamed) = (Self.probeName, Self.probeName + "-renamed")
        // Left by a process that was killed.
        try remove(name)
        let file = try createFile(name)
        var problem: FileError?
        do throws(FileError) {
            try body(file)
            try rename(name, to: self, renamed)
        } catch {
            // Another process probes the same directory.
            if error.number != ENOENT { problem = error }
        }
        try remove(name)
        try remove(renamed)
        // UTIME_OMIT of utimensat(2), which Swift does not see.
        let omitted = (1 << 30) - 2
        let (seconds, nanoseconds) = before.quotientAndRemainder(dividingBy: 1_000_000_000)
        var times = [
            timespec(tv_sec: 0, tv_nsec: omitted), timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)),
        ]
        // Only its owner may; a time that changed is no harm.
        _ = futimens(descriptor, &times)
        if let problem { throw problem }
    }
}
