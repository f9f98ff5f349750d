import PatchLedger
import PatchModel

/// Folders that are changed while applications work in them, as far as that goes (contract §8, `trying`).
extension TreeRun {
    /// Brings a folder as far as it can while applications work in it; then they leave, if there is more to do.
    ///
    /// - Throws: ``Fault`` when the folder failed, or somebody stays inside.
    func tryOut(_ folder: FolderPlan, _ job: Job, _ progress: Progress) async throws {
        let name = folder.folder
        guard await jobs.job(number)?.isTrying(name) == true else { return }
        let summary = try await progress.shown {
            try await work.run(.tryout, job, name) { $0.outcome == .done || $0.yielded != nil }
        }
        if summary.outcome == .done { return }
        let told = try await downtime.disconnect(name, by: summary.yielded?.by ?? [], in: number)
        try jobs.ledgers.admit(number, name, told: told)
    }
}
