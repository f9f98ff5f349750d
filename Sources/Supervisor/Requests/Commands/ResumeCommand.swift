import PatchModel

/// Lets a failed job go on.
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
        if let endpoint, !skipped.isEmpty { try await leave(skipped + held, endpoint, context) }
        return .done("job \(job) is resumed")
    }

    /// Folders that an admin leaves as they are: they are failed no more, and no part of the job. It may wait for long, and
    /// they need not.
    private func leave(_ folders: [String], _ endpoint: Endpoint, _ context: RequestContext) async throws {
        let states = FolderStates(context: context.daemon, endpoint: endpoint)
        for name in folders { try states.change(name) { $0.status = .current } }
        try states.refresh()
        try await context.setLocks(endpoint)
    }
}
