import PatchFiles
import Synchronization

/// In which order users' drops came. They are checked side by side, and make their jobs in this order all the same, so that two
/// users who drop for one endpoint find the order that they expect; but nobody waits long for what another has dropped.
final class ArrivalOrder: Sendable {
    /// When a drop came, and whose it is.
    struct Arrival: Hashable, Comparable, Sendable {
        var changed: Int64
        var name: String
        var owner: UInt32

        static func < (one: Self, other: Self) -> Bool { (one.changed, one.name) < (other.changed, other.name) }
    }

    /// Seconds that a drop waits for those of other users before it. Most archives are checked in less.
    private static let patience = 5.0

    /// Those that are being looked at, or are to be, one after the other, by who looks at their owners' already.
    private let open = Mutex<[UInt32: [Arrival]]>([:])

    /// - Parameter arrivals: of one user.
    func begin(_ arrivals: [Arrival]) {
        guard let owner = arrivals.first?.owner else { return }
        // The oldest last, as they go in their order.
        open.withLock { $0[owner] = arrivals.sorted().reversed() }
    }

    func end(_ arrivals: [Arrival]) {
        open.withLock { open in
            for arrival in arrivals {
                guard let place = open[arrival.owner]?.lastIndex(of: arrival) else { continue }
                open[arrival.owner]?.remove(at: place)
            }
        }
    }

    /// Blocks until no drop of another user is looked at that came before, or until that takes too long.
    func waitForEarlier(_ arrival: Arrival) {
        let end = MonotonicClock.seconds + Self.patience
        var pause = 0.001
        while MonotonicClock.seconds < end {
            let isNext = open.withLock { open in
                !open.contains { $0.key != arrival.owner && ($0.value.last.map { $0 < arrival } ?? false) }
            }
            if isNext { return }
            MonotonicClock.wait(seconds: pause)
            pause = min(pause * 2, 0.05)
        }
    }
}
