import Logging
import PatchLedger
import PatchModel
import PatchStore

/// Undoing, deepest folder first.
extension TreeRun {
    /// Takes back what earlier jobs did; a parent when everything below it is through.
    ///
    /// - Parameter plans: of the rollback job.
    func rollBack(_ folders: [FolderPlan], afterEach: @escaping @Sendable () async -> Void) async throws {
        try await upwards(folders) { folder in
            try await rollBack(folder)
            await afterEach()
        }
    }

    /// Does something in each folder, deepest first, siblings side by side.
    func upwards(
        _ folders: [FolderPlan], _ body: @escaping @Sendable (FolderPlan) async throws -> Void
    ) async throws {
        let plans = Dictionary(folders.map { ($0.folder, $0) }) { first, _ in first }
        func above(_ folder: String) -> FolderPlan? {
            endpoint.ancestors(of: folder).lazy.compactMap { plans[$0] }.first
        }
        // By folder, how many of those right below it are still to come.
        var open = Dictionary(grouping: folders) { above($0.folder)?.folder ?? "" }.mapValues(\.count)
        let most = mostBegun
        let problem = await withTaskGroup(of: Ended.self) { group -> (any Error)? in
            var problem: (any Error)?
            var due = folders.filter { open[$0.folder] == nil }
            var begun = 0
            func start() {
                while !due.isEmpty, begun < most, problem == nil {
                    let folder = due.removeFirst()
                    begun += 1
                    group.addTask {
                        do {
                            try await body(folder)
                            return Ended(folder: folder.folder)
                        } catch {
                            return Ended(folder: folder.folder, problem: error)
                        }
                    }
                }
            }
            start()
            while let done = await group.next() {
                begun -= 1
                problem = problem ?? done.problem
                if let next = above(done.folder), let count = open[next.folder] {
                    open[next.folder] = count - 1
                    if count == 1 { due.append(next) }
                }
                start()
            }
            return problem
        }
        if let problem { throw problem }
    }

    /// What has ended in a folder.
    private struct Ended: Sendable {
        let folder: String
        /// Why it did not work; the others are not cut off for it.
        var problem: (any Error)?
    }

    /// Undoes what a job did in a folder, from that job's own ledger.
    ///
    /// - Returns: whether the folder is as it was before; if not, it is failed and says why.
    func revert(_ folder: FolderPlan, job undone: Int) async throws -> Bool {
        let name = folder.folder
        guard let job = await jobs.job(undone) else { return false }
        var (code, reason) = (job.folders[name]?.code ?? "", job.folders[name]?.message ?? "")
        // Another job that is over holds the folder as failed until it is back, so that a crash finds it held.
        if undone == number { try await jobs.apply(.revert, to: name, of: undone) }
        try await supervisor.change(name, .revert(job: undone, trace: false))
        context.logger.log(
            .folderReverting, "\(endpoint.name)/\(name): goes back to \(folder.from?.description ?? "its old version")",
            fields(name, job))
        do {
            try work.resume(undone, name)
            let summary = try await undoProgress(undone, folder).shown {
                try await work.run(.revert, job, name) { $0.outcome == .reverted }
            }
            // What the job's file says may be why an earlier try to go back failed, or nothing any more.
            if let cause = summary.cause { (code, reason) = (cause.code.rawValue, cause.message) }
        } catch {
            // What the daemon itself could not write is tried again; what is damaged would not be read the next time either.
            if undone == number, Self.isTriedAgain(error) { throw StoreError("\(error)") }
            let fault = error as? Fault ?? Fault(folder: name, .io, "\(error)")
            try await fail(folder, fault, in: undone)
            return false
        }
        context.state.renderTrace(job: undone, folder: name)
        reason = Fault.messageAfterRevert(reason)
        let before = try states.before([undone], in: name)
        try await supervisor.change(
            name,
            .reverted(
                to: folder.from, update: before.update, patches: before.patches, message: reason, at: context.clocks.now
            ))
        try history(folder, .reverted, of: job)
        try await supervisor.compareStates()
        try await jobs.apply(.reverted(code: code, message: reason), to: name, of: undone)
        context.logger.log(
            .folderReverted, "\(endpoint.name)/\(name): is as it was before job \(undone)", fields(name, job))
        return true
    }

    private static func isTriedAgain(_ error: any Error) -> Bool {
        switch error {
        case LedgerError.file: true
        case is Fault, is LedgerError: false
        default: true
        }
    }

    func rollBack(_ folder: FolderPlan) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number), ![.done, .failed, .blocked].contains(job.folders[name]?.state)
        else { return }
        // What lies above a folder that could not go back stays where it is, too.
        let below = endpoint.descendants(of: name)
        if below.contains(where: { job.folders[$0]?.state == .failed || job.folders[$0]?.state == .blocked }) {
            try await jobs.apply(.block(message: "a folder below it could not be rolled back"), to: name, of: number)
            return
        }
        try await jobs.apply(.begin, to: name, of: number)
        try await supervisor.change(name, .revert(job: number, trace: true))
        context.logger.log(
            .folderReverting, "\(endpoint.name)/\(name): from \(folder.from?.description ?? "?") back to \(folder.to)",
            fields(name, job))
        do {
            _ = try await undoProgress(number, folder).shown {
                try await work.run(.revert, job, name) { $0.outcome == .reverted }
            }
            try await commitRollback(folder, context.state.orderOutline(job: number, folder: name)?.undone ?? [])
        } catch {
            try await fail(folder, error as? Fault ?? Fault(folder: name, .io, "\(error)"))
        }
    }

    func commitRollback(_ folder: FolderPlan, _ undone: [Int]) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return }
        context.state.renderTrace(job: number, folder: name)
        let before = try states.before(undone, in: name)
        try await supervisor.change(
            name, .rolledBack(to: folder.to, update: before.update, patches: before.patches, at: context.clocks.now))
        try history(folder, .done, of: job, undone: undone)
        try await supervisor.compareStates()
        // A job that held this folder holds it no more.
        for number in undone where await jobs.job(number) != nil {
            try await jobs.apply(.undone(folder: name), to: number)
        }
        try await jobs.apply(.finish, to: name, of: number)
        context.logger.log(.folderReverted, "\(endpoint.name)/\(name): has \(folder.to) again", fields(name, job))
    }

    private func undoProgress(_ job: Int, _ folder: FolderPlan) -> Progress {
        Progress(
            jobs: jobs, work: work, job: job, folder: folder, supervisor: supervisor, quiesce: quiesce, isUndo: true)
    }
}
