import PatchFiles
import Synchronization

/// When an endpoint looks again though nothing has happened in the spool: a hold that ends at a time or with a process
/// writes nothing.
final class WakeTimer: Sendable {
    private let at = Mutex<Double?>(nil)

    /// Rings at the latest so many seconds from now.
    func ring(in seconds: Double) {
        let wanted = MonotonicClock.seconds + seconds
        at.withLock { $0 = min($0 ?? wanted, wanted) }
    }

    /// Seconds until it rings; nil when it does not.
    var rest: Double? { at.withLock { $0.map { max(0, $0 - MonotonicClock.seconds) } } }
}
