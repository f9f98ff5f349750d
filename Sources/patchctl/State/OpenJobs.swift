import PatchModel

/// The jobs that an admin has to know of.
enum OpenJobs {
    /// The unfinished ones, those that hold a folder, and for each endpoint the last failed one until a later success.
    static func among(_ jobs: [Job]) -> [Job] {
        var failed: Set<Int> = []
        for own in Dictionary(grouping: jobs, by: \.endpoint).values {
            for job in own where job.state == .failed && job.isHolding { failed.insert(job.job) }
            guard let failure = own.filter({ $0.state == .failed }).max(by: { $0.hasEnded(before: $1) }) else {
                continue
            }
            // A test that went well says nothing of an update that failed.
            let successes = own.filter { $0.state == .done && ($0.operation != .test || failure.operation == .test) }
            if !successes.contains(where: { failure.hasEnded(before: $0) }) { failed.insert(failure.job) }
        }
        return jobs.filter { !$0.state.isFinal || failed.contains($0.job) }
    }
}
