/// How a unit's start or stop ended; the words of systemd's signal `JobRemoved` (org.freedesktop.systemd1(5)).
public enum JobResult: Hashable, Sendable, CustomStringConvertible {
    /// It was done; also where there was nothing to do, and where a condition kept the unit from starting.
    case done
    /// Another job replaced it, or it was cancelled.
    case canceled
    /// The job's own time limit passed.
    case timeout
    /// The unit failed.
    case failed
    /// A unit that it requires failed.
    case dependency
    /// It did not apply to the unit in its present state.
    case skipped
    /// Another of systemd's words: `invalid`, `assert`, `unsupported`, `collected`, `once`.
    case other(String)
    /// systemd accepted no job; its reason.
    case refused(String)
    /// The job was left to itself, as asked, or is not through yet.
    case enqueued

    /// From the word in the signal.
    init(word: String) {
        let known: [String: JobResult] = [
            "done": .done, "canceled": .canceled, "timeout": .timeout, "failed": .failed, "dependency": .dependency,
            "skipped": .skipped,
        ]
        self = known[word] ?? .other(word)
    }

    /// The word, or systemd's reason.
    public var description: String {
        switch self {
        case .done: "done"
        case .canceled: "canceled"
        case .timeout: "timeout"
        case .failed: "failed"
        case .dependency: "dependency"
        case .skipped: "skipped"
        case .other(let word): word
        case .refused(let reason): "refused: \(reason)"
        case .enqueued: "enqueued"
        }
    }
}
