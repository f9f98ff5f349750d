import PatchModel

/// A job under way, as lines of text.
enum JobText {
    /// A line for each state that is another one.
    static func changes(from before: Job?, to job: Job) -> [String] {
        var lines: [String] = []
        if before?.state != job.state || before?.waitingFor != job.waitingFor { lines.append(head(job)) }
        for (name, folder) in job.folders.sorted(by: { $0.key < $1.key })
        where before?.folders[name]?.state != folder.state {
            let message = folder.message.isEmpty ? "" : ": \(FolderMessage.text(folder, of: job))"
            lines.append("job \(job.job): \(name) \(folder.state.rawValue)\(message)")
        }
        return lines
    }

    private static func head(_ job: Job) -> String {
        let wait = job.waitingFor.isEmpty ? "" : " for \(LocalTime.localized(job.waitingFor, now: .now))"
        return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(wait)"
    }
}
