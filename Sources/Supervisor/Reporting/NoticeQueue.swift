import Logging
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore
import Synchronization

/// What is to be told through `notify`, in its order, but refused archives last: whoever may drop could fill the queue with
/// them. It lives in memory: after a crash, what the state says is what counts.
final class NoticeQueue: Sendable {
    /// More than a command that answers at all leaves waiting.
    private static let limit = 1000

    private struct Content {
        var notices: [Notice] = []
        /// Of refused archives.
        var refused: [Notice] = []
        var dropped = 0
    }

    private let content = Mutex(Content())

    /// Adds one; where too many wait already it is dropped.
    func add(_ notice: Notice) {
        content.withLock { content in
            let queue: WritableKeyPath<Content, [Notice]> = notice.event == .refused ? \.refused : \.notices
            if content[keyPath: queue].count < Self.limit {
                content[keyPath: queue].append(notice)
            } else {
                content.dropped += 1
            }
        }
    }

    /// The oldest, and how many were dropped since the last call; nil for none.
    func next() -> (notice: Notice, dropped: Int)? {
        content.withLock { content in
            if content.notices.isEmpty, content.refused.isEmpty { return nil }
            defer { content.dropped = 0 }
            let next = content.notices.isEmpty ? content.refused.removeFirst() : content.notices.removeFirst()
            return (next, content.dropped)
        }
    }

    /// Forgets all.
    func clear() { content.withLock { $0 = Content() } }

    var isEmpty: Bool { content.withLock { $0.notices.isEmpty && $0.refused.isEmpty } }
}

extension DaemonContext {
    /// Seconds that the command gets for one notice.
    private static let patience = 30.0

    /// Tells all that waits, one after the other. A command that fails or hangs delays nothing but those behind it.
    func sendNotices() {
        let command = configuration.daemon.notify
        while let (notice, dropped) = notices.next() {
            if dropped > 0 { logFailure("\(dropped) notices were dropped, as the command is too slow", notice) }
            do {
                if let problem = try send(notice, command) { logFailure("the command ended badly: \(problem)", notice) }
            } catch {
                logFailure("\(error)", notice)
            }
        }
        state.removeScratch("notice")
    }

    private func send(_ notice: Notice, _ command: String) throws -> String? {
        let text = try JSONText.line(notice) + [UInt8(ascii: "\n")]
        let file = try state.scratch("notice")
        try file.truncate(to: 0)
        try file.write(text)
        // Opened anew it is read from its start.
        return try workers.notify(command, of: try state.scratch("notice"), seconds: Self.patience)
    }

    private func logFailure(_ problem: String, _ notice: Notice) {
        logger.log(
            .notifyFailed, "notify of \(notice.event.rawValue): \(problem)",
            EventFields(job: notice.job, endpoint: notice.endpoint))
    }
}
