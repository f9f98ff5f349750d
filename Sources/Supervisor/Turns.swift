import Logging
import PatchModel
import PatchPlan
import PatchStore

/// Decides which job of an endpoint has its turn: first come, first served, but a job waits while none of its folders has
/// the dependency or while another one brings it (contract §3).
struct Turns: Sendable {
    let host: Host
    let jobs: JobTable

    /// The job to run next; nil when none can. Jobs that wait are told what for.
    func next(_ endpoint: Endpoint) async throws -> Int? {
        // One look at all of them: a job that held the endpoint may be resumed between two.
        try await releaseUngated(endpoint)
        let all = await jobs.all(of: endpoint.name)
        let open = all.filter { !$0.state.isFinal }
        if let damaged = jobs.damaged(on: endpoint.name) {
            for job in open where job.startedAt == nil && [.queued, .waiting].contains(job.state) {
                try await wait(
                    job, for: "job \(damaged.job), which cannot be read; restore its file, then restart patchd")
            }
            return nil
        }
        if let running = open.first(where: { $0.state == .running || $0.startedAt != nil && $0.state == .queued }) {
            return running.job
        }
        let waiting = open.filter { $0.state == .queued || $0.state == .waiting }
        if let test = waiting.first(where: { $0.operation == .test }) { return test.job }
        if waiting.isEmpty { return nil }
        if let holding = all.last(where: { $0.state == .failed && $0.isHolding }) {
            // What takes back or corrects what holds need not wait for it.
            if let way = waiting.first(where: { $0.rollback != nil || holding.isCorrected(by: $0) }) {
                return try await isLetIn(way, endpoint) ? way.job : nil
            }
            for job in waiting {
                try await wait(
                    job, for: "job \(holding.job), which failed; resume it with: patchctl resume \(holding.job)")
            }
            return nil
        }
        let states = try FolderStates(host: host, endpoint: endpoint).all()
        var updates: [Int: QueuedUpdate] = [:]
        for job in waiting where job.rollback == nil {
            guard let update = try host.state.contents(ofArchive: job.sha256) else { return job.job }
            let planner = Planner(update: update, endpoint: endpoint, states: states, options: job.options)
            // Options that do not fit any more are for the preflight to tell.
            guard let plan = try? planner.plan() else { return job.job }
            let label = "job \(job.job) (\(job.update) \(job.version))"
            updates[job.job] = QueuedUpdate(label: label, manifest: update.manifest, plan: plan)
        }
        for job in waiting {
            // A rollback waits for nothing but its turn.
            guard let own = updates[job.job] else { return job.job }
            switch own.readiness(among: updates.filter { $0.key != job.job }.sorted { $0.key < $1.key }.map(\.value)) {
            case .ready: if try await isLetIn(job, endpoint) { return job.job }
            case .waits(let reason): try await wait(job, for: reason)
            }
        }
        return nil
    }

    func wait(_ job: Job, for reason: String) async throws {
        if job.state == .waiting, job.waitingFor == reason { return }
        try await jobs.change(job.job) { job in
            // Cancelled meanwhile.
            if job.state.isFinal { return }
            job.state = .waiting
            job.waitingFor = reason
        }
        host.log.tell(
            .jobWaiting, "job \(job.job) on \(job.endpoint) waits for \(reason)",
            EventFields(job: job.job, endpoint: job.endpoint, update: job.update))
    }
}
