import CLinux
import Glibc

/// What this process keeps itself to from then on, because it reads what strangers wrote: what it has open, libraries, and the
/// directories named here. The same for every caller, with systemd or without.
///
/// It has no network and no new privileges, starts no other process, and has limits of memory and time. Landlock is taken where
/// the kernel has it; seccomp always.
public enum Confinement {
    /// Bytes of memory: more than any archive within the default limits needs.
    public static let memory: UInt64 = 1 << 30

    /// Confines this process, which has one thread.
    ///
    /// - Parameters:
    ///   - readable: the descriptor of a directory with what else is read; nil for none.
    ///   - writable: that of a directory in which files are made; nil for none.
    ///   - runsPrograms: it may start programs, and read what its user may; they are confined with it.
    ///   - file: bytes that the largest file may have.
    ///   - seconds: of the processor's time; it is killed then.
    /// - Throws: also for root (`EPERM`), who is never to read such things.
    public static func enter(
        reading readable: Int32? = nil, writing writable: Int32? = nil, runsPrograms: Bool = false, file: UInt64,
        seconds: Double
    ) throws(FileError) {
        guard geteuid() != 0 else { throw FileError("confine", "a reader that runs as root", number: EPERM) }
        // A test's stamp lies where else nothing is written.
        let stamps = FaultPoint.stampPlace.map { patch_open($0, O_RDONLY | O_DIRECTORY, 0) }.flatMap {
            $0 < 0 ? nil : $0
        }
        defer { if let stamps { close(stamps) } }
        let reading = [readable].compactMap { $0 }
        let writing = [writable, stamps].compactMap { $0 }
        let result = reading.withUnsafeBufferPointer { reading in
            writing.withUnsafeBufferPointer { writing in
                var confinement = patch_confinement(
                    readable: reading.baseAddress, readable_count: reading.count, writable: writing.baseAddress,
                    writable_count: writing.count, runs_programs: runsPrograms ? 1 : 0, memory: memory, file: file,
                    seconds: UInt64(seconds))
                return patch_confine(&confinement)
            }
        }
        guard result >= 0 else { throw FileError("confine", "the process that reads") }
    }
}
