import PatchModel

/// Ends a job.
struct CancelCommand: RequestCommand {
    let job: Int

    func carryOut(in context: RequestContext) async throws -> Answer? {
        guard let found = await context.jobs.job(job) else { return .unknown(job) }
        guard try await context.jobs.cancel(job, request: context.request) else {
            return .wrongState(found, found.isHolding ? "roll it back, or resume it" : "it is over")
        }
        for (name, folder) in found.folders where folder.state == .running {
            context.daemon.workers.interrupt(
                WorkerStart(phase: .apply, job: job, endpoint: found.endpoint, folder: name, path: "", user: nil))
        }
        if found.isPaused { return .done(try await context.afterCanary(found, "job \(job) is cancelled")) }
        if found.state == .running, !found.hasBegun {
            // It may be rehearsing, of which nothing is kept.
            for folder in context.daemon.endpoint(found.endpoint)?.activeFolders ?? [] {
                context.daemon.workers.interrupt(
                    WorkerStart(
                        phase: .rehearse, job: job, endpoint: found.endpoint, folder: folder.name, path: "", user: nil))
            }
        }
        guard let held = await context.jobs.job(job), held.state == .failed else {
            return .done("job \(job) is being cancelled")
        }
        await context.supervisors[held.endpoint]?.locksAreDue()
        return .done("job \(job) holds what failed again; resume it, or roll it back")
    }
}
