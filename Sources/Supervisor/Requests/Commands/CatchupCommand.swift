import PatchModel
import PatchPlan
import PatchStore

/// Queues the kept updates that an excluded folder has missed, oldest first.
struct CatchupCommand: RequestCommand {
    let endpoint: String
    let folder: String
    /// Also what is marked unstable.
    let force: Bool

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let (endpoint, states) = try context.find(endpoint, folder)
        let plan = CatchupPlan(endpoint: endpoint, states: try states.all())
        let history = try context.daemon.state.history(try plan.source(for: folder), of: endpoint.name)
        var missed: [Job] = []
        for number in try plan.jobs(for: folder, history: history) {
            if let job = await context.jobs.job(number) { missed.append(job) }
        }
        guard !missed.isEmpty else {
            return .refused("upToDate", "\(endpoint.name)/\(folder) has missed nothing")
        }
        for job in missed where try context.daemon.state.manifest(ofArchive: job.sha256) == nil {
            throw Fault(
                folder: folder, .missing,
                "the archive of \(job.update) \(job.version) (job \(job.job)) is no longer kept; drop it again with --only \(folder)"
            )
        }
        var numbers: [Int] = []
        for job in missed {
            numbers.append(
                try await context.jobs.createCatchup(folder, of: job, force: force, request: context.request))
        }
        return .done("\(missed.count) updates follow, jobs \(numbers.map(String.init).joined(separator: ", "))")
    }
}
