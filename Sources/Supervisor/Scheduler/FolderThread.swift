import PatchFiles
import PatchModel
import Synchronization

/// The thread on which all calls on one folder's file system run, one after the other. A file system that hangs holds up
/// this thread and who waits for this folder, and nobody else: who waits gives up after a time, and who comes later does at
/// once.
final class FolderThread: Sendable {
    /// Seconds that a call may take. Local disks answer in milliseconds; a network mount that comes back does so in this time.
    private let deadline: Double

    private struct Queue {
        var calls: [@Sendable () -> Void] = []
        var isRunning = false
        /// When the call under way began; nil between calls.
        var since: Double?
    }

    private let folder: String
    private let path: String
    private let queue = Mutex(Queue())

    /// A thread that is started when there is something to do, and ends when there is nothing more.
    init(folder: String, path: String, deadline: Double = 20) {
        self.deadline = deadline
        self.folder = folder
        self.path = path
    }

    /// Whether a call has been under way for longer than it may.
    var isStuck: Bool {
        queue.withLock { queue in queue.since.map { MonotonicClock.seconds - $0 > deadline } ?? false }
    }

    /// Runs something on the thread.
    ///
    /// - Parameter doing: for the message of a file system that does not answer: `lock`.
    /// - Throws: what the body throws, or ``Fault`` `io`; the body may then still run, or run later.
    func run<Value: Sendable>(
        _ doing: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let hung = Fault(
            folder: folder, .io,
            "cannot \(doing) \(path): its file system does not answer; see that the mount is there and its server runs")
        if isStuck { throw hung }
        let answer = Answer<Value>()
        enqueue { answer.give(Result { try body() }) }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await answer.value(orCancelled: hung) }
            group.addTask {
                try await Alarms.shared.sleep(seconds: self.deadline)
                throw hung
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw hung }
            return first
        }
    }

    private func enqueue(_ call: @escaping @Sendable () -> Void) {
        let starts = queue.withLock { queue in
            queue.calls.append(call)
            defer { queue.isRunning = true }
            return !queue.isRunning
        }
        // Where there can be no thread now, what waits times out, and the next call tries again.
        if starts, !DetachedThread.start({ [self] in work() }) { queue.withLock { $0.isRunning = false } }
    }

    private func work() {
        while true {
            let call = queue.withLock { queue -> (@Sendable () -> Void)? in
                if queue.calls.isEmpty {
                    queue.isRunning = false
                    queue.since = nil
                    return nil
                }
                queue.since = MonotonicClock.seconds
                return queue.calls.removeFirst()
            }
            guard let call else { return }
            call()
        }
    }

    /// What a call gave, for the one task that waits for it.
    private final class Answer<Value: Sendable>: Sendable {
        private enum State {
            case none
            case waiting(CheckedContinuation<Value, any Error>)
            case given(Result<Value, any Error>)
        }

        private let state = Mutex(State.none)

        func give(_ result: Result<Value, any Error>) {
            let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                defer { state = .given(result) }
                if case .waiting(let waiting) = state { return waiting }
                return nil
            }
            waiting?.resume(with: result)
        }

        func value(orCancelled error: Fault) async throws -> Value {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let known = state.withLock { state -> Result<Value, any Error>? in
                        if case .given(let result) = state { return result }
                        if Task.isCancelled { return .failure(error) }
                        state = .waiting(continuation)
                        return nil
                    }
                    if let known { continuation.resume(with: known) }
                }
            } onCancel: {
                let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                    guard case .waiting(let waiting) = state else { return nil }
                    state = .none
                    return waiting
                }
                waiting?.resume(throwing: error)
            }
        }
    }
}
