import PatchModel
import PatchPlan
import Synchronization

/// What waiting jobs would update, kept while all that it follows from is the same: the contents of a large archive, read again
/// at each look, would hold up every endpoint. Jobs of one archive with the same options are looked at once.
final class QueuedUpdates: Sendable {
    private struct Subject: Hashable {
        var sha256: String
        var options: UpdateOptions
    }

    /// What is known of one endpoint's, and what it follows from beside the archive, which never changes.
    private struct Known {
        var endpoint: Endpoint
        var states: [String: FolderState]
        var updates: [Subject: QueuedUpdate] = [:]
    }

    private let known = Mutex<[String: Known]>([:])

    /// What follows from other states or another configuration is forgotten.
    func begin(_ endpoint: Endpoint, _ states: [String: FolderState]) {
        known.withLock { known in
            if let own = known[endpoint.name], own.endpoint == endpoint, own.states == states { return }
            known[endpoint.name] = Known(endpoint: endpoint, states: states)
        }
    }

    /// - Parameter contents: reads the archive's.
    /// - Returns: nil where the preflight has to tell what is wrong: the archive is gone, or the options do not fit any more.
    func update(of job: Job, contents: () throws -> CheckedUpdate?) rethrows -> QueuedUpdate? {
        let subject = Subject(sha256: job.sha256, options: job.options)
        let label = "job \(job.job) (\(job.update) \(job.version))"
        guard let own = known.withLock({ $0[job.endpoint] }) else { return nil }
        if var found = own.updates[subject] {
            found.label = label
            return found
        }
        guard let update = try contents(),
            let plan = try? Planner(
                update: update, endpoint: own.endpoint, states: own.states, options: job.options
            ).plan()
        else { return nil }
        let queued = QueuedUpdate(label: label, manifest: update.manifest, plan: plan)
        known.withLock { $0[job.endpoint]?.updates[subject] = queued }
        return queued
    }

    /// Forgets what does not wait any more.
    func keep(_ waiting: [Job], of endpoint: String) {
        known.withLock { known in
            guard let own = known[endpoint], own.updates.count > waiting.count else { return }
            let subjects = Set(waiting.map { Subject(sha256: $0.sha256, options: $0.options) })
            known[endpoint]?.updates = own.updates.filter { subjects.contains($0.key) }
        }
    }
}
