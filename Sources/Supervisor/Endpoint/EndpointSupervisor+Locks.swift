import Logging
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// The locks of an endpoint's folders. What they should be is computed in one place (``WantedDowntime``), and carried out here.
extension EndpointSupervisor {
    /// A lock for each active folder of the configuration in effect.
    func takeUpLocks() {
        var taken: [String: FolderLock] = [:]
        for folder in endpoint.activeFolders {
            if let lock = locks[folder.name], lock.folder.path == folder.path {
                taken[folder.name] = lock
            } else {
                taken[folder.name] = FolderLock(folder, thread: context.threads.thread(of: folder), watch: stores.watch)
            }
        }
        locks = taken
    }

    /// What should be locked now.
    func wantedDowntime() async throws -> WantedDowntime {
        WantedDowntime(endpoint: endpoint, jobs: await stores.jobs.live(on: name), states: try folderStates())
    }

    /// Makes the locks what jobs and states demand.
    ///
    /// - Returns: by folder, why its lock is not what it should be. That is logged, and tried again.
    @discardableResult
    func setLocks() async -> [String: Fault] {
        do {
            try await computeLocks()
        } catch {
            context.logger.log(
                .cannotUnlock, "cannot tell which folders of \(name) are to be locked: \(error)",
                EventFields(endpoint: name))
            return [:]
        }
        return await settleLocks()
    }

    /// Says to each folder's lock what it should be.
    private func computeLocks() async throws {
        let (live, revision) = await stores.jobs.snapshot(of: name)
        // A call that began later has said it already.
        if revision < lockRevision { return }
        lockRevision = revision
        var wanted = WantedDowntime(endpoint: endpoint, jobs: live, states: try folderStates()).locks
        if let damaged = stores.jobs.damaged(on: name) {
            wanted.merge(await locks(for: damaged, besides: wanted)) { known, _ in known }
        }
        for (folder, lock) in locks { lock.want(wanted[folder]) }
    }

    /// Of an endpoint of whose jobs one cannot be read: what is locked stays locked.
    private func locks(for damaged: DamagedJob, besides wanted: [String: UpdateLock]) async -> [String: UpdateLock] {
        var kept: [String: UpdateLock] = [:]
        for (folder, lock) in locks where wanted[folder] == nil {
            guard let (isThere, found) = try? await lock.found(), isThere else { continue }
            let state = states?[folder]
            kept[folder] =
                found
                ?? UpdateLock(
                    endpoint: name, folder: folder, phase: .failed, update: state?.update ?? "", from: state?.version,
                    to: nil,
                    job: damaged.job, since: state?.updatedAt ?? context.clocks.now, message: damaged.message)
        }
        return kept
    }

    /// Locks parents before their children, and unlocks children before their parents; folders of one level side by side, so
    /// that a file system that hangs delays those below it only.
    private func settleLocks() async -> [String: Fault] {
        var problems: [String: Fault] = [:]
        var levels: [[FolderLock]] = []
        for folder in endpoint.activeFolders {
            let depth = endpoint.ancestors(of: folder.name).count
            while levels.count <= depth { levels.append([]) }
            if let lock = locks[folder.name], lock.isUnsettled { levels[depth].append(lock) }
        }
        for (level, locking) in levels.map({ ($0, true) }) + levels.reversed().map({ ($0, false) }) {
            let due = level.filter { $0.isWanted == locking }
            if due.isEmpty { continue }
            let results = await withTaskGroup(of: FolderLock.Settlement.self) { group in
                for lock in due { group.addTask { await lock.settlement() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for settled in results.sorted(by: { $0.folder < $1.folder }) {
                switch settled.result {
                case .success(let change): note(change, in: settled.folder)
                case .failure(let fault):
                    problems[settled.folder] = fault
                    note(fault, in: settled.folder)
                }
            }
        }
        showVersions()
        return problems
    }

    /// Unlocks a folder that is the endpoint's no more.
    ///
    /// - Returns: why it is still locked; that is tried again.
    func unlock(_ folder: String) async -> Fault? {
        guard let lock = locks[folder] else { return nil }
        lock.want(nil)
        do {
            note(try await lock.settle(), in: folder)
        } catch {
            let fault = error as? Fault ?? Fault(folder: folder, .io, "\(error)")
            note(fault, in: folder)
            return fault
        }
        locks[folder] = nil
        lockProblems[folder] = nil
        return nil
    }

    private func note(_ change: FolderLock.Change, in folder: String) {
        lockProblems[folder] = nil
        switch change {
        case .none: return
        case .locked(let lock, let isNew):
            context.metrics.show(lock, isNew: isNew, in: folder, of: name, at: context.clocks.now)
            if isNew { log(.folderLocked, "is locked (\(lock.code), \(lock.phase.rawValue))", folder, lock) }
            showLater(lock, in: folder)
        case .unlocked(let before):
            context.metrics.show(nil, in: folder, of: name, at: context.clocks.now)
            log(.folderUnlocked, "is unlocked", folder, before)
            showLater(nil, in: folder)
        }
    }

    private func note(_ fault: Fault, in folder: String) {
        if lockProblems[folder] != fault.message {
            log(.cannotUnlock, fault.message, folder, locks[folder]?.current)
        }
        // A new one is tried again after a while; one that is known has its turn already.
        if lockProblems.updateValue(fault.message, forKey: folder) == nil { upkeep.raise() }
    }

    /// Makes room for the locks of these folders, side by side.
    func reserveLocks(in folders: Set<String>) async -> [Fault] {
        let due = folders.sorted().compactMap { locks[$0] }
        return await withTaskGroup(of: Fault?.self) { group in
            for lock in due {
                group.addTask {
                    do {
                        try await lock.reserve()
                        return nil
                    } catch {
                        return error as? Fault ?? Fault(folder: lock.folder.name, .io, "\(error)")
                    }
                }
            }
            return await group.reduce(into: [Fault]()) { all, fault in if let fault { all.append(fault) } }
        }
    }

    /// Writes again the locks that somebody touched, and tries again what could not be written.
    func restoreLocks() async {
        if !lockProblems.isEmpty { _ = await settleLocks() }
        let locked = locks.values.filter { $0.current != nil }.sorted { $0.folder.name < $1.folder.name }
        let results = await withTaskGroup(of: FolderLock.Restoration.self) { group in
            for lock in locked { group.addTask { await lock.restoration() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for restored in results {
            let folder = restored.folder
            switch restored.result {
            case .success(false): break
            case .success(true):
                guard let count = restorations.note(folder, at: context.clocks.seconds) else { continue }
                let more = count > 1 ? " (\(count) times since this was last said)" : ""
                log(
                    .lockRestored, "is still locked: \(UpdateLock.fileName) was touched and is restored\(more)", folder,
                    locks[folder]?.current)
            case .failure(let fault): note(fault, in: folder)
            }
        }
    }

    private func log(_ event: Event, _ text: String, _ folder: String, _ lock: UpdateLock?) {
        context.logger.log(
            event, "\(name)/\(folder) \(text)",
            EventFields(job: lock?.job, endpoint: name, folder: folder, update: lock?.update ?? ""))
    }
}
