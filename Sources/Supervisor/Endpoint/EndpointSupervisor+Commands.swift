import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Commands of admins that change what the endpoint owns.
extension EndpointSupervisor {
    /// Takes a folder as it is for a version.
    ///
    /// - Parameter migrations: up to which all count as done; nil: nothing is said of them.
    func baseline(_ folder: String, _ version: Version, migrations: MigrationName? = nil) async throws {
        if endpoint.databaseOrder(of: folder)?.isKnown == true {
            try await DatabaseWork(context: context, endpoint: endpoint).baseline(
                folder, version, migrations: migrations)
        }
        try change(folder, .baseline(version, migrations: migrations, at: context.clocks.now))
        try compareStates()
        // Another folder may be behind now, and this one's tasks have nothing to wait for.
        await setLocks()
        try await startTasks()
    }

    /// Forgets folders that are no longer configured, in the middle of a job perhaps: they are unlocked, their units
    /// start, and nothing is remembered of them. What lies in their `.patchd` stays.
    ///
    /// - Parameter folder: nil for all of the endpoint's.
    func forget(_ folder: String?) async throws {
        let names = folder.map { [$0] } ?? endpoint.folders.map(\.name)
        // First what may fail and can be commanded again: until then nothing is forgotten.
        let before = endpoint
        drop(names)
        for name in names {
            if let fault = await unlock(name) {
                takeBack(before)
                takeUpLocks()
                await setLocks()
                throw fault
            }
        }
        for job in await stores.jobs.live(on: name) {
            for name in names where [.failed, .blocked].contains(job.folders[name]?.state) {
                try await stores.jobs.apply(.skip, to: name, of: job.job)
            }
        }
        for name in names where try folderStates()[name] != nil { try change(name, .leave(message: "forgotten")) }
        await setLocks()
        await waitUntilShown()
        try await startTasks()
        for name in names {
            try context.state.forget(name, of: self.name)
            states?[name] = nil
        }
        if folder == nil { try context.state.forget(name) } else { try context.state.write(inEffect: endpoint) }
    }

    /// Starts again what ran before and belongs to no folder that is still locked.
    private func startTasks() async throws {
        let locked = try await wantedDowntime().folders
        _ = try await Quiesce(context: context, endpoint: endpoint, table: stores.units).start(
            keeping: locked, job: nil)
    }

    /// Folders that an admin leaves as they are: no part of the job any more. It may wait for long, and they need not.
    func leave(_ folders: [String], of job: Job) throws {
        for folder in folders {
            let stopped = job.folders[folder].map { $0.state == .failed } ?? false
            // A rollback's steps are those of other jobs, and nobody counts them.
            let progress = job.folders[folder].map(\.progress)
            let done = progress.flatMap { $0.total > 0 ? " after \($0.done) of \($0.total) steps" : nil } ?? ""
            let message =
                stopped
                ? "left as it is when job \(job.job) (\(job.operation.rawValue) \(job.update) \(job.version)) had stopped in it"
                    + "\(done); check it, then say which version it has: patchctl baseline \(name)/\(folder) VERSION"
                : ""
            try change(folder, .leave(message: message))
        }
        try compareStates()
        locksAreDue()
    }
}
