import PatchModel

/// Takes a folder as it is for a version.
struct BaselineCommand: RequestCommand {
    let endpoint: String
    let folder: String
    let version: Version

    func carryOut(in context: RequestContext) async throws -> Answer? {
        let (endpoint, states) = try context.find(endpoint, folder)
        if let job = await context.jobs.unfinished(endpoint.name) { return .isHeld(endpoint.name, by: job) }
        return try context.answers.value(
            of: DeferredCommand(request: context.request, endpoint: endpoint.name) {
                try await record(endpoint, states, context)
            })
    }

    private func record(_ endpoint: Endpoint, _ states: FolderStates, _ context: RequestContext) async throws -> Answer
    {
        if let job = await context.jobs.unfinished(endpoint.name) { return .isHeld(endpoint.name, by: job) }
        let hasDatabase = endpoint.folders.contains { $0.name == folder && $0.database != nil }
        if hasDatabase { try DatabaseWork(context: context.daemon, endpoint: endpoint).baseline(folder, version) }
        try states.change(folder) { state in
            if state.version != version { state.previousVersion = state.version }
            state.version = version
            state.status = .current
            state.message = "an admin said that it has \(version)"
            state.update = ""
            state.patches = [:]
            state.updatedAt = .now
        }
        try states.refresh()
        // Who is behind may be another one now.
        try await context.setLocks(endpoint)
        return .done("\(endpoint.name)/\(folder) has \(version)")
    }
}
