import PatchJSON
import Testing

@testable import PatchModel

@Suite struct `The last ends of an endpoint's jobs` {
    private static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    private func job(
        _ number: Int, _ state: Job.State, at second: Double? = nil, _ operation: UpdateOptions.Operation = .apply
    ) throws -> Job {
        var job = Job(
            job: number, endpoint: "payroll", update: "X", version: try #require(Version("8.0.2")), sha256: "s",
            options: UpdateOptions(operation: operation), claim: "", createdAt: Self.start)
        job.state = state
        job.finishedAt = second.map { Self.start.adding(seconds: $0) }
        return job
    }

    @Test func `are the last success and the last failure, of tests and of others`() throws {
        let jobs = try [
            job(1, .failed, at: 1), job(2, .done, at: 2), job(3, .failed, at: 3), job(4, .done, at: 4, .test),
            job(5, .failed, at: 5, .test), job(6, .done, at: 6), job(7, .cancelled, at: 7), job(8, .queued),
        ]
        #expect(Job.lastEnds(of: jobs) == [3, 4, 5, 6])
        #expect(Job.lastEnds(of: []).isEmpty)
    }

    @Test func `go by the time of the end: one that was resumed ends after jobs with higher numbers`() throws {
        let resumed = try job(1, .failed, at: 9)
        let later = try job(2, .failed, at: 2)
        #expect(later.hasEnded(before: resumed) && !resumed.hasEnded(before: later))
        #expect(Job.lastEnds(of: [resumed, later]) == [1])
    }
}
