extension Job {
    /// Whether it ended before another one. One that was resumed, or waited, may have ended after jobs with higher numbers.
    public func hasEnded(before other: Job) -> Bool {
        guard let finishedAt, let end = other.finishedAt, finishedAt != end else { return job < other.job }
        return finishedAt < end
    }

    /// Of an endpoint's jobs those that say what its last failure was and whether a success came after it: of tests and of
    /// others the last one that was done, and the last one that failed.
    public static func lastEnds(of jobs: [Job]) -> Set<Int> {
        var last: Set<Int> = []
        for state in [State.done, .failed] {
            let ended = jobs.filter { $0.state == state }
            for own in [ended.filter { $0.operation == .test }, ended.filter { $0.operation != .test }] {
                if let job = own.max(by: { $0.hasEnded(before: $1) }) { last.insert(job.job) }
            }
        }
        return last
    }
}
