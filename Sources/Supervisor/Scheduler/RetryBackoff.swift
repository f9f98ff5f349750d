import PatchFiles
import Synchronization

/// What cannot go on at all for now, as where the disk with the state or the spool is full or can no longer be written: it is
/// tried again after a while, and not at once without end.
final class RetryBackoff: Sendable {
    /// What has them.
    enum Work: Hashable {
        /// A job could not even be ended; the endpoint's folders are locked meanwhile.
        case endpoint(String)
        /// A request could not be answered, or a hold that is over not be removed.
        case spool
    }

    /// Seconds until the next try.
    static let pause = 10.0

    /// For the message: what the reader can do, and what patchd does.
    static func outlook(once: Bool) -> String {
        once ? "; fix this, then start patchd again" : "; fix this; patchd retries within \(Int(pause)) s"
    }

    private let until = Mutex<[Work: Double]>([:])

    /// - Parameter once: nobody is there to try again.
    func note(_ work: Work, once: Bool) {
        until.withLock { $0[work] = once ? .infinity : MonotonicClock.seconds + Self.pause }
    }

    /// Seconds until it has its turn again; nil where it had no setback.
    func rest(of work: Work) -> Double? {
        until.withLock { until in
            guard let end = until[work] else { return nil }
            if end > MonotonicClock.seconds { return end - MonotonicClock.seconds }
            until[work] = nil
            return nil
        }
    }
}
