import Synchronization

/// Wakes one task that sleeps. A signal that comes while it is awake is kept for its next sleep, so none is lost.
final class WakeSignal: Sendable {
    private enum State {
        case quiet
        case raised
        case sleeping(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.quiet)

    /// Ends the sleep that is under way, or the next one.
    func raise() {
        let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .raised }
            guard case .sleeping(let sleeper) = state else { return nil }
            // The signal is for this sleep alone.
            return sleeper
        }
        guard let sleeper else { return }
        state.withLock { state in if case .raised = state { state = .quiet } }
        sleeper.resume()
    }

    /// Whether a signal waits for the next sleep.
    var isRaised: Bool { state.withLock { if case .raised = $0 { true } else { false } } }

    /// Sleeps until the signal is raised, the time is over, or the task is cancelled.
    ///
    /// - Parameter seconds: nil for without end.
    func sleep(seconds: Double?) async {
        guard let seconds else { return await sleep() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sleep() }
            group.addTask { try? await Task.sleep(for: .seconds(max(0, seconds))) }
            await group.next()
            group.cancelAll()
        }
    }

    private func sleep() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAwake = state.withLock { state -> Bool in
                    if case .raised = state {
                        state = .quiet
                        return true
                    }
                    if Task.isCancelled { return true }
                    state = .sleeping(continuation)
                    return false
                }
                if isAwake { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard case .sleeping(let sleeper) = state else { return nil }
                state = .quiet
                return sleeper
            }
            sleeper?.resume()
        }
    }
}
