import PatchModel
import PatchSQL

/// Takes down, while scripts run on a copy, how long each of their statements takes.
final class RehearsalRecorder {
    private(set) var statements: [FolderRehearsal.Statement] = []
    private(set) var leftOut = 0
    /// How long all steps took that will be run while the folder is locked.
    private(set) var seconds = 0.0
    /// The step that was begun last.
    private(set) var step: PlannedStep?
    /// False while scripts run for the second time.
    var isCounting = true
    private var stepBegun = ContinuousClock.now
    private var statementBegun = ContinuousClock.now
    private var hasStatements = false

    /// A step begins.
    func begin(_ step: PlannedStep) {
        self.step = step
        hasStatements = false
        stepBegun = .now
    }

    /// It has ended well.
    func end(_ step: PlannedStep) {
        let time = (ContinuousClock.now - stepBegun) / .seconds(1)
        guard isCounting, [.script, .rows].contains(step.kind) else { return }
        seconds += time
        if !hasStatements { add(.init(script: step.rehearsalName, line: 1, seconds: time.thousandths)) }
    }

    /// Something happened in a script in SQL.
    func add(_ event: ScriptEvent) {
        guard isCounting, let step else { return }
        switch event {
        case .started:
            hasStatements = true
            statementBegun = .now
        case .finished(let statement, _):
            let time = (ContinuousClock.now - statementBegun) / .seconds(1)
            add(
                .init(
                    script: step.rehearsalName, line: statement.line, seconds: time.thousandths,
                    summary: statement.summary))
        case .skipped, .committed: break
        }
    }

    /// Of twice as many as are kept, the faster half goes: a script of a million statements needs no more memory.
    private func add(_ statement: FolderRehearsal.Statement) {
        statements.append(statement)
        if statements.count >= 2 * FolderRehearsal.statementLimit { thin() }
    }

    /// Keeps the slowest, in their order.
    func thin() {
        let excess = statements.count - FolderRehearsal.statementLimit
        guard excess > 0 else { return }
        let fastest = statements.indices.sorted { statements[$0].seconds < statements[$1].seconds }.prefix(excess)
        let dropped = Set(fastest)
        statements = statements.indices.filter { !dropped.contains($0) }.map { statements[$0] }
        leftOut += excess
    }
}

extension PlannedStep {
    /// What a rehearsal's report calls a script, or a file of rows.
    var rehearsalName: String { kind == .script ? scriptPlace(isWayBack: false) : source }
}

extension Double {
    /// Rounded: a report has no more digits than mean something.
    var thousandths: Double { (self * 1000).rounded() / 1000 }
}
