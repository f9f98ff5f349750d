import Synchronization

/// Logs a repeated event once, then counts it: any user can cause it as often as he likes.
struct RepeatCount: Sendable {
    private struct Said: Sendable {
        var at: Double
        var since = 0
    }

    /// Seconds for which nothing more is logged about one thing.
    private static let pause = 60.0
    /// Things that are known at once; with more the oldest is forgotten, and said again.
    private static let most = 10_000

    private var said: [String: Said] = [:]

    /// It has happened again.
    ///
    /// - Returns: how often since it was last said, when it is to be said now.
    mutating func note(_ what: String, at now: Double) -> Int? {
        guard var known = said[what] else {
            if said.count >= Self.most, let oldest = said.min(by: { $0.value.at < $1.value.at }) {
                said[oldest.key] = nil
            }
            said[what] = Said(at: now)
            return 1
        }
        known.since += 1
        let isDue = now - known.at >= Self.pause
        said[what] = isDue ? Said(at: now) : known
        return isDue ? known.since : nil
    }
}

/// A message that is logged once at most.
final class SaidOnce: Sendable {
    private let isSaid = Atomic<Bool>(false)

    /// Whether it is to be said now.
    func note() -> Bool { !isSaid.exchange(true, ordering: .relaxed) }
}
