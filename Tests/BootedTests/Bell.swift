import Foundation

/// Counts events of one thread so that another can wait for the next one.
final class Bell: @unchecked Sendable {
    private let condition = NSCondition()
    private var rung = 0

    /// How often it was rung so far.
    var count: Int { condition.withLock { rung } }

    func ring() {
        condition.withLock {
            rung += 1
            condition.broadcast()
        }
    }

    /// Waits until it was rung more often than `seen` times.
    ///
    /// - Returns: false when the time was over first.
    @discardableResult
    func wait(after seen: Int = 0, timeout: Duration) -> Bool {
        let (seconds, attoseconds) = timeout.components
        let end = Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) / 1e18)
        return condition.withLock {
            while rung <= seen {
                if !condition.wait(until: end) { return rung > seen }
            }
            return true
        }
    }
}
