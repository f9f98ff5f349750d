import Synchronization

/// Wakes one task that sleeps. It stays raised until that task clears it before it looks at what there is to do, so that
/// no signal is lost, and others can see that it has not looked yet.
final class WakeSignal: Sendable {
    private struct State {
        var isRaised = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Ends the sleep that is under way, or the next one.
    func raise() {
        let sleeper = state.withLock { state in
            state.isRaised = true
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// From here on a signal is a new one.
    func clear() { _ = take() }

    /// Clears it.
    ///
    /// - Returns: whether it was raised.
    func take() -> Bool {
        state.withLock { state in
            defer { state.isRaised = false }
            return state.isRaised
        }
    }

    /// Whether somebody raised it since it was cleared.
    var isRaised: Bool { state.withLock { $0.isRaised } }

    /// Sleeps until the signal is raised, the time is over, or the task is cancelled.
    ///
    /// - Parameter seconds: nil for without end.
    func sleep(seconds: Double?) async {
        guard let seconds else { return await sleep() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sleep() }
            group.addTask { try? await Alarms.shared.sleep(seconds: seconds) }
            await group.next()
            group.cancelAll()
        }
    }

    private func sleep() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAwake = state.withLock { state in
                    if state.isRaised || Task.isCancelled { return true }
                    state.sleeper = continuation
                    return false
                }
                if isAwake { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                defer { state.sleeper = nil }
                return state.sleeper
            }
            sleeper?.resume()
        }
    }
}
