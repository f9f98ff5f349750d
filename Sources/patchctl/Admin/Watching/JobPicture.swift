import PatchModel

/// A job under way as a drawing: a line for what the whole waits for, and a line a folder. Values in, lines out.
struct JobPicture {
    let job: Job
    /// By folder its reference folder, from the plan; empty where that cannot be read.
    var parents: [String: String?] = [:]
    /// The folders in their tree's order.
    var order: [String] = []
    /// Until when applications may stay; nil where they have no such time now.
    var deadline: Timestamp?
    /// Who is still inside one of the folders.
    var inside: [String] = []
    /// Seconds that a folder needs at the speed seen so far.
    var left: [String: Double] = [:]

    /// The drawing: no line wider than the screen, as one that is wrapped could not be drawn over, and not more than there
    /// is room for: of many folders those that matter.
    func lines(now: Timestamp, columns: Int, rows: Int) -> [Line] {
        let width = columns - 1
        var lines = ([head(now)] + waits(now)).flatMap { line in
            Folding.lines(Printable.cell(line.text), within: width).prefix(Self.longest).map {
                Line(text: $0, colour: line.colour)
            }
        }
        let tree = TreeShape(names.map { ($0, parents[$0] ?? nil) }).rows
        let room = max(1, rows - lines.count)
        let shown = tree.count <= room ? nil : Set(ranked.prefix(max(0, room - 1)))
        let labels = tree.filter { shown?.contains($0.name) ?? true }.map { row in
            (name: row.name, label: shown == nil && columns >= 50 ? row.lead + row.name : row.name)
        }
        let length = min(labels.map { CellWidth.of($0.label) }.max() ?? 0, max(8, columns / 2))
        for (name, label) in labels {
            guard let folder = job.folders[name] else { continue }
            let cut = CellWidth.cut(label, to: length)
            let lead = cut + String(repeating: " ", count: length - CellWidth.of(cut))
            let text = [lead, bar(folder, columns), words(name, folder, now)].filter { !$0.isEmpty }
            lines.append(Line(text: text.joined(separator: columns < 40 ? " " : "  "), colour: colour(folder)))
        }
        if let shown { lines.append(Line(text: rest(besides: shown))) }
        return lines.map {
            Line(text: CellWidth.cut(Folding.trimmed(Printable.cell($0.text)), to: width), colour: $0.colour)
        }
    }

    /// Lines for one thing that is waited for.
    private static let longest = 3

    private var names: [String] {
        let known = order.filter { job.folders[$0] != nil }
        return known + Set(job.folders.keys).subtracting(known).sorted()
    }

    // What the whole does

    private func head(_ now: Timestamp) -> Line {
        let time =
            job.state == .running ? job.startedAt.map { " for \(Self.length(now.seconds(since: $0)))" } ?? "" : ""
        let colour: Stream.Colour = job.state == .failed ? .red : job.state == .done ? .green : .none
        return Line(
            text: "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(time)",
            colour: colour)
    }

    private func waits(_ now: Timestamp) -> [Line] {
        var texts: [String] = []
        if job.state == .waiting {
            let since = job.waitingSince.map { ", since \(LocalTime.brief($0, now: now))" } ?? ""
            texts.append("waits for \(LocalTime.localized(job.waitingFor, now: now))\(since)")
        }
        if job.state == .running, job.admittedAt == nil || job.triedAt != nil, let deadline {
            let left = deadline.seconds(since: now)
            let isAnnounced = job.disconnectedAt == nil && job.triedAt == nil
            let until =
                LocalTime.brief(deadline, now: now) + (left > 0 ? ", \(Self.length(left)) left" : ", which is over")
            texts.append((isAnnounced ? "applications may work until " : "applications have to leave until ") + until)
        }
        if job.state == .running, job.admittedAt == nil || job.triedAt != nil, !inside.isEmpty {
            let more = inside.count > 3 ? " and \(inside.count - 3) more" : ""
            texts.append("still inside: \(inside.prefix(3).joined(separator: ", "))\(more)")
        }
        if !job.state.isFinal, !job.message.isEmpty { texts.append(LocalTime.localized(job.message, now: now)) }
        return texts.map { Line(text: "  \($0)", colour: .yellow) }
    }

    // What a folder does

    /// Full only when the folder is: the last step is not the commit.
    private func bar(_ folder: FolderJob, _ columns: Int) -> String {
        let (length, progress) = (columns >= 70 ? 20 : max(5, (columns - 20) / 4), folder.progress)
        let isThrough = folder.state == .done || folder.state == .upToDate
        let share = progress.total > 0 ? min(length - 1, length * progress.done / progress.total) : 0
        // How far the way back is, is not counted.
        let counts = progress.total > 0 ? "\(progress.done)/\(progress.total)" : "-"
        if columns < 40 { return counts }
        let part = isThrough ? length : share
        let bar = "[" + String(repeating: "#", count: part) + String(repeating: ".", count: length - part) + "]"
        let digits = job.folders.values.map { "\($0.progress.total)".utf8.count * 2 + 1 }.max() ?? 1
        return bar + String(repeating: " ", count: max(1, digits - counts.utf8.count + 1)) + counts
    }

    private func words(_ name: String, _ folder: FolderJob, _ now: Timestamp) -> String {
        let message = LocalTime.localized(FolderMessage.text(folder, of: job), now: now)
        let version = folder.to.map { " \($0)" } ?? ""
        switch folder.state {
        case .pending:
            guard folder.message.isEmpty else { return message }
            guard let parent = parents[name] ?? nil, let above = job.folders[parent], above.state != .done,
                above.state != .upToDate
            else { return job.state == .running ? "has its turn next" : "waits" }
            return "waits for \(parent)"
        case .running:
            if folder.reverting == true { return "is put back" + (message.isEmpty ? "" : ": \(message)") }
            if folder.message.isEmpty, folder.progress.total > 0, folder.progress.done >= folder.progress.total {
                return "commits"
            }
            if message.isEmpty { return "begins" }
            let time = left[name].map { "about \(Self.length($0)) left" } ?? ""
            return [message, time].filter { !$0.isEmpty }.joined(separator: ", ")
        case .done: return job.operation == .apply ? "has\(version)" : "done"
        case .upToDate: return "has\(version) already"
        case .excluded: return "excluded"
        case .failed, .blocked, .reverted:
            return folder.state.rawValue + (message.isEmpty ? "" : ": \(message)")
        }
    }

    private func colour(_ folder: FolderJob) -> Stream.Colour {
        switch folder.state {
        case .failed: .red
        case .blocked, .reverted: .yellow
        case .done: .green
        default: .none
        }
    }

    // Which of many

    /// Those that somebody looks for first.
    private var ranked: [String] {
        func rank(_ name: String) -> Int {
            switch job.folders[name]?.state {
            case .failed: 0
            case .running: 1
            case .reverted: 2
            case .pending: (parents[name] ?? nil).map { job.folders[$0]?.state == .done } ?? true ? 3 : 4
            case .blocked: 5
            case .done: 6
            default: 7
            }
        }
        return names.enumerated().map { (rank($1), $0, $1) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    private func rest(besides shown: Set<String>) -> String {
        let hidden = job.folders.filter { !shown.contains($0.key) }
        let counts = FolderJob.State.allCases.compactMap { state in
            let count = hidden.values.count(where: { $0.state == state })
            return count > 0 ? "\(count) \(state.rawValue)" : nil
        }
        return "and \(hidden.count) more: \(counts.joined(separator: ", "))"
    }

    /// `40 s`, `12 min`, `3 h 5 min`.
    static func length(_ seconds: Double) -> String {
        let seconds = Int(max(0, min(seconds, 1e8)).rounded())
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }
}
