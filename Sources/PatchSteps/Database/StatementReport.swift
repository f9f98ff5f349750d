import PatchSQL

/// What the trace shows of a script in SQL: the first statements, every n-th, the slow ones, those that return rows, and
/// the one that fails. A line for each of 60,000 would take longer than they do.
final class StatementReport {
    private let every: Int
    private let write: (String) -> Void
    /// The statement that runs, where no line of it was written yet.
    private var silent: SQLStatement?
    private var begun = ContinuousClock.now
    /// How many more lines of returned rows are written.
    private var linesLeft = 1000

    /// How many statements at the beginning have a line each.
    static let first = 20
    /// About how many more have one.
    static let more = 100
    /// A statement that takes longer than this has one in any case.
    static let slow = Duration.seconds(1)

    /// - Parameters:
    ///   - total: how many statements the script has.
    ///   - write: adds a line to the trace.
    init(total: Int, write: @escaping (String) -> Void) {
        every = max(1, total / Self.more)
        self.write = write
    }

    /// Takes in what happened.
    func add(_ event: ScriptEvent) {
        switch event {
        case .started(let statement):
            begun = .now
            silent = statement
            if statement.number <= Self.first || statement.number % every == 0 { show() }
        case .finished(_, let result): add(result, after: ContinuousClock.now - begun)
        case .skipped(let statement, let why): write("statement \(statement.number) is left out: \(why)")
        case .committed(let count): write("committed: \(count) statements")
        }
    }

    /// What a statement did in a time.
    func add(_ result: StatementResult, after time: Duration) {
        let isSlow = time > Self.slow
        if isSlow || result.rows > 0 && linesLeft > 0 { show() }
        guard silent == nil else { return }
        for line in result.output.prefix(linesLeft) { write("  \(line)") }
        if result.rows > min(result.output.count, linesLeft) { write("  … \(result.rows) rows") }
        linesLeft -= min(result.output.count, linesLeft)
        if result.changes > 0 { write("  \(result.changes) rows changed") }
        if isSlow { write("  took \(time.components.seconds) s") }
    }

    /// The statement that ran last has failed.
    func fail() { show() }

    private func show() {
        guard let statement = silent else { return }
        write("statement \(statement.number), line \(statement.line): \(statement.summary)")
        silent = nil
    }
}
