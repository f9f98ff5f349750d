import Synchronization

/// Where each endpoint's supervisor is woken when one of its jobs changed.
final class EndpointSignals: Sendable {
    private let signals = Mutex<[String: WakeSignal]>([:])

    /// Wakes this from now on when the endpoint is meant.
    func set(_ signal: WakeSignal?, for endpoint: String) { signals.withLock { $0[endpoint] = signal } }

    /// Wakes an endpoint; one that is not supervised is no error.
    func raise(_ endpoint: String) { signals.withLock { $0[endpoint] }?.raise() }
}
