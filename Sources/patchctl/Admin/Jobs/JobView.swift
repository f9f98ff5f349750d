import PatchModel

/// Shows jobs as they go on: redrawn on a terminal, a line a change elsewhere.
struct JobView {
    private var known: [Int: Job]
    /// How many lines of the last drawing are on the screen.
    private var drawn = 0

    /// - Parameter known: jobs of which only later changes are shown.
    init(known: [Job]) {
        self.known = Dictionary(uniqueKeysWithValues: known.filter(\.state.isFinal).map { ($0.job, $0) })
    }

    /// Shows what has changed since the last time.
    mutating func show(_ jobs: [Job]) {
        let changed = jobs.filter { known[$0.job] != $0 }
        if changed.isEmpty { return }
        let lines = changed.flatMap { JobText.changes(from: known[$0.job], to: $0) }
        for job in changed { known[job.job] = job }
        guard Screen.mayDraw else { return lines.forEach { Output.line($0) } }
        let size = Screen.size ?? (24, 80)
        // What has ended stays above the drawing.
        let ended = changed.filter(\.state.isFinal).flatMap { JobText.drawing($0, size.columns) }
        let shown = jobs.filter { !$0.state.isFinal }.flatMap { JobText.drawing($0, size.columns) }.prefix(
            size.rows - 1)
        Output.redraw(ended + shown, over: drawn)
        drawn = shown.count
    }
}
