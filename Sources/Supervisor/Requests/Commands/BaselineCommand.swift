import PatchModel

/// Takes a folder as it is for a version.
struct BaselineCommand: RequestCommand {
    let endpoint: String
    let folder: String
    let version: Version

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let (endpoint, _) = try context.find(endpoint, folder)
        if let job = await context.jobs.occupant(of: endpoint.name) { return .isHeld(endpoint.name, by: job) }
        let supervisor = try context.supervisor(of: endpoint.name)
        return try context.carryOutLater(to: endpoint.name) {
            if let job = await context.jobs.occupant(of: endpoint.name) { return .isHeld(endpoint.name, by: job) }
            try await supervisor.baseline(folder, version)
            return .done("\(endpoint.name)/\(folder) has \(version)")
        }
    }
}
