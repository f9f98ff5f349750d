import Glibc
public import PatchFiles

/// SIGHUP, which asks for the configuration to be read again. SIGTERM keeps its default effect: the daemon may be ended
/// at any instant, so there is nothing to do before it goes.
public final class ReloadSignal: Sendable {
    private let queue: SignalQueue

    /// Starts to listen.
    ///
    /// To be called before the process has a second thread: threads inherit what is blocked, and a SIGHUP that some thread
    /// does not block would end the process. One that comes before this is made ends the process, too.
    public init() throws(FileError) { queue = try SignalQueue([SIGHUP]) }

    /// Readable when a reload was asked for.
    var descriptor: Int32 { queue.descriptor }

    /// Whether a reload was asked for since the last call.
    func take() -> Bool {
        var isAsked = false
        while queue.next() != nil { isAsked = true }
        return isAsked
    }
}

/// Which signals end the daemon.
public enum Signals {
    /// Lets every signal reach the process, whatever its parent blocked: one that was started by a thread that blocks
    /// SIGTERM could be ended by SIGKILL only. To be called before the process has a second thread.
    public static func unblock() {
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
    }

    /// Opening a file for writing while we hold our probing lease on it raises SIGIO, which would kill the daemon.
    static func ignoreBrokenLeases() { signal(SIGIO, SIG_IGN) }
}
