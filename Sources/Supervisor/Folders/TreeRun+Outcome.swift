import Logging
import PatchLedger
import PatchModel
import PatchStore

/// What is recorded when a folder is through, well or not.
extension TreeRun {
    func commit(_ folder: FolderPlan, _ summary: LedgerSummary) async throws {
        let name = folder.folder
        guard let job = await jobs.job(number) else { return }
        try await supervisor.changeAndCompare(
            name, .updated(to: folder.to, update: job.update, patches: folder.patches, at: context.clocks.now))
        try history(folder, .done, of: job)
        try await jobs.apply(.finish, to: name, of: number)
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
        try await supervisor.change(name, .fail(message: fault.message, at: context.clocks.now))
        if let job = await jobs.job(number) { try history(folder, .failed, of: job) }
        // A ledger that cannot be read is perhaps why it failed; that it failed is recorded all the same.
        let summary = try? work.summary(number, name)
        let finished = summary.map { $0.finished.union($0.equal).count }
        let job = try await jobs.apply(
            .fail(code: fault.code, message: fault.message, done: finished), to: name, of: number)
        var fields = fields(name, job)
        fields.code = fault.code.rawValue
        if case .failed(let step?, _, _) = summary?.outcome, folder.steps.indices.contains(step) {
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
                to: back ? folder.from : folder.to, state: state, at: context.clocks.now, undone: undone,
                effect: state == .done && job.rollback == nil ? .init(folder, of: job.update) : nil),
            folder: folder.folder, of: endpoint.name)
    }

    /// Also those below that belong to a later part of the job.
    func block(below name: String) async throws {
        guard let before = await jobs.job(number) else { return }
        // After a crash some are blocked already, or were taken back.
        let below = endpoint.descendants(of: name).filter { before.folders[$0]?.state == .pending }
        var job = before
        let reason = Self.whyBlocked(below: name, before.folders[name])
        for child in below { job = try await jobs.apply(.block(message: reason), to: child, of: number) }
        for child in below {
            context.logger.log(
                .folderBlocked, "\(endpoint.name)/\(child): is blocked, \(reason)",
                fields(child, job))
        }
    }

    private static func whyBlocked(below name: String, _ folder: FolderJob?) -> String {
        if folder?.code == FaultCode.cancelled.rawValue {
            return "the job was cancelled in its reference folder \(name)"
        }
        return folder?.state == .pending
            ? "the job was cancelled before its reference folder \(name)" : "its reference folder \(name) failed"
    }

    func fields(_ folder: String, _ job: Job) -> EventFields {
        EventFields(job: number, endpoint: endpoint.name, folder: folder, update: job.update)
    }
}
