import Logging
import PatchModel

/// Ends a job that waits for approval, or in the pause after its canary.
struct DeclineCommand: RequestCommand {
    let job: Int

    func carryOut(in context: RequestContext) async throws -> Answer? {
        guard let found = await context.jobs.job(job) else { return .unknown(job) }
        guard try await context.jobs.decline(job, by: context.user, request: context.request) else {
            return .wrongState(found, "only one that waits for approval is declined; see: patchctl cancel \(job)")
        }
        if found.needsApprover || found.isPaused {
            context.daemon.logger.log(
                .jobDeclined,
                "job \(job): \(found.update) \(found.version) on \(found.endpoint) is declined by \(context.user)",
                EventFields(found))
        }
        if found.isPaused { return .done(try await context.afterCanary(found, "job \(job) is declined")) }
        return .done("job \(job) is declined")
    }
}
