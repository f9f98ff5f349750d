import CLinux
import Glibc

/// A process that no other one is taken for, also when it has ended and another has got its number (pidfd_open(2)).
public struct ProcessHandle: ~Copyable, Sendable {
    /// Refers to it.
    public let descriptor: File

    /// Nil where no such process is there.
    public init?(_ process: RunningProcess) {
        let descriptor = patch_pidfd_open(process.pid)
        guard descriptor >= 0 else { return nil }
        self.descriptor = File(adopting: descriptor, path: "process \(process.pid)")
    }

    /// The process that a descriptor refers to, which is taken over.
    public init(adopting descriptor: Int32) { self.descriptor = File(adopting: descriptor, path: "process") }

    /// Sends it a signal; one that has ended gets none, which is no error.
    ///
    /// - Throws: also where it is another user's and this process has no right to that (`EPERM`).
    public func signal(_ number: Int32) throws(FileError) {
        guard patch_pidfd_signal(descriptor.descriptor, number) == 0 || errno == ESRCH else {
            throw FileError("send signal \(number) to", descriptor.path)
        }
    }
}
