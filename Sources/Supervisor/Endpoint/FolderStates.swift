import Logging
import PatchConfig
import PatchModel
import PatchPlan
import PatchStore
import Synchronization

/// Keeps the state files of an endpoint's folders true.
struct FolderStates: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint

    /// Writes state files for folders that have none yet: when an endpoint is first loaded.
    func recordNewFolders() throws(StoreError) {
        let known = try context.state.folders(of: endpoint.name)
        let new = endpoint.folders.filter { known[$0.name] == nil }
        for folder in new {
            let owner = (try? OwnerRule.check(folder: folder, recorded: nil))?.name ?? ""
            try context.state.write(
                FolderState(
                    endpoint: endpoint.name, folder: folder.name, version: folder.version, path: folder.path,
                    owner: owner, at: .now))
        }
        // Below a folder that a job has raised a new one is behind from the start.
        if !new.isEmpty { try refresh() }
    }

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

    /// Active folders below an ancestor that a job has raised above them.
    func behind() throws(StoreError) -> Set<String> {
        let states = try all()
        return Set(
            endpoint.activeFolders.map(\.name).filter { name in
                endpoint.ancestors(of: name).contains { ancestor in
                    // After a rollback of its only job the version is the configured one again, which raised nobody.
                    guard let above = states[ancestor], !above.update.isEmpty, let version = above.version else {
                        return false
                    }
                    guard let own = states[name]?.version else { return true }
                    return own < version
                }
            })
    }

    /// Test folders that a job has raised above an ancestor: they run programs of their own that the others do not have
    /// yet, until everything above them has caught up or they went back.
    private func diverged(_ states: [String: FolderState]) -> Set<String> {
        let tests = endpoint.activeFolders.filter { $0.role == .test }.map(\.name)
        return Set(
            tests.filter { name in
                guard let own = states[name], !own.update.isEmpty, let version = own.version else { return false }
                return endpoint.ancestors(of: name).contains { ancestor in
                    states[ancestor]?.version.map { $0 < version } ?? false
                }
            })
    }

    /// Siblings are worked on side by side, and each brings the states of all folders up to date: what one has read,
    /// another must not write meanwhile.
    private static let writing = Mutex(())

    /// Changes one folder's state.
    func change(_ folder: String, _ body: (inout FolderState) -> Void) throws(StoreError) {
        try Self.writing.withLock { (_) throws(StoreError) in try rewrite(folder, body) }
    }

    private func rewrite(_ folder: String, _ body: (inout FolderState) -> Void) throws(StoreError) {
        guard var state = try context.state.folder(folder, of: endpoint.name) else {
            throw StoreError("cannot change the state of \(endpoint.name)/\(folder): its state file is missing")
        }
        body(&state)
        try context.state.write(state)
    }

    /// Brings what follows from other folders up to date: `behind`, `recommendedVersion`, and the status of folders that
    /// no job is working on.
    func refresh() throws(StoreError) {
        try Self.writing.withLock { (_) throws(StoreError) in try bringUpToDate() }
    }

    /// The highest version done on the endpoint and not unstable.
    ///
    /// - Returns: also whether it is known; where not, what is recorded stays.
    private func recommended(_ states: [String: FolderState]) throws(StoreError) -> (isKnown: Bool, version: Version?) {
        let unstable: UnstableUpdates
        do throws(StoreError) {
            unstable = try context.state.unstable()
        } catch {
            context.logger.log(
                .marksDamaged, "the recommended version of \(endpoint.name) stays as it is: \(error)",
                EventFields(endpoint: endpoint.name))
            return (false, nil)
        }
        let done = states.values.filter { $0.job > 0 && !$0.patches.isEmpty || $0.previousVersion != nil }
        let highest = done.compactMap(\.version).max()
        var stable = done.compactMap { state in
            state.version.flatMap { unstable.contains(state.update, $0) ? nil : $0 }
        }
        if stable.max() != highest {
            // What is below an unstable version was done before it.
            for folder in endpoint.activeFolders.map(\.name) {
                let history = try context.state.history(folder, of: endpoint.name)
                let layers = Set(RollbackPlan.layers(history).map(\.job))
                let entries = history.filter { layers.contains($0.job) && $0.operation == .apply && $0.state == .done }
                stable += entries.compactMap { entry in
                    entry.to.flatMap { unstable.contains(entry.update, $0) ? nil : $0 }
                }
            }
        }
        return (highest != nil, stable.max())
    }

    private func bringUpToDate() throws(StoreError) {
        let states = try all()
        let behind = try behind()
        let diverged = diverged(states)
        let (isKnown, recommended) = try recommended(states)
        for folder in endpoint.activeFolders.map(\.name) {
            try rewrite(folder) { state in
                state.behind = behind.contains(folder)
                state.diverged = diverged.contains(folder)
                if isKnown { state.recommendedVersion = recommended }
                if state.status == .current || state.status == .behind {
                    state.status = state.behind ? .behind : .current
                }
            }
        }
    }
}
