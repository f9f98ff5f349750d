public import PatchModel

/// What a script is run as.
public struct ScriptRun: Hashable, Sendable {
    /// What is recorded.
    public var key: StepKey
    /// The version it is for.
    public var version: Version
    /// The job.
    public var job: Int
    /// Seconds that its statements may take together; waiting for locks does not count.
    public var seconds: Double

    /// A run from its parts.
    public init(
        _ key: StepKey, version: Version, job: Int, seconds: Double = .infinity
    ) {
        self.key = key
        self.version = version
        self.job = job
        self.seconds = seconds
    }
}

/// What is told while a script runs: for the trace and the progress.
public enum ScriptEvent: Hashable, Sendable {
    /// The statement is about to run; again, when its transaction had to be begun anew.
    case started(SQLStatement)
    /// It has run; what it did takes effect with its transaction.
    case finished(SQLStatement, StatementResult)
    /// It was left out, or moved before the transaction: why.
    case skipped(SQLStatement, String)
    /// A part of the script, or all of it, took effect for good.
    case committed(statements: Int)
}

extension Session {
    /// What keeps a script from being run, as far as its words tell; for preflight.
    public static func problems(of script: SQLScript) -> [SQLError] {
        zip(script.statements, actions(of: script)).compactMap { statement, action in
            guard case .refuse(let cause, let wayOut) = action else { return nil }
            return SQLError(.sql, "run \(script.name)", at: script.place(of: statement), cause, wayOut: wayOut)
        }
    }

    /// Runs a script, unless it is recorded as done. Each of its parts and the record of it take effect together, so
    /// after a crash it goes on with the first part that did not; a script with `-- patchd:transaction none` begins
    /// anew.
    ///
    /// - Parameters:
    ///   - onEvent: is told of each statement.
    ///   - tryAgain: asked when a lock of others is in the way, each time after the session's lock timeout: whether to
    ///     go on waiting. It sees to it that they leave.
    /// - Returns: false when there was nothing to do.
    /// - Throws: with the code `sql` where a statement is wrong, and `inUse`, `space`, `io`, `database`. Of the part
    ///   that failed nothing took effect.
    @discardableResult
    public func run(
        _ script: SQLScript, as run: ScriptRun, onEvent: (ScriptEvent) -> Void = { _ in },
        tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws(SQLError) -> Bool {
        if let problem = Self.problems(of: script).first { throw problem }
        do throws(SQLError) {
            try patiently(tryAgain) { () throws(SQLError) in
                try keepOthersOut()
                try prepareTables()
            }
            let marker = try marker(of: run.key)
            if marker?.isDone == true { return false }
            var work = ScriptWork(
                script: script, run: run, actions: Self.actions(of: script), hashes: ScriptHashes(script),
                left: run.seconds)
            if !script.isTransactional, Self.isScriptAtomic {
                try runPlain(&work, onEvent, tryAgain)
                return true
            }
            let done = marker?.statements ?? 0
            // An admin who sets the number of statements by hand leaves the hash empty.
            guard done == 0 || marker?.hash == "" || marker?.hash == script.hash(first: done) else {
                throw SQLError(
                    .sql, "run", "its first \(done) statements are done, but they are others in this file",
                    wayOut: "bring the file that was begun, or restore the database")
            }
            if done > 0 { try repeatSettings(of: script.statements[..<done]) }
            work.isUncertain = marker?.state == .executing
            let pieces = script.pieces(work.actions, isAtomic: Self.isScriptAtomic)
            for (index, piece) in pieces.enumerated() {
                let isLast = index == pieces.count - 1
                if piece.statements.upperBound <= done, !isLast { continue }
                if piece.reconnects, piece.statements.lowerBound > 0 {
                    try reconnect()
                    try keepOthersOut()
                }
                let isAlone = try runsAlone(piece, script)
                if isAlone {
                    try runAlone(script.statements[piece.statements.lowerBound], &work, isLast, onEvent, tryAgain)
                } else {
                    try patiently(tryAgain) { () throws(SQLError) in
                        try transaction(hoisting: work.hoisted(piece.statements)) { () throws(SQLError) in
                            for statement in script.statements[piece.statements] { try step(statement, &work, onEvent) }
                            try note(work, done: piece.statements.upperBound, isLast: isLast)
                        }
                    }
                }
                // Where each statement is a piece of its own, an event for each would be too many.
                if Self.isScriptAtomic || isAlone || isLast {
                    onEvent(.committed(statements: piece.statements.upperBound))
                }
            }
            return true
        } catch {
            rollback()
            throw script.naming(error, isAtomic: Self.isScriptAtomic)
        }
    }

    /// Whether a piece cannot be taken back: by its words, or because the database says so of its only statement.
    private func runsAlone(_ piece: ScriptPiece, _ script: SQLScript) throws(SQLError) -> Bool {
        if piece.isAlone { return true }
        guard piece.statements.count == 1, let only = piece.statements.first else { return false }
        return try runsAlone(script.statements[only])
    }

    /// Runs a statement that has no transaction: a record before it says that it may have taken effect, one behind it that
    /// it has.
    private func runAlone(
        _ statement: SQLStatement, _ work: inout ScriptWork, _ isLast: Bool, _ onEvent: (ScriptEvent) -> Void,
        _ tryAgain: (SQLError) -> Bool
    ) throws(SQLError) {
        let before = statement.number - 1
        try patiently(tryAgain) { () throws(SQLError) in
            if work.isUncertain {
                switch try tookEffect(statement) {
                case true?: return onEvent(.skipped(statement, "it had taken effect before it was cut off"))
                case false?: break
                case nil:
                    throw SQLError(
                        .sql, "run", at: work.script.place(of: statement),
                        "it was cut off, and the database does not show whether it took effect",
                        wayOut:
                            "look into the database, then set state to 'running', hash to '', and statements to "
                            + "\(statement.number) in the script's row of patchd_step where it did, to \(before) where it did "
                            + "not, and resume")
                }
            }
            try transaction { () throws(SQLError) in try note(work, done: before, isLast: false, isExecuting: true) }
            // Should it be cut off or fail now.
            work.isUncertain = true
            do throws(SQLError) {
                try step(statement, &work, onEvent)
            } catch {
                // Where this fails, too, it stays uncertain, and is looked at when it goes on.
                let noted: Void? =
                    hadNoEffect(statement)
                    ? try? transaction { () throws(SQLError) in try note(work, done: before, isLast: false) } : nil
                work.isUncertain = noted == nil
                throw error
            }
        }
        work.isUncertain = false
        try patiently(tryAgain) { () throws(SQLError) in
            try transaction { () throws(SQLError) in try note(work, done: statement.number, isLast: isLast) }
        }
    }

    /// Whether a statement that ran alone and has failed is known to have left nothing, or nothing any more.
    private func hadNoEffect(_ statement: SQLStatement) -> Bool {
        leftNothing(statement) || (try? tookEffect(statement)) == false
    }

    private func runPlain(
        _ work: inout ScriptWork, _ onEvent: (ScriptEvent) -> Void, _ tryAgain: (SQLError) -> Bool
    ) throws(SQLError) {
        let script = work.script
        try patiently(tryAgain) { () throws(SQLError) in
            try transaction { () throws(SQLError) in try note(work, done: 0, isLast: false) }
        }
        for (index, part) in script.parts.enumerated() {
            if index > 0 { try reconnect() }
            for statement in script.statements[part] {
                try patiently(tryAgain) { () throws(SQLError) in try step(statement, &work, onEvent) }
            }
            guard !isInTransaction else {
                throw SQLError(
                    .sql, "run", "it began a transaction and did not end it before it ended itself",
                    wayOut: "add a COMMIT")
            }
        }
        try patiently(tryAgain) { () throws(SQLError) in
            try transaction { () throws(SQLError) in try note(work, done: script.statements.count, isLast: true) }
        }
        onEvent(.committed(statements: script.statements.count))
    }

    private func step(
        _ statement: SQLStatement, _ work: inout ScriptWork, _ onEvent: (ScriptEvent) -> Void
    ) throws(SQLError) {
        switch work.actions[statement.number - 1] {
        case .skip(let why): return onEvent(.skipped(statement, why))
        case .hoist: return onEvent(.skipped(statement, "it ran before the transaction"))
        case .run, .alone, .refuse: break
        }
        onEvent(.started(statement))
        let begun = ContinuousClock.now
        let result = try execute(statement, seconds: work.left)
        work.left -= (ContinuousClock.now - begun) / .seconds(1)
        onEvent(.finished(statement, result))
    }

    /// Within a transaction.
    private func note(
        _ work: ScriptWork, done: Int, isLast: Bool, isExecuting: Bool = false
    ) throws(SQLError) {
        let run = work.run
        let state: StepMarker.State = isLast ? .done : isExecuting ? .executing : .running
        try write(
            StepMarker(
                run.key, version: run.version, state: state, job: run.job, statements: done,
                total: work.script.statements.count, hash: work.hashes.hash(first: done)))
    }

    /// Repeats what failed because something was in use: in a new session, once, where it was this session itself, and
    /// as long as `tryAgain` says where it was another.
    func patiently(
        _ tryAgain: (SQLError) -> Bool, _ body: () throws(SQLError) -> Void
    ) throws(SQLError) {
        var hasReconnected = false
        while true {
            do throws(SQLError) {
                return try body()
            } catch {
                // Within a script's own transaction a single statement cannot be repeated.
                guard error.code == .inUse, !isInTransaction else { throw error }
                if error.isOwn {
                    guard !hasReconnected else { throw error }
                    hasReconnected = true
                    try reconnect()
                } else {
                    guard tryAgain(error) else { throw error }
                }
            }
        }
    }
}

/// A script under way.
private struct ScriptWork {
    let script: SQLScript
    let run: ScriptRun
    let actions: [StatementAction]
    let hashes: ScriptHashes
    /// Seconds that its statements may still take.
    var left: Double
    /// Whether the first statement that is not done may have taken effect all the same.
    var isUncertain = false

    func hoisted(_ part: Range<Int>) -> [SQLStatement] {
        part.filter { actions[$0] == .hoist }.map { script.statements[$0] }
    }
}

extension SQLScript {
    /// Where a statement of this script is.
    func place(of statement: SQLStatement) -> SQLError.Place {
        .init(
            file: name, statement: statement.number, total: statements.count, line: statement.line,
            summary: statement.summary)
    }

    /// An error with the name of this script in it.
    ///
    /// - Parameter isAtomic: whether its statements take effect together.
    fileprivate func naming(_ error: SQLError, isAtomic: Bool) -> SQLError {
        var error = error
        error.doing = error.place == nil && error.doing != "run" ? "run \(name): \(error.doing)" : "run \(name)"
        error.place?.file = name
        error.place?.total = statements.count
        guard error.wayOut.isEmpty, error.code == .sql else { return error }
        error.wayOut =
            !isAtomic
            ? "what is before it took effect, and is not run again"
            : !isTransactional
                ? "what is before it took effect"
                : parts.count > 1
                    ? "nothing since the last patchd:reconnect took effect" : "nothing of the script took effect"
        return error
    }
}
