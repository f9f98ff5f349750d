import PatchModel

/// Removes what is no longer kept.
struct GCCommand: RequestCommand {
    func carryOut(in context: RequestContext) async throws -> Answer? {
        try context.answers.value(
            of: DeferredCommand(request: context.request) {
                let retention = Retention(context: context.daemon, jobs: context.jobs, slots: context.slots)
                var count = 0
                for endpoint in context.daemon.configuration.endpoints { count += try await retention.run(endpoint) }
                return .done("\(count) jobs forgotten")
            })
    }
}
