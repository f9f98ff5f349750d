import Foundation

/// Rings once, for all who wait.
final class Bell: @unchecked Sendable {
    private let condition = NSCondition()
    private var rung = false

    /// Whether it has rung.
    var hasRung: Bool { condition.withLock { rung } }

    func ring() {
        condition.withLock {
            rung = true
            condition.broadcast()
        }
    }

    /// Waits until it has rung.
    ///
    /// - Returns: false when the time was over first.
    @discardableResult
    func wait(timeout: Duration) -> Bool {
        let (seconds, attoseconds) = timeout.components
        let end = Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) / 1e18)
        return condition.withLock {
            while !rung, condition.wait(until: end) {}
            return rung
        }
    }
}
