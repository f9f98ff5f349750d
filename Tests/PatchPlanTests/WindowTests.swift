import PatchModel
import PatchPlan
import Testing

/// Windows of an endpoint in Berlin, in 2026: summer time from 29 March, 01:00 UTC, to 25 October, 01:00 UTC.
@Suite struct `Windows` {
    /// Seconds since 1970 of a day of 2026, in UTC.
    private static func utc(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0, _ second: Int = 0) -> Int {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        let days = lengths.prefix(month - 1).reduce(0, +) + day - 1
        return 1_767_225_600 + days * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func berlin(_ second: Int) -> Int {
        utc(3, 29, 1) <= second && second < utc(10, 25, 1) ? 7200 : 3600
    }

    private func calendar(_ windows: String...) throws -> WindowCalendar {
        try WindowCalendar(windows.map { try UpdateWindow($0) }, offset: Self.berlin)
    }

    private func utc(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0, _ second: Int = 0) -> Int {
        Self.utc(month, day, hour, minute, second)
    }

    @Test func `are open from their first minute on, and before their last`() throws {
        let sunday = try calendar("Sun 02:00-05:00")
        // 22 November 2026 is a Sunday.
        #expect(!sunday.isOpen(at: utc(11, 22, 0, 59, 59)))
        #expect(sunday.isOpen(at: utc(11, 22, 1)))
        #expect(sunday.isOpen(at: utc(11, 22, 3, 59, 59)))
        #expect(!sunday.isOpen(at: utc(11, 22, 4)))
        #expect(!sunday.isOpen(at: utc(11, 23, 2)), "Monday")
        #expect(try calendar().isOpen(at: 0), "without windows always")
    }

    @Test func `cross midnight, also from Sunday to Monday`() throws {
        let night = try calendar("Sun 22:00-04:00")
        #expect(!night.isOpen(at: utc(11, 22, 1)), "Sunday's first hours belong to Saturday")
        #expect(night.isOpen(at: utc(11, 22, 21)))
        #expect(night.isOpen(at: utc(11, 23, 2, 59)))
        #expect(!night.isOpen(at: utc(11, 23, 3)))
    }

    @Test(arguments: [
        // From Saturday noon to the next Sunday, 02:00 in winter.
        ("Sun 02:00-05:00", (11, 21, 11), (11, 22, 1)), ("Sun 02:00-05:00", (11, 22, 5), (11, 29, 1)),
        ("Mon-Fri 22:00-04:00", (11, 21, 11), (11, 23, 21)), ("Fri-Sun 01:00-02:00", (11, 18, 11), (11, 20, 0)),
        ("13:00-24:00", (7, 1, 9), (7, 1, 11)),
    ]) func `say when they open next`(window: String, now: (Int, Int, Int), opens: (Int, Int, Int)) throws {
        let next = try calendar(window).nextOpening(after: utc(now.0, now.1, now.2))
        #expect(next?.second == utc(opens.0, opens.1, opens.2))
        #expect(next?.window.description == window)
    }

    @Test func `open with the hour that follows the one left out in spring`() throws {
        // The clock goes from 01:59 to 03:00.
        let sunday = try calendar("Sun 02:00-05:00")
        #expect(sunday.nextOpening(after: utc(3, 28, 12))?.second == utc(3, 29, 1))
        #expect(sunday.isOpen(at: utc(3, 29, 2, 59)) && !sunday.isOpen(at: utc(3, 29, 3)), "until 05:00 in summer")
        // All of it is left out, so it opens a week later.
        let lost = try calendar("Sun 02:00-02:30")
        #expect(lost.nextOpening(after: utc(3, 28, 12))?.second == utc(4, 5, 0))
    }

    @Test func `are open in both hours of one name in autumn`() throws {
        // The clock goes from 02:59 back to 02:00.
        let sunday = try calendar("Sun 02:00-05:00")
        #expect(sunday.nextOpening(after: utc(10, 24, 12))?.second == utc(10, 25, 0))
        #expect(sunday.isOpen(at: utc(10, 25, 3, 59)) && !sunday.isOpen(at: utc(10, 25, 4)))
        let short = try calendar("Sun 02:00-02:30")
        #expect(short.isOpen(at: utc(10, 25, 0)) && !short.isOpen(at: utc(10, 25, 0, 30)))
        #expect(short.isOpen(at: utc(10, 25, 1)) && !short.isOpen(at: utc(10, 25, 1, 30)))
    }

    @Test func `open at full minutes of local time, however odd the zone is`() throws {
        let odd = WindowCalendar([try UpdateWindow("02:00-05:00")]) { _ in 5417 }
        let next = try #require(odd.nextOpening(after: utc(7, 1, 0)))
        #expect((next.second + 5417) % 86400 == 7200)
        #expect(odd.secondsToMinute(at: utc(7, 1, 0)) == 60 - 5417 % 60)
    }

    @Test(arguments: [
        "Sun 25:00-05:00", "Sun 02:00", "Sunday 02:00-05:00", "02:00-02:00", "Sun,, 01:00-02:00", "a b c", "",
    ]) func `are refused when they are none`(text: String) {
        #expect(throws: UpdateWindow.Malformed.self) { try UpdateWindow(text) }
    }
}
