import PatchModel
import PatchPlan
import Testing

@Suite struct `Waiting jobs` {
    private func job(_ number: Int, _ operation: UpdateOptions.Operation, at seconds: Int64) throws -> Job {
        Job(
            job: number, endpoint: "payroll", update: "A", version: try #require(Version("8.0.2")), sha256: "",
            options: UpdateOptions(operation: operation), claim: "",
            createdAt: Timestamp(nanoseconds: seconds * 1_000_000_000))
    }

    private func order(_ jobs: [Job], testedAt: Int64?) -> [Int] {
        TurnOrder.sorted(jobs, testedAt: testedAt.map { Timestamp(nanoseconds: $0 * 1_000_000_000) }).map(\.job)
    }

    @Test func `have their turns in the order in which they came`() throws {
        let jobs = try [job(1, .test, at: 1), job(2, .apply, at: 2), job(3, .apply, at: 3), job(4, .test, at: 4)]
        #expect(order(jobs, testedAt: nil) == [1, 2, 3, 4])
        #expect(order(jobs, testedAt: 0) == [1, 2, 3, 4], "an earlier test has kept nobody back")
    }

    @Test func `wait for one test that began after they came, and for no other: tests may be dropped without end`()
        throws
    {
        let jobs = try [
            job(2, .test, at: 1), job(3, .test, at: 1), job(4, .apply, at: 2), job(5, .rollback, at: 3),
            job(6, .test, at: 3), job(7, .apply, at: 9),
        ]
        #expect(order(jobs, testedAt: 5) == [4, 5, 2, 3, 6, 7])
    }
}
