import Glibc
import PatchModel
import PatchPlan

extension WindowCalendar {
    /// An endpoint's, by this host's local time as it is set now.
    init(of endpoint: Endpoint) {
        // A daemon runs for months; the host's zone may be changed meanwhile.
        tzset()
        self.init(endpoint.windows) { second in Self.local(second).tm_gmtoff }
    }

    /// What a job waits for while no window is open; nil while one is.
    ///
    /// - Parameter now: in seconds since 1970.
    func closed(at now: Int) -> String? {
        if isOpen(at: now) { return nil }
        guard let next = nextOpening(after: now) else { return "a window, of which none opens within two weeks" }
        var fields = Self.local(next.second)
        var buffer = [CChar](repeating: 0, count: 64)
        // The language of the daemon is the C locale's.
        let count = strftime(&buffer, buffer.count, "%a %Y-%m-%d %H:%M %Z", &fields)
        let text = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "the window \(next.window), which opens \(text)"
    }

    private static func local(_ second: Int) -> tm {
        var instant = time_t(second)
        var fields = tm()
        localtime_r(&instant, &fields)
        return fields
    }
}

extension JobSelector {
    /// Whether the endpoint's windows let a job begin; one that has to wait is told until when.
    func isLetIn(_ job: Job, _ endpoint: Endpoint) async throws -> Bool {
        let calendar = WindowCalendar(of: endpoint)
        let now = Int(context.clocks.now.seconds(since: Timestamp(nanoseconds: 0)))
        guard job.keepsWindows(of: endpoint), let closed = calendar.closed(at: now) else { return true }
        // Never more than a minute: a clock may be set, and a zone changed.
        wakeTimer.ring(in: Double(calendar.secondsToMinute(at: now)))
        try await wait(job, for: closed)
        return false
    }
}
