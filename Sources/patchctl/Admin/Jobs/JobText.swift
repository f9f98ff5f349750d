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

    /// The job and its folders, each cut to the width of the screen: a line that is wrapped could not be drawn over.
    static func drawing(_ job: Job, _ columns: Int) -> [String] {
        let width = job.folders.keys.map(\.count).max() ?? 0
        let folders = job.folders.sorted { $0.key < $1.key }.map { name, folder in
            let padded = name + String(repeating: " ", count: width - name.count)
            return "  \(padded)  \(bar(folder))  \(folder.state.rawValue)  \(FolderMessage.text(folder, of: job))"
        }
        return ([head(job)] + folders).map { String(Printable.cell($0).prefix(columns - 1)) }
    }

    private static func head(_ job: Job) -> String {
        let wait = job.waitingFor.isEmpty ? "" : " for \(job.waitingFor)"
        return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(wait)"
    }

    private static func bar(_ folder: FolderJob) -> String {
        let (length, progress) = (20, folder.progress)
        let isThrough = folder.state == .done || folder.state == .upToDate
        let part = isThrough ? length : progress.total > 0 ? min(length, length * progress.done / progress.total) : 0
        // How far the way back is, is not counted.
        let counts = progress.total > 0 ? "\(progress.done)/\(progress.total)" : "-"
        return "[" + String(repeating: "#", count: part) + String(repeating: ".", count: length - part) + "] \(counts)"
    }
}
