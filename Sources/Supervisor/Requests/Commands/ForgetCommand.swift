import PatchModel
import PatchStore

/// Removes what patchd knows of a folder, or of an endpoint, that is configured no more.
struct ForgetCommand: RequestCommand {
    let endpoint: String
    /// Nil for all of the endpoint's.
    let folder: String?

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let name = folder.map { "\(endpoint)/\($0)" } ?? endpoint
        let configured = context.requested.endpoints.first { $0.name == endpoint }
        if let configured, folder == nil || configured.folders.contains(where: { $0.name == folder }) {
            return .refused(
                "wrongState",
                "\(name) is configured; take it out of endpoints.d and reload patchd before it is forgotten")
        }
        guard let supervisor = context.supervisors[endpoint] else { return try await remove(name, context) }
        return try context.carryOutLater(to: endpoint) {
            if let busy = try await refusal(name, context) { return busy }
            try await supervisor.forget(folder)
            return .done("\(name) is forgotten")
        }
    }

    /// Why it cannot be forgotten now; nil where it can.
    private func refusal(_ name: String, _ context: RequestContext) async throws -> Answer? {
        let states = try context.daemon.state.folders(of: endpoint)
        guard folder.map({ states[$0] != nil }) ?? !states.isEmpty else {
            throw Fault(.missing, "nothing is known of \(name); see: patchctl status")
        }
        guard let job = await context.jobs.open(of: endpoint).first else { return nil }
        return .wrongState(job, "it works on \(endpoint); cancel it first")
    }

    /// Of an endpoint that is not in effect any more there is nothing to unlock.
    private func remove(_ name: String, _ context: RequestContext) async throws -> Answer {
        if let busy = try await refusal(name, context) { return busy }
        let state = context.daemon.state
        let folders = try folder.map { [$0] } ?? state.folders(of: endpoint).keys.sorted()
        for folder in folders { try state.forget(folder, of: endpoint) }
        if folder == nil { try state.forget(endpoint) }
        return .done("\(name) is forgotten")
    }
}
