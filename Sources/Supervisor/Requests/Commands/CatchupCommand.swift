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
        let ancestors = endpoint.ancestors(of: folder)
        guard let parent = ancestors.first else {
            throw Fault(folder: folder, .missing, "the root folder has no reference folder to catch up with")
        }
        let all = try states.all()
        let version = all[folder]?.version
        var missed: [Job] = []
        // The version alone says what it lacks: an admin may have said that it does not have what a job once brought.
        for layer in RollbackPlan.layers(try context.daemon.state.history(parent, of: endpoint.name)) {
            guard let job = await context.jobs.job(layer.job), version.map({ $0 < job.version }) ?? true else {
                continue
            }
            missed.append(job)
        }
        guard !missed.isEmpty else {
            // What its reference folder has missed itself comes first.
            if let first = ancestors.reversed().first(where: { all[$0]?.status == .behind }) {
                throw Fault(
                    folder: folder, .dependency,
                    "is behind because \(first) is; first: patchctl catchup \(endpoint.name)/\(first)")
            }
            return .refused("upToDate", "\(endpoint.name)/\(folder) has missed nothing")
        }
        for job in missed where try context.daemon.state.contents(ofArchive: job.sha256) == nil {
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
