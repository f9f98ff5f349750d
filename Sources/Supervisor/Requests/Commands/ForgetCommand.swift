import PatchModel

/// Removes what patchd knows of a folder, or of an endpoint, that is configured no more.
struct ForgetCommand: RequestCommand {
    let endpoint: String
    /// Nil for all of the endpoint's.
    let folder: String?

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let name = folder.map { "\(endpoint)/\($0)" } ?? endpoint
        let known = context.daemon.endpoint(endpoint)
        if let known, folder == nil || known.folders.contains(where: { $0.name == folder }) {
            return .refused(
                "wrongState",
                "\(name) is configured; take it out of endpoints.d and reload patchd before it is forgotten")
        }
        return .refused("wrongState", "\(name) cannot be forgotten: this patchd does not do that yet")
    }
}
