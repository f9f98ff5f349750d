import PatchFiles
import PatchModel

/// Shows jobs as they go on: redrawn on a terminal, a line a change elsewhere.
struct JobView {
    private let directories: Directories
    private var known: [Int: Job]
    private var reading: PictureReading
    /// The last drawing, which is on the screen.
    private var drawn: [Line] = []
    /// Nil as long as no daemon was seen: on some file systems it never is.
    private var hasDaemon: Bool?

    /// - Parameter known: jobs of which only later changes are shown.
    init(_ directories: Directories, known: [Job] = []) {
        self.directories = directories
        self.known = Dictionary(known.filter(\.state.isFinal).map { ($0.job, $0) }) { first, _ in first }
        reading = PictureReading(directories)
    }

    /// Shows what has changed since the last time, and in a drawing how the time goes by.
    mutating func show(_ jobs: [Job]) {
        let changed = jobs.filter { known[$0.job] != $0 }
        let news = daemonNews(jobs)
        if Screen.mayDraw {
            draw(jobs, ended: changed.filter(\.state.isFinal), news: hasDaemon == false ? news ?? Self.gone : nil)
        } else {
            for line in changed.flatMap({ JobText.changes(from: known[$0.job], to: $0) }) { Output.line(line) }
            if let news { Notes.line(news) }
        }
        for job in changed { known[job.job] = job }
    }

    private mutating func draw(_ jobs: [Job], ended: [Job], news: String?) {
        let size = Screen.size ?? (24, 80)
        let now = Timestamp.now
        // What has ended stays above the drawing.
        let above = ended.flatMap { reading.picture(of: $0).lines(now: now, columns: size.columns, rows: .max) }
        var lines: [Line] = []
        let open = jobs.filter { !$0.state.isFinal }
        for (index, job) in open.enumerated() {
            let room = (size.rows - 1 - lines.count - (news == nil ? 0 : 1)) / (open.count - index)
            if room > 0 { lines += reading.picture(of: job).lines(now: now, columns: size.columns, rows: room) }
        }
        if let news { lines.append(Line(text: CellWidth.cut(news, to: size.columns - 1), colour: .yellow)) }
        lines = Array(lines.prefix(size.rows - 1))
        if above.isEmpty, lines == drawn { return }
        Output.redraw(above + lines, over: drawn.count)
        drawn = lines
    }

    private static let gone = "no daemon runs; the job continues when one is started"

    /// What there is to say of a daemon that went away or came back.
    private mutating func daemonNews(_ jobs: [Job]) -> String? {
        let runs = directories.hasDaemon()
        let before = hasDaemon
        if runs || before != nil { hasDaemon = runs }
        guard let before, before != runs, jobs.contains(where: { !$0.state.isFinal }) else { return nil }
        return runs ? "a daemon runs again" : Self.gone
    }
}
