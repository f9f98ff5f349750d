import PatchModel

/// Resumes a failed job.
struct ResumeCommand: RequestCommand {
    let job: Int
    /// A step that counts as done.
    let assumed: String?
    /// Folders that stay as they are.
    let skipped: [String]

    func carryOut(in context: RequestContext) async throws -> Answer? {
        guard let found = await context.jobs.job(job) else { return .unknown(job) }
        let endpoint = context.daemon.endpoint(found.endpoint)
        let below = endpoint.map { endpoint in skipped.flatMap(endpoint.descendants) } ?? []
        let held = below.filter { [.failed, .blocked].contains(found.folders[$0]?.state) }
        guard
            try await context.jobs.resume(
                job, assuming: assumed, skipping: Set(skipped + held), request: context.request)
        else {
            return .wrongState(
                found,
                found.isSettled ? "what failed was put back; drop the archive again" : "only a failed job is resumed")
        }
        if !skipped.isEmpty { try await context.supervisors[found.endpoint]?.leave(skipped + held, of: found) }
        return .done("job \(job) is resumed")
    }
}
