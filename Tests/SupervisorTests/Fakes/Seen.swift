import Synchronization

/// What was seen by somebody else's thread.
final class Seen: Sendable {
    private let kept = Mutex<[String]>([])

    var all: [String] { kept.withLock { $0 } }

    func note(_ names: [String]) { kept.withLock { $0 += names } }
}
