import Logging
import PatchLedger
import PatchModel
import PatchStore

/// What is recorded when a folder is through, well or not.
extension TreeRun {
    func commit(_ folder: FolderPlan, _ summary: LedgerSummary) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return }
        context.state.renderTrace(job: number, folder: name)
        try states.change(name) { state in
            if state.version != folder.to || state.update != job.update {
                if state.version != folder.to { state.previousVersion = state.version }
                state.updatedAt = .now
            }
            state.version = folder.to
            state.status = .current
            state.message = ""
            state.update = job.update
            state.patches = folder.patches
        }
        try history(folder, .done, of: job)
        try states.refresh()
        try await jobs.change(number) { job in
            job.folders[name]?.state = .done
            job.folders[name]?.code = ""
            job.folders[name]?.message = ""
            job.folders[name]?.progress = .init(done: folder.steps.count, total: folder.steps.count)
        }
        context.logger.log(
            .folderDone,
            "\(endpoint.name)/\(name): has \(folder.to), \(summary.finished.count) steps done, \(summary.equal.count) already up to date",
            fields(name, job))
    }

    /// - Parameter failed: the job that the folder failed in; nil for this one.
    func fail(_ folder: FolderPlan, _ fault: Fault, in failed: Int? = nil) async throws {
        let name = folder.folder
        let number = failed ?? number
        context.state.renderTrace(job: number, folder: name)
        try states.change(name) { state in
            state.status = .failed
            state.message = fault.message
            state.updatedAt = .now
        }
        if let job = await jobs.job(number) { try history(folder, .failed, of: job) }
        let summary = try work.summary(number, name)
        let finished = summary.finished.union(summary.equal).count
        let job = try await jobs.change(number) { job in
            job.folders[name]?.state = .failed
            job.folders[name]?.code = fault.code.rawValue
            job.folders[name]?.message = fault.message
            job.folders[name]?.progress = .init(done: finished, total: folder.steps.count)
        }
        var fields = fields(name, job)
        fields.code = fault.code.rawValue
        if case .failed(let step?, _, _) = summary.outcome, folder.steps.indices.contains(step) {
            fields.step = folder.steps[step].title
        }
        context.logger.log(
            .folderFailed,
            "\(endpoint.name)/\(name): failed (\(fault.code.rawValue)): \(fault.message); see: patchctl trace \(number) \(name)",
            fields)
    }

    func history(
        _ folder: FolderPlan, _ state: FolderJob.State, of job: Job, undone: [Int]? = nil
    ) throws(StoreError) {
        let back = state == .reverted
        try context.state.record(
            HistoryEntry(
                job: job.job, operation: job.operation, update: job.update, from: back ? folder.to : folder.from,
                to: back ? folder.from : folder.to, state: state, at: .now, undone: undone,
                effect: state == .done && job.rollback == nil ? .init(folder, of: job.update) : nil),
            folder: folder.folder, of: endpoint.name)
    }

    func block(below name: String, _ names: Set<String>) async throws {
        guard let before = await jobs.job(number) else { return }
        // After a crash some are blocked already, or were taken back.
        let below = endpoint.descendants(of: name).filter {
            names.contains($0) && before.folders[$0]?.state == .pending
        }
        let job = try await jobs.change(number) { job in
            for child in below {
                job.folders[child]?.state = .blocked
                job.folders[child]?.message = "its reference folder \(name) failed"
            }
        }
        for child in below {
            context.logger.log(
                .folderBlocked, "\(endpoint.name)/\(child): is blocked, its reference folder \(name) failed",
                fields(child, job))
        }
    }

    func fields(_ folder: String, _ job: Job) -> EventFields {
        EventFields(job: number, endpoint: endpoint.name, folder: folder, update: job.update)
    }
}
