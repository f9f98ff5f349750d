import Logging
import PatchLedger
import PatchModel
import PatchStore

/// The hook `after` of folders that are done.
extension TreeRun {
    /// Runs what is still open of folders that are done, side by side: when a job goes on after all its folders were.
    func finish(_ folders: [FolderPlan]) async {
        guard let job = await jobs.job(number) else { return }
        // The daemon may have been killed between a folder's end and this.
        for folder in folders where job.folders[folder.folder]?.state == .done {
            context.state.renderTrace(job: number, folder: folder.folder)
        }
        await withDiscardingTaskGroup { group in
            for folder in folders where job.folders[folder.folder]?.state == .done {
                group.addTask { await finish(folder) }
            }
        }
    }

    /// Runs the hook unless that was done. The folder is done and free, so whatever becomes of the hook is told and
    /// changes nothing.
    func finish(_ folder: FolderPlan) async {
        let name = folder.folder
        guard let step = folder.number(of: .after), let job = await jobs.job(number) else { return }
        do {
            if try work.summary(number, name).finished.contains(step) {
                // Perhaps the power went between the ledger's record and the trace's way to the disk.
                return context.state.renderTrace(job: number, folder: name)
            }
            let summary = try await work.run(.finish, job, name) { $0.finished.contains(step) }
            context.state.renderTrace(job: number, folder: name)
            if let message = summary.warnings[step] { log(message, name, job) }
        } catch {
            log("\(error)", name, job)
        }
    }

    private func log(_ message: String, _ folder: String, _ job: Job) {
        var fields = fields(folder, job)
        fields.code = FaultCode.hook.rawValue
        fields.step = "hook \(Hook.after)"
        context.logger.log(
            .hookFailed, "\(endpoint.name)/\(folder): is done, but its hook \(Hook.after) failed: \(message)", fields)
    }
}
