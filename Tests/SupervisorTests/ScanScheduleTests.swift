import Testing

@testable import Supervisor

@Suite struct `The looks at what was dropped` {
    @Test func `come once more for what happened while a user's drops were being taken`() async {
        let scans = ScanSchedule()
        let look = await scans.begin()
        await scans.ask()
        await scans.end(1000, since: look, hasMore: false, again: nil)
        #expect(await scans.isDue)
        _ = await scans.begin()
        #expect(await !scans.rests(1000))
    }

    @Test func `pass over a user whose drops can only be taken when something happens`() async {
        let scans = ScanSchedule()
        await scans.end(1000, since: scans.begin(), hasMore: false, again: nil)
        let look = await scans.begin()
        #expect(await scans.rests(1000))
        #expect(await scans.next == nil)
        await scans.end(1001, since: look, hasMore: false, again: 60)
        _ = await scans.begin()
        #expect(await scans.next ?? 0 > 50)
    }
}
