import CFirebird
import Dispatch
import PatchFiles
import Synchronization

/// Sees to it that no call of an attachment waits without end for a server that does not answer: the client library has a
/// limit for connecting only. A call may take as long as it takes, as long as the server takes new connections.
final class FirebirdWatchdog: Sendable {
    private struct State {
        /// The attachment; 0 once it has ended.
        var database: patch_fb_handle
        /// When the call began that runs; nil where none does.
        var began: Double?
        /// Which call that is.
        var call = 0
        /// When the server has to be tried next, counted from the begin of the call.
        var due = FirebirdWatchdog.patience
        var isSilent = false
    }

    /// Seconds of a call after which the server is tried, and for which a trial may last.
    private static let (patience, limit) = (10.0, 15)
    /// Seconds until it is tried again.
    private static let pause = 60.0

    private let address: FirebirdAddress
    private let library: FirebirdLibrary
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "firebird-watchdog")

    init(_ database: patch_fb_handle, _ address: FirebirdAddress, _ library: FirebirdLibrary) {
        state = Mutex(State(database: database))
        self.address = address
        self.library = library
        wait()
    }

    /// Whether the attachment was given up.
    var isSilent: Bool { state.withLock(\.isSilent) }

    /// A call begins.
    func begin() {
        state.withLock { state in
            state.began = MonotonicClock.seconds
            state.call += 1
            state.due = Self.patience
        }
    }

    /// It has returned.
    func end() { state.withLock { $0.began = nil } }

    /// The attachment has ended: its number may be another's from here on.
    func stop() { state.withLock { $0.database = 0 } }

    private func wait() {
        queue.asyncAfter(deadline: .now() + .seconds(2)) { [weak self] in
            guard let self, look() else { return }
            wait()
        }
    }

    /// - Returns: whether there is anything left to look at.
    private func look() -> Bool {
        let call: Int? = state.withLock { state in
            guard let began = state.began, MonotonicClock.seconds - began >= state.due else { return nil }
            state.due += Self.pause
            return state.call
        }
        guard let call else { return state.withLock { $0.database != 0 } }
        if answers() { return true }
        return state.withLock { state in
            guard state.call == call, state.began != nil, state.database != 0 else { return state.database != 0 }
            state.isSilent = true
            var status = [patch_fb_status](repeating: 0, count: FirebirdFailure.length)
            // What waits for the server fails at once, and so does every call after it.
            _ = library.cancel(&status, &state.database, 4)  // fb_cancel_abort
            return false
        }
    }

    /// Whether the server takes a new connection, or refuses it. The trial has a thread of its own, which stays where
    /// the server lets it wait for ever.
    private func answers() -> Bool {
        let (address, library) = (address, library)
        let trial = Trial()
        DispatchQueue(label: "firebird-trial").async {
            do throws(FirebirdFailure) {
                _ = try FirebirdConnection(address, library, isWatched: false)
                trial.hasAnswered.store(true, ordering: .relaxed)
            } catch {
                let isGone = error.entries.contains { FirebirdErrors.Code.gone.contains($0.code) }
                trial.hasAnswered.store(!isGone, ordering: .relaxed)
            }
            trial.end.signal()
        }
        guard trial.end.wait(timeout: .now() + .seconds(Self.limit)) == .success else { return false }
        return trial.hasAnswered.load(ordering: .relaxed)
    }

    private final class Trial: Sendable {
        let end = DispatchSemaphore(value: 0)
        let hasAnswered = Atomic(false)
    }
}
