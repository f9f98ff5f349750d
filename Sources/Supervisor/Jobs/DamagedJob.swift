import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// A job whose file cannot be read. It may have been done for years, or be in the middle of a folder: until it is restored,
/// no job begins where it may be at work, and nothing is freed, started or removed there.
struct DamagedJob: Hashable, Sendable {
    let job: Int
    /// The one that its plan or its orders name; nil: it may be any.
    let endpoint: String?
    /// What is wrong with it.
    let message: String

    init(_ job: Int, _ error: StoreError, in state: StateDirectory) {
        self.job = job
        message = error.description
        endpoint = Self.endpoint(of: job, in: state)
    }

    private static func endpoint(of job: Int, in state: StateDirectory) -> String? {
        if let plan = try? state.overview(job: job), let first = plan.endpoints.first { return first.endpoint }
        for name in (try? state.directory("jobs/\(job)/orders").names()) ?? [] {
            if let order = try? state.orderOutline(job: job, folder: name)?.order { return order.endpoint }
        }
        for name in (try? state.directory("jobs/\(job)/ledger").names()) ?? [] {
            guard let file = try? state.existingLedger(job: job, folder: name), (try? OlderLedger.isOne(file)) == true,
                let order = try? OlderLedger(file).order
            else { continue }
            return order.endpoint
        }
        return nil
    }

    func concerns(_ name: String) -> Bool { endpoint == nil || endpoint == name }
}
