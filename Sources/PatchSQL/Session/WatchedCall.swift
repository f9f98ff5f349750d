import Dispatch

/// Calls of a client library that block until the server answers, made so that they can be interrupted.
struct WatchedCall: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: for debuggers.
    init(name: String) { queue = DispatchQueue(label: name) }

    /// Runs a call on a thread beside, while this one watches and does nothing else.
    ///
    /// - Parameters:
    ///   - shouldEnd: asked on this thread, ten times a second: whether to interrupt.
    ///   - interrupt: lets the call end early; it may be ignored, and is repeated.
    func run(_ call: @escaping () -> Void, shouldEnd: () -> Bool, interrupt: () -> Void) {
        // This thread waits until the other one has signalled, so the call has everything that it uses to itself.
        nonisolated(unsafe) let call = call
        let done = DispatchSemaphore(value: 0)
        queue.async {
            call()
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
            if shouldEnd() { interrupt() }
        }
    }
}
