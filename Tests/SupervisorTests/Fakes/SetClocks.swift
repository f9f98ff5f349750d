import PatchModel
import Supervisor
import Synchronization

/// Clocks that stand still until they are set, and for whom waiting is setting.
final class SetClocks: Clocks {
    private struct State {
        var now = Timestamp.now
        var seconds = 1000.0
        var whenWaitedFor: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())

    var now: Timestamp { state.withLock { $0.now } }
    var seconds: Double { state.withLock { $0.seconds } }

    /// Sets the time of day alone.
    func set(to now: Timestamp) { state.withLock { $0.now = now } }

    func advance(by seconds: Double) {
        state.withLock { state in
            state.now = state.now.adding(seconds: seconds)
            state.seconds += seconds
        }
    }

    /// Called before each wait.
    func whenWaitedFor(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.whenWaitedFor = body } }

    func sleep(seconds: Double) async throws {
        try Task.checkCancellation()
        block(seconds: seconds)
        await Task.yield()
    }

    func block(seconds: Double) {
        state.withLock(\.whenWaitedFor)()
        advance(by: seconds)
    }
}
