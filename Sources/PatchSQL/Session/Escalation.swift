public import PatchModel

/// What is done about those who hold a lock: they are asked, given `grace`, ended, and then the step goes on. A pure
/// decision, taken anew after each try; doing it is for whoever may (the lock and its codes, the units, the database).
public struct Escalation: Sendable {
    /// What to do before the next try.
    public enum Action: Hashable, Sendable {
        /// Tell these to leave (9999), then try again.
        case ask([Blocker])
        /// Try again; some still have time.
        case wait
        /// End these, then try again.
        case end([Blocker])
        /// It cannot be had: why, and the way out.
        case giveUp(String)
    }

    /// Seconds that all have together from when the first of them was asked: one grace a lock. Who comes later knew of the
    /// lock and is ended at once.
    public var grace: Double
    /// Units, users or programs whose sessions are never ended.
    public var spare: Set<String>
    /// Seconds that somebody who was ended may take to be gone; a unit's own TimeoutStopSec counts in before.
    public var patience: Double
    /// Seconds for which those are ended who come after the grace; then it is given up, as something starts them again.
    public var bound: Double
    /// When the first was asked under this lock; nil before that.
    public private(set) var askedAt: Double?

    /// Whether it is given up because others came again and again.
    public private(set) var isOverrun = false

    private var asked: Set<Blocker> = []
    private var ended: [Blocker: Double] = [:]
    /// Since when those are ended who come after the grace.
    private var comingSince: Double?
    /// Since when nobody can be seen who is in the way.
    private var unseenSince: Double?

    /// An escalation that has not begun.
    ///
    /// - Parameter askedAt: when somebody was first asked under this lock, for an earlier step; nil for never.
    public init(
        grace: Double, spare: Set<String> = [], patience: Double = 10, bound: Double = 30, askedAt: Double? = nil
    ) {
        self.grace = grace
        self.spare = spare
        self.patience = patience
        self.bound = bound
        self.askedAt = askedAt
    }

    /// Decides after a try that failed.
    ///
    /// - Parameters:
    ///   - blockers: who is in the way now.
    ///   - now: seconds of the monotonic clock.
    public mutating func next(_ blockers: [Blocker], at now: Double) -> Action {
        guard !blockers.isEmpty else { return unseen(at: now) }
        unseenSince = nil
        let isFirst = askedAt == nil
        let end = (askedAt ?? now) + grace
        askedAt = askedAt ?? now
        if isFirst || now < end {
            let new = blockers.filter { !asked.contains(key($0)) }
            asked.formUnion(new.map(key))
            return new.isEmpty ? .wait : .ask(new)
        }
        let spared = blockers.filter(isSpared)
        let unendable = blockers.filter { $0.session?.canBeEnded == false }
        guard unendable.isEmpty else {
            return .giveUp("\(names(unendable)) cannot be ended from here; end it yourself, then \"patchctl resume\"")
        }
        // Spared sessions get 30 s more than the grace: a backup, for example, ends by itself.
        guard spared.isEmpty || now < end + bound else {
            return .giveUp("\(names(spared)) may not be ended (spare); end it yourself, then \"patchctl resume\"")
        }
        let blockers = blockers.filter { !isSpared($0) }
        let lasting = blockers.filter { blocker in
            ended[key(blocker)].map { now - $0 >= limit(for: blocker) } ?? false
        }
        guard lasting.isEmpty else {
            return .giveUp("\(names(lasting)) could not be ended; end it yourself, then \"patchctl resume\"")
        }
        let due = blockers.filter { ended[key($0)] == nil }
        let coming = due.filter { !asked.contains(key($0)) }
        if !coming.isEmpty {
            let since = comingSince ?? now
            comingSince = since
            guard now - since < bound else {
                isOverrun = true
                return .giveUp(
                    "\(names(coming)) came again and again for \(Int(bound)) s after the others were ended; stop what starts it, "
                        + "or name its unit in tasks.stop, then \"patchctl resume\"")
            }
        }
        for blocker in due { ended[key(blocker)] = now }
        return due.isEmpty ? .wait : .end(due)
    }

    private mutating func unseen(at now: Double) -> Action {
        let since = unseenSince ?? now
        unseenSince = since
        guard now - since >= grace + patience else { return .wait }
        return .giveUp(
            "something that cannot be seen from here (in a container, on another host) has it in use; "
                + "end it, then \"patchctl resume\""
        )
    }

    /// Whether it reads or writes, and what it runs, may change from look to look; it is the same one.
    private func key(_ blocker: Blocker) -> Blocker {
        var key = blocker
        key.writes = false
        key.session?.statement = ""
        key.session?.seconds = nil
        return key
    }

    /// A server ends a session at once; a unit has a time-out of its own.
    private func limit(for blocker: Blocker) -> Double { blocker.session == nil ? patience : min(patience, 10) }

    /// Whether somebody's sessions are never ended.
    public func isSpared(_ blocker: Blocker) -> Bool {
        spare.contains(blocker.command) || blocker.unit.map(spare.contains) ?? false
            || blocker.session.map { spare.contains($0.user) } ?? false
    }

    private func names(_ blockers: [Blocker]) -> String { blockers.map(\.description).joined(separator: ", ") }
}
