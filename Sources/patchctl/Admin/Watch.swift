import ArgumentParser
import Glibc
import PatchFiles
import PatchModel

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a job to its end, or everything that goes on; Ctrl-C stops watching, not the job.",
        discussion: """
            With JOB it ends with it: 0 done, 1 failed, declined or cancelled, 3 nothing to do, 6 waits for approval. On a \
            terminal the folders' progress is drawn; elsewhere, and with NO_COLOR, each change of a state is a line.
            """)

    @Argument(help: "The job's number; default: all that are not over.")
    var job: Int?

    @OptionGroup var directories: Directories

    func run() throws {
        if let job { _ = try directories.job(job) }
        var view = JobView(known: try directories.jobs().filter { $0.job != job })
        var isTold = false
        while true {
            // Before it is looked: what comes in between ends the wait.
            let jobs = try directories.jobs()
            let watch = try? DirectoryWatch(directories(jobs))
            let current = try directories.jobs().filter { job == nil || $0.job == job }
            view.show(current)
            if job != nil, let own = current.first, own.state.isFinal || own.state == .pendingApproval {
                return try Ending.report(.jobs([own]), stateOf: directories)
            }
            if job == nil, !isTold, current.allSatisfy(\.state.isFinal) { Notes.write("nothing goes on yet") }
            if !isTold, !directories.hasDaemon() { Notes.write("no daemon runs, so nothing will go on until one does") }
            isTold = true
            // The watch is a hint, and may not be had.
            if let watch { watch.wait(seconds: 1) } else { usleep(250_000) }
        }
    }

    private func directories(_ jobs: [Job]) -> [String] {
        let shown = jobs.filter { !$0.state.isFinal || $0.job == job }
        return ["\(directories.stateDir)/jobs"] + shown.map { "\(directories.stateDir)/jobs/\($0.job)" }
    }
}

/// Shows jobs as they go on: drawn anew on a terminal, a line a change elsewhere.
struct JobView {
    private var known: [Int: Job]
    /// How many lines of the last drawing are on the screen.
    private var drawn = 0

    /// - Parameter known: jobs of which only later changes are told.
    init(known: [Job]) {
        self.known = Dictionary(uniqueKeysWithValues: known.filter(\.state.isFinal).map { ($0.job, $0) })
    }

    /// Shows what has changed since the last time.
    mutating func show(_ jobs: [Job]) {
        let changed = jobs.filter { known[$0.job] != $0 }
        if changed.isEmpty { return }
        let lines = changed.flatMap { JobText.changes(from: known[$0.job], to: $0) }
        let isOver = { (job: Job) in job.state.isFinal }
        for job in changed { known[job.job] = job }
        guard Output.mayDraw else { return lines.forEach { Output.write(Printable.text($0)) } }
        erase()
        // What is over stays above the drawing.
        for job in changed.filter(isOver) { JobText.drawing(job, Self.size).forEach { Output.write($0) } }
        let drawing = jobs.filter { !$0.state.isFinal }.flatMap { JobText.drawing($0, Self.size) }
        let shown = drawing.prefix(Self.size.rows - 1)
        shown.forEach { Output.write($0) }
        drawn = shown.count
    }

    private mutating func erase() {
        if drawn > 0 { Output.draw("\u{1B}[\(drawn)A\u{1B}[J") }
        drawn = 0
    }

    private static var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 1, size.ws_col > 1 else {
            return (24, 80)
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}

/// What there is to say of a job that goes on.
enum JobText {
    /// A line for each state that is another one.
    static func changes(from before: Job?, to job: Job) -> [String] {
        var lines: [String] = []
        if before?.state != job.state || before?.waitingFor != job.waitingFor { lines.append(head(job)) }
        for (name, folder) in job.folders.sorted(by: { $0.key < $1.key })
        where before?.folders[name]?.state != folder.state {
            let message = folder.message.isEmpty ? "" : ": \(folder.message)"
            lines.append("job \(job.job): \(name) \(folder.state.rawValue)\(message)")
        }
        return lines
    }

    /// The job and its folders, each cut to the width of the screen: a line that is wrapped could not be drawn over.
    static func drawing(_ job: Job, _ size: (rows: Int, columns: Int)) -> [String] {
        let width = job.folders.keys.map(\.count).max() ?? 0
        let folders = job.folders.sorted { $0.key < $1.key }.map { name, folder in
            let padded = name + String(repeating: " ", count: width - name.count)
            let said = folder.message.isEmpty ? folder.progress.step : folder.message
            return "  \(padded)  \(bar(folder))  \(folder.state.rawValue)  \(said)"
        }
        return ([head(job)] + folders).map { line in
            let plain = Printable.text(line).map { $0 == "\n" || $0 == "\t" ? " " : $0 }
            return String(plain.prefix(size.columns - 1))
        }
    }

    private static func head(_ job: Job) -> String {
        let wait = job.waitingFor.isEmpty ? "" : " for \(job.waitingFor)"
        return "job \(job.job) on \(job.endpoint): \(job.update) \(job.version) \(job.state.rawValue)\(wait)"
    }

    private static func bar(_ folder: FolderJob) -> String {
        let (length, progress) = (20, folder.progress)
        let isThrough = folder.state == .done || folder.state == .upToDate
        let part = isThrough ? length : progress.total > 0 ? min(length, length * progress.done / progress.total) : 0
        let counts = "\(progress.done)/\(progress.total)"
        return "[" + String(repeating: "#", count: part) + String(repeating: ".", count: length - part) + "] \(counts)"
    }
}
