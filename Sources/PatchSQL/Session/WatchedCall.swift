import Dispatch

/// Calls of a client library that block until the server answers, made so that they can be interrupted.
struct WatchedCall: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: for debuggers.
    init(name: String) { queue = DispatchQueue(label: name) }

    /// Runs a call on a thread beside, while this one watches.
    ///
    /// - Parameters:
    ///   - shouldEnd: asked on this thread, ten times a second: whether to interrupt.
    ///   - interrupt: lets the call end early; it may be ignored, and is repeated.
    func run<Value>(
        _ call: () -> Value, shouldEnd: () -> Bool, interrupt: () -> Void
    ) -> Value? {
        var result: Value?
        withUnsafeMutablePointer(to: &result) { pointer in
            withoutActuallyEscaping(call) { call in
                // This thread touches neither until the other one has signalled.
                nonisolated(unsafe) let (pointer, call) = (pointer, call)
                let done = DispatchSemaphore(value: 0)
                let item = DispatchWorkItem {
                    pointer.pointee = call()
                    done.signal()
                }
                queue.async(execute: item)
                while done.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
                    if shouldEnd() { interrupt() }
                }
                item.wait()
            }
        }
        return result
    }
}
