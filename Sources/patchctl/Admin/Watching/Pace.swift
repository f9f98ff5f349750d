import PatchModel

/// How fast a job's folders went while somebody watched, and so how long they still need. A script that takes its time says
/// nothing about the rest: nothing is guessed then.
struct Pace {
    private struct Run {
        /// When it was seen first, and how far it was.
        let begin: (at: Double, done: Int)
        /// When it was last seen to get on, and how far it was.
        var last: (at: Double, done: Int)
    }

    private var runs: [String: Run] = [:]

    /// A shorter look, and a longer stop, say nothing; in seconds.
    private static let (shortest, longestStop) = (3.0, 2.0)

    /// - Parameter time: now, of a clock that is not set.
    mutating func left(of job: Job, at time: Double) -> [String: Double] {
        var left: [String: Double] = [:]
        for (name, folder) in job.folders {
            guard folder.state == .running, folder.reverting != true else {
                runs[name] = nil
                continue
            }
            let progress = folder.progress
            guard var run = runs[name], run.last.done <= progress.done else {
                runs[name] = Run(begin: (time, progress.done), last: (time, progress.done))
                continue
            }
            if progress.done > run.last.done { run.last = (time, progress.done) }
            runs[name] = run
            let (steps, passed) = (run.last.done - run.begin.done, time - run.begin.at)
            guard steps > 1, passed >= Self.shortest, progress.done < progress.total else { continue }
            let step = passed / Double(steps)
            guard time - run.last.at <= Self.longestStop + 3 * step else { continue }
            left[name] = Double(progress.total - progress.done) * step
        }
        return left
    }
}
