import PatchFiles
import Synchronization

/// Endpoints on which a job could not even be ended, as where the disk with the state is full or can no longer be written: it
/// is gone on with after a while, and not at once without end.
final class Setbacks: Sendable {
    /// Seconds until the next try; the folders are locked meanwhile.
    static let pause = 10.0

    private let until = Mutex<[String: Double]>([:])

    /// - Parameter once: nobody is there to try again.
    func note(_ endpoint: String, once: Bool) {
        until.withLock { $0[endpoint] = once ? .infinity : MonotonicClock.seconds + Self.pause }
    }

    /// Seconds until an endpoint's jobs have their turns again; nil where none of them had a setback.
    func rest(of endpoint: String) -> Double? {
        until.withLock { until in
            guard let end = until[endpoint] else { return nil }
            if end > MonotonicClock.seconds { return end - MonotonicClock.seconds }
            until[endpoint] = nil
            return nil
        }
    }
}
