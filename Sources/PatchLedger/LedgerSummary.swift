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
    }

    /// What is to be done; nil for an empty ledger.
    public private(set) var order: WorkOrder?
    /// What the survey found; nil before it.
    public private(set) var survey: (faults: [Fault], warnings: [String])?
    /// Steps whose effect was there already.
    public private(set) var equal: Set<Int> = []
    /// By step.
    public private(set) var slots: [Int: LedgerRecord.Slot] = [:]
    /// Whether ``LedgerRecord/prepared`` was recorded.
    public private(set) var isPrepared = false
    /// Steps recorded as finished.
    public private(set) var finished: Set<Int> = []
    /// The script that was started last and not finished, and its attempt.
    public private(set) var started: (step: Int, attempt: Int)?
    /// The last word.
    public private(set) var outcome = Outcome.untouched

    /// Reads the records in their order.
    public init(_ records: [LedgerRecord]) {
        for record in records {
            switch record {
            case .begin(let order): self.order = order
            case .surveyed(let faults, let warnings, let equal):
                survey = (faults, warnings)
                self.equal = Set(equal)
            case .staged(let added): for slot in added { slots[slot.step] = slot }
            case .prepared:
                isPrepared = true
                outcome = .prepared
            case .started(let step, let attempt):
                started = (step, attempt)
                outcome = .unfinished
            case .finished(let steps):
                finished.formUnion(steps)
                started = nil
                outcome = .unfinished
            case .failed(let step, let code, let message):
                outcome = .failed(step: step, code: code, message: message)
            case .resumed:
                started = nil
                outcome = isPrepared ? .unfinished : .untouched
            case .interrupted: outcome = isPrepared ? .unfinished : .untouched
            case .done: outcome = .done
            }
        }
    }
}
