import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// A job whose file cannot be read. It may have been done for years, or be in the middle of a folder: until it is restored,
/// no job begins where it may be at work, and nothing is freed, started or removed there.
struct DamagedJob: Hashable, Sendable {
    let job: Int
    /// The one that its plan or its ledgers name; nil: it may be any.
    let endpoint: String?
    /// What is wrong with it.
    let message: String

    init(_ job: Int, _ error: StoreError, in state: StateDirectory) {
        self.job = job
        message = error.description
        endpoint = Self.endpoint(of: job, in: state)
    }

    private static func endpoint(of job: Int, in state: StateDirectory) -> String? {
        if let plan = try? state.plan(job: job), let first = plan.endpoints.first { return first.endpoint }
        guard let names = try? state.directory("jobs/\(job)/ledger").names() else { return nil }
        for name in names.sorted() {
            guard let file = try? state.ledger(job: job, folder: name), let records = try? Ledger.read(file),
                let order = LedgerSummary(records).order
            else { continue }
            return order.endpoint
        }
        return nil
    }

    func concerns(_ name: String) -> Bool { endpoint == nil || endpoint == name }
}
