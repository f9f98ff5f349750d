import PatchFiles
import Synchronization

/// Ends sleeps when their time is over; one thread for all of them.
///
/// Not `Task.sleep`: that is Dispatch's, which wakes once a second from the first one on, for as long as the process lives, to
/// see whether its threads are enough.
final class Alarms: Sendable {
    /// The process's.
    static let shared = Alarms()

    private struct Sleeper {
        let end: Double
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var sleepers: [UInt64: Sleeper] = [:]
        /// Counts the sleeps.
        var last: UInt64 = 0
        /// When the thread looks again; nil while there is none.
        var next: Double?
    }

    private let state = Mutex(State())
    private let bell = Result { try DirectoryWatch([]) }

    /// Sleeps; ends early where the task is cancelled.
    ///
    /// - Throws: `CancellationError`.
    func sleep(seconds: Double) async throws {
        guard let bell = try? bell.get() else {
            // The process had no descriptor left: this thread waits itself, so that nobody spins.
            return MonotonicClock.wait(seconds: min(seconds, 1))
        }
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        let end = MonotonicClock.seconds + seconds
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    // A cancellation finds it below, or is found here.
                    if Task.isCancelled { return true }
                    state.sleepers[id] = Sleeper(end: end, continuation: continuation)
                    if let next = state.next, next > end { bell.wake() }
                    if state.next == nil, DetachedThread.start({ [self] in work(bell) }) { state.next = end }
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    private func work(_ bell: DirectoryWatch) {
        while true {
            let (over, rest) = state.withLock { state -> ([Sleeper], Double?) in
                let now = MonotonicClock.seconds
                let over = state.sleepers.filter { $0.value.end <= now }
                for id in over.keys { state.sleepers[id] = nil }
                let next = state.sleepers.values.map(\.end).min()
                state.next = next ?? .infinity
                return (Array(over.values), next.map { $0 - now })
            }
            for sleeper in over { sleeper.continuation.resume() }
            bell.wait(seconds: rest)
        }
    }
}
