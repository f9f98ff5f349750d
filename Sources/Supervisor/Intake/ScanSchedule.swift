import PatchFiles

/// When the drops are looked at next, and whose.
actor ScanSchedule {
    private var isAsked = true
    /// How often something has happened.
    private var asks = 0
    /// By user, until when nothing of what he dropped can be taken, unless something happens.
    private var resting: [UInt32: Double] = [:]
    /// Users who may have dropped something while the drops before it were being taken.
    private var passedOver: Set<UInt32> = []

    /// Something may have happened.
    func ask() {
        isAsked = true
        asks += 1
        resting = [:]
    }

    /// A look begins.
    ///
    /// - Returns: what ``end(_:since:hasMore:again:)`` has to know of it.
    func begin() -> Int {
        isAsked = false
        let now = MonotonicClock.seconds
        resting = resting.filter { $0.value > now }
        return asks
    }

    /// The look is not at its end.
    func goOn() { isAsked = true }

    func rests(_ owner: UInt32) -> Bool { resting[owner] != nil }

    /// What a user dropped is being taken, so that it was not looked at.
    func passOver(_ owner: UInt32) { passedOver.insert(owner) }

    /// A user's drops were looked at; another user's may have waited for that.
    ///
    /// - Parameters:
    ///   - look: when they were looked at; what happened since then is looked at once more.
    ///   - hasMore: whether there may be more to take at once.
    ///   - again: after how many seconds to look again at what is not complete; nil: when something happens.
    func end(_ owner: UInt32, since look: Int, hasMore: Bool, again: Double?) {
        isAsked = true
        if passedOver.remove(owner) != nil || hasMore || look != asks { return }
        resting[owner] = again.map { MonotonicClock.seconds + $0 } ?? .infinity
    }

    /// The drops cannot be looked at.
    func retry(in seconds: Double?) {
        // Nobody's user number: it only wakes.
        resting[.max] = seconds.map { MonotonicClock.seconds + $0 } ?? .infinity
    }

    var isDue: Bool { next.map { $0 <= 0 } ?? false }

    /// Seconds until the next look that is planned; nil: only when something happens.
    var next: Double? {
        if isAsked { return 0 }
        guard let at = resting.values.min(), at.isFinite else { return nil }
        return max(0, at - MonotonicClock.seconds)
    }
}
