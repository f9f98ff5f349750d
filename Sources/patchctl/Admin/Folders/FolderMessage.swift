import PatchModel

/// What there is to say of a folder in a job.
enum FolderMessage {
    static func text(_ folder: FolderJob, of job: Job) -> String {
        // Nothing failed above it: somebody ended the job before its turn came.
        if folder.state == .blocked, job.code == FaultCode.cancelled.rawValue || job.state == .cancelled,
            !job.folders.values.contains(where: { $0.state == .failed && $0.code != FaultCode.cancelled.rawValue })
        {
            return "the job was cancelled before its turn"
        }
        return folder.message.isEmpty ? folder.progress.step : folder.message
    }
}
