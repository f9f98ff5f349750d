import Glibc
import PatchFiles
import Synchronization

/// SIGHUP, which asks for the configuration to be read again. SIGTERM keeps its default effect: the daemon may be ended
/// at any instant, so there is nothing to do before it goes.
enum Signals {
    private static let isAsked = Atomic<Bool>(false)
    private static let bell = Atomic<Int32>(-1)

    /// Has signals that come from now on wake a watch.
    ///
    /// - Parameter watch: lives as long as the process.
    static func wake(_ watch: DirectoryWatch) { bell.store(watch.bellDescriptor, ordering: .relaxed) }

    /// Starts to listen: first thing of all, because an unheard SIGHUP ends the process.
    static func listen() {
        signal(SIGHUP) { _ in
            // Only what signal-safety(7) allows.
            Signals.isAsked.store(true, ordering: .relaxed)
            var one: UInt64 = 1
            _ = write(Signals.bell.load(ordering: .relaxed), &one, 8)
        }
    }

    /// Whoever opens a file for writing in the instant in which it is looked whether somebody does breaks our lease on it,
    /// and the signal that says so would end the daemon.
    static func ignoreBrokenLeases() { signal(SIGIO, SIG_IGN) }

    /// Whether a reload was asked for since the last call.
    static func takeReload() -> Bool { isAsked.exchange(false, ordering: .relaxed) }
}
