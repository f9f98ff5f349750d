import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// The states of an endpoint's folders. The files are read once; each change is written before it counts.
extension EndpointSupervisor {
    /// What is known of a folder's directory.
    private struct Seen: Sendable {
        var owner: String
        var inode: UInt64?
    }

    /// A look at one folder; nil where it cannot be looked at.
    private struct Look: Sendable {
        let folder: String
        let seen: Seen?
    }

    /// Reads the states, and records folders that are new, were renamed or moved.
    ///
    /// - Throws: when the states cannot be read: that does not mean that there are none.
    func takeUpStates() async throws {
        var known = try context.state.folders(of: name)
        let seen = await look(at: endpoint.folders)
        for folder in endpoint.folders {
            let found = seen[folder.name]
            if let state = known[folder.name] {
                // The directory of a folder that is not configured any more under its old name is another one's now.
                guard state.path != folder.path || state.inode == nil && found?.inode != nil else { continue }
                guard let moved = try? state.after(.move(folder: folder.name, path: folder.path, inode: found?.inode))
                else { continue }
                if state.path != folder.path {
                    context.logger.log(
                        .folderMoved,
                        "\(name)/\(folder.name): its directory is \(folder.path) now, before it was \(state.path)",
                        EventFields(endpoint: name, folder: folder.name))
                }
                try context.state.write(moved)
                known[folder.name] = moved
            } else if let old = formerState(of: folder, found, in: known) {
                let renamed = try old.after(.move(folder: folder.name, path: folder.path, inode: found?.inode))
                try context.state.rename(old, to: renamed)
                known[old.folder] = nil
                known[folder.name] = renamed
                context.logger.log(
                    .folderMoved,
                    "\(name)/\(folder.name) was called \(old.folder) before: it keeps version and history",
                    EventFields(endpoint: name, folder: folder.name))
            } else {
                let former = try formerEndpoint(of: folder, found)
                if let former {
                    context.logger.log(
                        .folderMoved,
                        "\(name)/\(folder.name) was \(former.endpoint)/\(former.folder) before: it keeps its version, "
                            + "\(former.version?.description ?? "which is unknown"), and is rolled back below it no more",
                        EventFields(endpoint: name, folder: folder.name))
                }
                let state = FolderState(
                    endpoint: name, folder: folder.name, version: former.map(\.version) ?? folder.version,
                    path: folder.path,
                    owner: found?.owner ?? "", inode: found?.inode, at: context.clocks.now)
                try context.state.write(state)
                known[folder.name] = state
            }
        }
        states = known
        context.metrics.show(known, of: name, endpoint.folders.map(\.name))
        context.published.show(known, of: name, endpoint.folders.map(\.name))
        // Below a folder that a job has updated a new one is behind from the start.
        try compareStates()
    }

    /// The state of the directory under the name that it had before; nil where it had none, or that folder is still configured.
    private func formerState(of folder: Folder, _ seen: Seen?, in known: [String: FolderState]) -> FolderState? {
        known.values.filter { state in !endpoint.folders.contains { $0.name == state.folder } }
            .sorted { $0.folder < $1.folder }
            .first { state in
                if let inode = seen?.inode, let before = state.inode { return inode == before }
                return state.path == folder.path
            }
    }

    /// The state of the directory under an endpoint that is not configured any more; nil where it had none.
    private func formerEndpoint(of folder: Folder, _ seen: Seen?) throws -> FolderState? {
        let configured = context.configuration.endpoints.map(\.name)
        for other in try context.state.endpoints().sorted() where other != name && !configured.contains(other) {
            // One that cannot be read says nothing of this endpoint.
            for state in ((try? context.state.folders(of: other)) ?? [:]).values.sorted(by: { $0.folder < $1.folder }) {
                if let inode = seen?.inode, let before = state.inode {
                    if inode == before, state.path == folder.path { return state }
                } else if state.path == folder.path {
                    return state
                }
            }
        }
        return nil
    }

    /// Owner and inode of each folder's directory, each looked at on its own thread.
    private func look(at folders: [Folder]) async -> [String: Seen] {
        let work = folders.map { ($0, context.threads.thread(of: $0)) }
        return await withTaskGroup(of: Look.self) { group in
            for (folder, thread) in work {
                group.addTask {
                    let seen = try? await thread.run("look at") {
                        Seen(
                            owner: (try? OwnerRule.check(folder: folder, recorded: nil))?.name ?? "",
                            inode: (try? Directory.openWithoutLinks(folder.path).status())?.inode)
                    }
                    return Look(folder: folder.name, seen: seen)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.folder] = $1.seen }
        }
    }

    /// The states by folder. A command may ask before the endpoint is taken up.
    ///
    /// - Throws: when they cannot be read.
    func folderStates() throws -> [String: FolderState] {
        if let states { return states }
        let read = try context.state.folders(of: name)
        states = read
        return read
    }

    /// Changes one folder's state.
    func change(_ folder: String, _ event: FolderStateEvent) throws {
        let state = try folderState(folder)
        let next = try state.after(event)
        if next == state { return }
        try context.state.write(next)
        states?[folder] = next
        context.metrics.show(next)
        context.published.show(next)
    }

    /// Changes one folder's state, and with it what follows for the others: those below wait for it, so all is written at once.
    func changeAndCompare(_ folder: String, _ event: FolderStateEvent) throws {
        var next = try folderStates()
        next[folder] = try folderState(folder).after(event)
        try compare(next)
    }

    /// Brings what follows from other folders up to date: `behind`, `diverged`, `recommendedVersion`.
    func compareStates() throws { try compare(folderStates()) }

    private func folderState(_ folder: String) throws -> FolderState {
        guard let state = try folderStates()[folder] else {
            throw StoreError("cannot change the state of \(name)/\(folder): its state file is missing")
        }
        return state
    }

    /// - Parameter states: what is to be so, but for what follows from it.
    private func compare(_ states: [String: FolderState]) throws {
        let before = try folderStates()
        let relations = FolderRelations(endpoint: endpoint, states: states)
        let (behind, diverged) = (relations.behind, relations.diverged)
        let recommended = try recommendedVersion(states)
        // A folder that is not taken up yet, as at the first start, is compared when it is.
        var next = states
        for folder in endpoint.activeFolders.map(\.name) {
            next[folder] = try states[folder]?.after(
                .compare(
                    behind: behind.contains(folder), diverged: diverged.contains(folder), recommended: recommended))
        }
        let changed = next.values.filter { before[$0.folder] != $0 }.sorted { $0.folder < $1.folder }
        try context.state.write(changed, of: name)
        for state in changed {
            self.states?[state.folder] = state
            context.metrics.show(state)
            context.published.show(state)
            if state.recommendedVersion != before[state.folder]?.recommendedVersion {
                staleVersions.insert(state.folder)
            }
        }
        showVersions()
    }

    /// The highest version done on the endpoint and not unstable; nil within for none, nil where that is not known.
    private func recommendedVersion(_ states: [String: FolderState]) throws -> Version?? {
        let unstable: UnstableUpdates
        do throws(StoreError) {
            unstable = try context.state.unstable()
        } catch {
            context.logger.log(
                .marksDamaged, "the recommended version of \(name) stays as it is: \(error)",
                EventFields(endpoint: name))
            return nil
        }
        let done = states.values.filter { $0.job > 0 && !$0.patches.isEmpty || $0.previousVersion != nil }
        guard let highest = done.compactMap(\.version).max() else { return nil }
        var stable = done.compactMap { state in
            state.version.flatMap { unstable.contains(state.update, $0) ? nil : $0 }
        }
        if stable.max() != highest {
            // What is below an unstable version was done before it.
            for folder in endpoint.activeFolders.map(\.name) {
                let history = try context.state.history(folder, of: name)
                let layers = Set(RollbackPlan.layers(history).map(\.job))
                let entries = history.filter { layers.contains($0.job) && $0.operation == .apply && $0.state == .done }
                stable += entries.compactMap { entry in
                    entry.to.flatMap { unstable.contains(entry.update, $0) ? nil : $0 }
                }
            }
        }
        return .some(stable.max())
    }
}
