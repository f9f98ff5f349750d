import PatchModel

/// Takes a folder as it is for a version.
struct BaselineCommand: RequestCommand {
    let endpoint: String
    let folder: String
    let version: Version
    /// Up to which all migrations count as done; nil: nothing is said of them.
    let migrations: MigrationName?

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let (endpoint, _) = try context.find(endpoint, folder)
        if migrations != nil, endpoint.databaseOrder(of: folder)?.isKnown != true {
            throw Fault(
                folder: folder, .database,
                "cannot record which migrations are done: \(endpoint.name)/\(folder) has no database in which patchd keeps "
                    + "a record")
        }
        if let job = await context.jobs.occupant(of: endpoint.name) { return .isHeld(endpoint.name, by: job) }
        let supervisor = try context.supervisor(of: endpoint.name)
        return try context.carryOutLater(to: endpoint.name) {
            if let job = await context.jobs.occupant(of: endpoint.name) { return .isHeld(endpoint.name, by: job) }
            try await supervisor.baseline(folder, version, migrations: migrations)
            let upTo = migrations.map { "; its migrations up to \($0).sql count as done" } ?? ""
            return .done("\(endpoint.name)/\(folder) has \(version)\(upTo)")
        }
    }
}
