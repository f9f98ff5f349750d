import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Commands of admins that change what the endpoint owns.
extension EndpointSupervisor {
    /// Takes a folder as it is for a version.
    func baseline(_ folder: String, _ version: Version) async throws {
        if endpoint.folders.contains(where: { $0.name == folder && $0.database != nil }) {
            try await DatabaseWork(context: context, endpoint: endpoint).baseline(folder, version)
        }
        try change(folder, .baseline(version, at: .now))
        try compareStates()
        // Another folder may be behind now.
        await setLocks()
    }

    /// Folders that an admin leaves as they are: no part of the job any more. It may wait for long, and they need not.
    func leave(_ folders: [String], of job: Job) throws {
        for folder in folders {
            let stopped = job.folders[folder].map { $0.state == .failed } ?? false
            let done = job.folders[folder].map { "\($0.progress.done) of \($0.progress.total) steps" } ?? ""
            let message =
                stopped
                ? "left as it is when job \(job.job) (\(job.operation.rawValue) \(job.update) \(job.version)) had stopped in it after "
                    + "\(done); check it, then say which version it has: patchctl baseline \(name)/\(folder) VERSION"
                : ""
            try change(folder, .leave(message: message))
        }
        try compareStates()
        locksAreDue()
    }
}
