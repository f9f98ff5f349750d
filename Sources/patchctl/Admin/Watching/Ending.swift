import PatchModel

/// Says how it ended, and ends with the contract's code for it.
enum Ending {
    /// Failed folders that are quoted; `show` has all.
    private static let quoted = 5

    static func report(_ outcome: Outcome) throws {
        switch outcome {
        case .timeout: throw Failure(.waiting, "it has not ended yet; \"patchctl jobs\" shows where it stands")
        case .noDaemon:
            throw Failure(
                .noDaemon, "no daemon runs; the archive stays in the spool until one takes it. Is patchd running?")
        case .refused(let note): throw Failure(.refused, "refused: \(note.code): \(note.reason)")
        case .jobs(let jobs):
            for job in jobs { say(job) }
            let status = status(of: jobs)
            if status == .nothingToDo { Notes.line("there was nothing to do") }
            if status != .fine { throw status.exit }
        }
    }

    private static func say(_ job: Job) {
        Output.line("job \(job.job) on \(job.endpoint): \(job.state.rawValue)")
        for warning in job.warnings ?? [] { Notes.error("job \(job.job): warning: \(warning)") }
        if !job.message.isEmpty { Notes.error("job \(job.job): \(LocalTime.localized(job.message, now: .now))") }
        let failed = job.folders.filter { $0.value.state == .failed && !job.message.contains($0.value.message) }
        for (name, folder) in failed.sorted(by: { $0.key < $1.key }).prefix(quoted) {
            Notes.error("job \(job.job): \(name): \(folder.message)")
        }
        if let next = NextCommand.after(job) { Notes.line("next: \(next)") }
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
