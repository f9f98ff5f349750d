import Logging
import PatchConfig
import PatchModel
import PatchPlan
import PatchStore

/// What the files of an endpoint's folders say: states, histories, and what was done to their databases.
struct FolderStates: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint

    func all() throws(StoreError) -> [String: FolderState] { try context.state.folders(of: endpoint.name) }

    /// What could be rolled back now.
    ///
    /// - Parameter order: ``JobStore/order(of:)``.
    func rollbackPlan(_ order: [Int: Int]) throws(StoreError) -> RollbackPlan {
        var histories: [String: [HistoryEntry]] = [:]
        for folder in endpoint.activeFolders {
            histories[folder.name] = try context.state.history(folder.name, of: endpoint.name)
        }
        return RollbackPlan(endpoint: endpoint, histories: histories, states: try all(), order: order)
    }

    /// A folder's database as a worker has to know it; nil where it has none.
    ///
    /// - Parameter version: what the folder has; nil: what its state says.
    func database(of name: String, at version: Version? = nil) throws(StoreError) -> DatabaseOrder? {
        endpoint.databaseOrder(of: name, done: try scripts(of: name, at: version))
    }

    /// The scripts that are in effect in a folder. Those above its version are not: an admin said so (`baseline`), or an
    /// older dump was restored.
    private func scripts(of name: String, at given: Version?) throws(StoreError) -> [StepKey] {
        let known = try context.state.folder(name, of: endpoint.name)?.version
        guard let version = given ?? known else { return [] }
        var keys: [StepKey] = []
        for layer in RollbackPlan.layers(try context.state.history(name, of: endpoint.name)) {
            guard let job = try context.state.job(layer.job),
                let plan = try context.state.plan(job: layer.job)?.endpoints.first?.folders.first(where: {
                    $0.folder == name
                }),
                plan.hasDatabase
            else { continue }
            keys += plan.steps.filter { step in
                (step.kind == .script ? ScriptName(step.path)?.version ?? plan.to : plan.to) <= version
            }.compactMap { StepKey(update: job.update, version: plan.to, step: $0) }
        }
        return keys
    }

    /// What a folder's state file said of its update before some jobs.
    func before(_ undone: [Int], in folder: String) throws(StoreError) -> (update: String, patches: [String: Bool]) {
        let layers = RollbackPlan.layers(try context.state.history(folder, of: endpoint.name))
        guard let number = layers.prefix(while: { !undone.contains($0.job) }).last?.job,
            let earlier = try context.state.job(number)
        else {
            return ("", [:])
        }
        let plan = try context.state.plan(job: number)?.endpoints.first?.folders.first { $0.folder == folder }
        return (earlier.update, plan?.patches ?? [:])
    }
}
