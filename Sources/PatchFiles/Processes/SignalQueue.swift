import CLinux
import Glibc

/// Signals as something to wait for and to read, instead of something that interrupts (signalfd(2)). The signals are
/// blocked in the thread that creates the queue, and in those that it starts later: make it while there is no other.
public struct SignalQueue: ~Copyable, Sendable {
    /// A signal that was received.
    public struct Arrival: Hashable, Sendable {
        /// Its number.
        public var number: Int32
        /// Whether the kernel sent it, as a terminal does for Ctrl-C, to a whole process group at once.
        public var isFromKernel: Bool
    }

    /// Readable when a signal was received.
    public let descriptor: Int32

    /// Catches these signals from now on. One that is ignored stays ignored.
    public init(_ numbers: [Int32]) throws(FileError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in numbers { sigaddset(&mask, number) }
        guard sigprocmask(SIG_BLOCK, &mask, nil) == 0 else { throw FileError("catch", "signals") }
        let queue = signalfd(-1, &mask, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard queue >= 0 else { throw FileError("catch", "signals") }
        descriptor = queue
    }

    deinit { close(descriptor) }

    /// The next signal; nil when there is none. Several of one kind may have been merged.
    public func next() -> Arrival? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard Glibc.read(descriptor, &info, size) == size else { return nil }
        return Arrival(number: Int32(info.ssi_signo), isFromKernel: info.ssi_code == Int32(SI_KERNEL))
    }
}
