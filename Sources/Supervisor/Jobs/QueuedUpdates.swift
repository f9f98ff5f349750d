import PatchModel
import PatchPlan
import Synchronization

/// What waiting jobs would raise, kept while all that it follows from is the same: the contents of a large archive, read again
/// at each look, would hold up every endpoint.
final class QueuedUpdates: Sendable {
    /// All that it follows from, but for the archive, which never changes.
    private struct Cause: Equatable {
        var endpoint: Endpoint
        var states: [String: FolderState]
        var options: UpdateOptions
    }

    private let known = Mutex<[Int: (cause: Cause, update: QueuedUpdate)]>([:])

    /// - Parameter contents: reads the archive's.
    /// - Returns: nil where the preflight has to tell what is wrong: the archive is gone, or the options do not fit any more.
    func update(
        of job: Job, on endpoint: Endpoint, _ states: [String: FolderState],
        contents: () throws -> CheckedUpdate?
    ) rethrows -> QueuedUpdate? {
        let cause = Cause(endpoint: endpoint, states: states, options: job.options)
        if let found = known.withLock({ $0[job.job] }), found.cause == cause { return found.update }
        guard let update = try contents(),
            let plan = try? Planner(update: update, endpoint: endpoint, states: states, options: job.options).plan()
        else { return nil }
        let label = "job \(job.job) (\(job.update) \(job.version))"
        let queued = QueuedUpdate(label: label, manifest: update.manifest, plan: plan)
        known.withLock { $0[job.job] = (cause, queued) }
        return queued
    }

    /// Forgets what does not wait any more.
    func keep(_ waiting: [Job], of endpoint: String) {
        let numbers = Set(waiting.map(\.job))
        known.withLock { known in
            known = known.filter { $0.value.cause.endpoint.name != endpoint || numbers.contains($0.key) }
        }
    }
}
