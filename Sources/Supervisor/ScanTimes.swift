import PatchFiles

/// When the drops are looked at next.
actor ScanTimes {
    private var isAsked = true
    private var at: Double?

    /// Something may have happened.
    func ask() { isAsked = true }

    func begin() {
        isAsked = false
        at = nil
    }

    func end(again: Double?) { at = again.map { MonotonicClock.seconds + $0 } }

    var isDue: Bool { isAsked || at.map { $0 <= MonotonicClock.seconds } ?? false }

    /// Seconds until the next look that is planned; nil: only when something happens.
    var next: Double? { isAsked ? 0 : at.map { max(0, $0 - MonotonicClock.seconds) } }
}
