import PatchModel

/// Where a folder's work stands, as its ledger tells it.
public struct LedgerSummary: Sendable {
    /// How the last worker left the folder.
    public enum Outcome: Hashable, Sendable {
        /// Nothing was changed yet.
        case untouched
        /// Everything is staged and durable, nothing live is changed.
        case prepared
        /// In mid-work: a worker has to be started again.
        case unfinished
        /// Stopped; an admin is needed.
        case failed(step: Int?, code: FaultCode, message: String)
        /// Done and durable.
        case done
        /// Undone and durable.
        case reverted
    }

    /// What the survey found; nil before it.
    public private(set) var survey: (faults: [Fault], warnings: [String])?
    /// Steps whose effect was there already.
    public private(set) var equal: Set<Int> = []
    /// By step.
    public private(set) var slots: [Int: StepSlot] = [:]
    /// Whether ``LedgerRecord/prepared`` was recorded.
    public private(set) var isPrepared = false
    /// Steps recorded as finished.
    public private(set) var finished: Set<Int> = []
    /// By step, why a hook failed whose failure is none of the folder's.
    public private(set) var warnings: [Int: String] = [:]
    /// The script that was started last and not finished, and its attempt.
    public private(set) var started: (step: Int, attempt: Int)?
    /// Scripts that were ever started.
    public private(set) var ran: Set<Int> = []
    /// Whether the job came to its end, whatever was undone since.
    public private(set) var wasDone = false
    /// Whether the way back was begun: only ``LedgerRecord/reverted`` can be its end.
    public private(set) var isReverting = false
    /// Why the folder failed, as long as no further step was taken: on the way back, what led to that.
    public private(set) var cause: (code: FaultCode, message: String)?
    /// By job, the steps recorded as undone.
    public private(set) var undone: [Int: Set<Int>] = [:]
    /// The downgrade that was started last and not finished, and its attempt.
    public private(set) var undoing: (job: Int, step: Int, attempt: Int)?
    /// Whether the job's slots were removed.
    public private(set) var isForgotten = false
    /// By step, the statements of scripts in SQL.
    public private(set) var statements: [Int: [String]] = [:]
    /// The copy of the database that was made before the first change.
    public private(set) var backup: DatabaseBackup?
    /// Jobs whose copy of the database was put back.
    public private(set) var restored: Set<Int> = []
    /// How often somebody was found who has the database in use, and who that was last.
    public private(set) var inUse: (count: Int, by: [Blocker], ends: Bool) = (0, [], false)
    /// Who was found in the way of the step under way; nobody once a step was begun or ended since.
    public private(set) var inTheWay: [Blocker] = []
    /// Why applications must leave before the folder is gone on with; nil where they need not, or have.
    public private(set) var yielded: (step: Int?, by: [Blocker])?
    /// When applications that could work in the folder meanwhile were told to leave, which they did; nil before that.
    public private(set) var admittedAt: Timestamp?
    /// What a verify found; nil before it.
    public private(set) var verified: (changed: [String], missing: [String])?
    /// What a plan has to know of the folder; nil before a worker looked.
    public private(set) var facts: FolderFacts?
    /// How often a rehearsal was begun.
    public private(set) var rehearsals = 0
    /// What came out of the rehearsal; nil before its end.
    public private(set) var rehearsal: FolderRehearsal?
    /// The last word.
    public private(set) var outcome = Outcome.untouched

    /// Whether something was recorded at all.
    public private(set) var isEmpty = true
    /// How many numbers of steps all records name.
    private(set) var weight = 0
    /// More than a job records. A few bytes stand for millions of numbers (``NumberRanges``), so that a folder's owner could fill
    /// the daemon's memory with a short ledger.
    static let weightLimit = 4 * NumberRanges.limit
    private let keepsSlots: Bool

    /// An empty ledger's.
    ///
    /// - Parameter keepsSlots: false for who only follows how far a folder is: ``slots`` stay empty then.
    public init(keepsSlots: Bool = true) { self.keepsSlots = keepsSlots }

    /// Reads the records in their order.
    public init(_ records: [LedgerRecord]) {
        self.init()
        for record in records { note(record) }
    }

    /// Adds one record.
    public mutating func note(_ record: LedgerRecord) {
        isEmpty = false
        switch record {
        case .surveyed(let faults, let warnings, let equal):
            weight += equal.count
            survey = (faults, warnings)
            self.equal = Set(equal)
        case .read(let statements): self.statements = statements
        case .backedUp(let backup): self.backup = backup
        case .inUse(_, let blockers, let ends):
            inUse = (inUse.count + 1, blockers, ends)
            inTheWay = blockers
        case .yielded(let step, let blockers):
            yielded = (step, blockers)
            inTheWay = blockers
            outcome = resting
        case .admitted(let at):
            admittedAt = at
            yielded = nil
        case .restored(let job): restored.insert(job)
        case .staged(let added):
            // Before everything is complete, staging starts again and says everything again.
            if !isPrepared { slots = [:] }
            keep(added)
        case .stagedMore(let added): keep(added)
        case .prepared:
            isPrepared = true
            outcome = .prepared
        case .started(let step, let attempt):
            started = (step, attempt)
            ran.insert(step)
            inTheWay = []
            cause = nil
            // What runs when the folder is done takes nothing of that back.
            if outcome != .done { outcome = .unfinished }
        case .finished(let steps):
            weight += steps.count
            finished.formUnion(steps)
            inTheWay = []
            started = nil
            cause = nil
            if outcome != .done { outcome = .unfinished }
        case .warned(let step, let message):
            finished.insert(step)
            warnings[step] = message
            started = nil
        case .failed(let step, let code, let message):
            outcome = .failed(step: step, code: code, message: message)
            if !isReverting { cause = (code, message) }
        case .resumed:
            started = nil
            undoing = nil
            // Applications may have come in again since.
            yielded = nil
            admittedAt = nil
            outcome = resting
        case .interrupted: outcome = resting
        case .done:
            wasDone = true
            outcome = .done
        case .reverting:
            isReverting = true
            outcome = .unfinished
        case .undoing(let job, let step, let attempt): undoing = (job, step, attempt)
        case .undone(let job, let steps):
            weight += steps.count
            undone[job, default: []].formUnion(steps)
            undoing = nil
        case .reverted: outcome = .reverted
        case .forgotten: isForgotten = true
        case .verified(let changed, let missing): verified = (changed, missing)
        case .found(let facts): self.facts = facts
        case .rehearsing(let attempt): rehearsals = attempt
        case .rehearsed(let rehearsal): self.rehearsal = rehearsal
        }
    }

    private var resting: Outcome { isPrepared || isReverting ? .unfinished : .untouched }

    private mutating func keep(_ added: [StepSlot]) {
        guard keepsSlots else { return }
        for slot in added { slots[slot.step] = slot }
    }
}

extension WorkOrder {
    /// This order's job as one to undo: what a rollback's order names, and what an automatic revert undoes. Nil for a
    /// rollback, which cannot itself be undone.
    ///
    /// - Parameter summary: what the job's ledger says.
    public func undoneJob(_ summary: LedgerSummary) -> UndoneJob? {
        guard undo.isEmpty else { return nil }
        return UndoneJob(
            job: job, update: update, plan: plan, isPrepared: summary.isPrepared, isDone: summary.wasDone,
            ran: summary.ran.sorted(), slots: summary.slots.values.sorted { $0.step < $1.step },
            backup: summary.backup, restoresDatabase: false)
    }
}
