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
        // The history grows with every job, and says nothing to a folder without a database.
        guard var order = endpoint.databaseOrder(of: name) else { return nil }
        order.done = try scripts(of: name, at: version)
        return order
    }

    /// The scripts that are in effect in a folder. Those above its version are not: an admin said so (`baseline`), or an
    /// older dump was restored.
    private func scripts(of name: String, at given: Version?) throws(StoreError) -> [StepKey] {
        let known = try context.state.folder(name, of: endpoint.name)?.version
        guard let version = given ?? known else { return [] }
        var keys: [StepKey] = []
        let history = try context.state.history(name, of: endpoint.name)
        for layer in RollbackPlan.layers(history) {
            let scripts = try effect(of: layer.job, in: name, history)?.effect.scripts ?? []
            keys += scripts.filter { $0.version <= version }.map(\.key)
        }
        return keys
    }

    /// What a job that is in effect left in a folder, from the folder's history; where an older patchd recorded that, from
    /// the job's plan.
    private func effect(
        of number: Int, in folder: String, _ history: [HistoryEntry]
    ) throws(StoreError) -> (update: String, effect: HistoryEntry.Effect)? {
        let entry = history.last { $0.job == number && $0.operation == .apply && $0.state == .done }
        if let entry, let effect = entry.effect { return (entry.update, effect) }
        guard let job = try context.state.job(number),
            let plan = try context.state.overview(job: number)?.endpoints.first?.folders.first(where: {
                $0.plan.folder == folder
            })
        else { return nil }
        return (job.update, HistoryEntry.Effect(plan, of: job.update))
    }

    /// What a folder's state file said of its update before some jobs.
    func before(_ undone: [Int], in folder: String) throws(StoreError) -> (update: String, patches: [String: Bool]) {
        let history = try context.state.history(folder, of: endpoint.name)
        let layers = RollbackPlan.layers(history)
        guard let number = layers.prefix(while: { !undone.contains($0.job) }).last?.job,
            let earlier = try effect(of: number, in: folder, history)
        else { return ("", [:]) }
        return (earlier.update, earlier.effect.patches)
    }
}
