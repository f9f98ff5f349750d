import PatchModel

/// Says how it ended, and ends with the contract's code for it.
enum Ending {
    static func report(_ outcome: Outcome) throws {
        switch outcome {
        case .timeout: throw Failure(.waiting, "it has not ended yet; \"patchctl jobs\" shows where it stands")
        case .noDaemon:
            throw Failure(
                .noDaemon, "no daemon runs; the archive stays in the spool until one takes it. Is patchd running?")
        case .refused(let note): throw Failure(.refused, "refused: \(note.code): \(note.reason)")
        case .jobs(let jobs):
            for job in jobs {
                Output.line("job \(job.job) on \(job.endpoint): \(job.state.rawValue)")
                for warning in job.warnings ?? [] { Notes.error("job \(job.job): warning: \(warning)") }
                if !job.message.isEmpty { Notes.error("job \(job.job): \(job.message)") }
                if job.state == .failed { Notes.line("see: patchctl show \(job.job)") }
                if job.state == .pendingApproval { Notes.line("approve it with: patchctl approve \(job.job)") }
            }
            let status = status(of: jobs)
            if status == .nothingToDo { Notes.line("there was nothing to do") }
            if status != .fine { throw status.exit }
        }
    }

    /// The worst of several.
    static func status(of jobs: [Job]) -> ExitStatus {
        if jobs.contains(where: { [.failed, .declined, .cancelled].contains($0.state) }) { return .failed }
        if jobs.contains(where: { $0.state == .pendingApproval }) { return .pendingApproval }
        let idle: Set<FolderJob.State> = [.upToDate, .excluded]
        let isIdle = jobs.allSatisfy { job in job.folders.values.allSatisfy { idle.contains($0.state) } }
        return isIdle ? .nothingToDo : .fine
    }
}
