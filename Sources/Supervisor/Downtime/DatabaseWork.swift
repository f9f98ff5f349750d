import Logging
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// What a worker does with a folder's database outside of a job's steps. Its order and its answer need not outlive it.
struct DatabaseWork: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint

    private var states: FolderStates { FolderStates(context: context, endpoint: endpoint) }

    /// Shows in a folder's database its versions and what its lock says, or that it is unlocked. What is to be shown is
    /// remembered until the database shows that the folder is unlocked.
    func show(_ lock: UpdateLock?, _ folder: String) async throws {
        try context.state.setShown(true, folder, of: endpoint.name)
        try await run(.show, folder, lock: lock)
        if lock == nil { try context.state.setShown(false, folder, of: endpoint.name) }
    }

    /// Takes a folder's database as it is for a version.
    @concurrent func baseline(_ folder: String, _ version: Version, migrations: MigrationName?) async throws {
        try await run(.baseline, folder, to: version, mark: migrations)
    }

    private func run(
        _ phase: WorkerStart.Phase, _ name: String, lock: UpdateLock? = nil, to version: Version? = nil,
        mark: MigrationName? = nil
    ) async throws {
        let place = try await context.place(of: name, in: endpoint)
        let state = try context.state.folder(name, of: endpoint.name)
        guard let to = version ?? state?.version ?? lock?.to else { return }
        let plan = FolderPlan(
            folder: name, parent: nil, path: place.path, state: .upToDate, from: state?.version, to: to)
        var order = WorkOrder(
            job: lock?.job ?? state?.job ?? 0, endpoint: endpoint.name, update: state?.update ?? "", scriptTimeout: 60,
            plan: plan, database: try states.database(of: name, at: to))
        order.lock = lock
        order.database?.recommended = state?.recommendedVersion
        order.mark = mark?.description
        let scratch = "\(phase.rawValue)-\(endpoint.name)-\(name)"
        defer { context.state.removeScratch(scratch) }
        let file = try context.state.scratch(scratch)
        _ = try file.lock(wait: true)
        let start = WorkerStart(
            phase: phase, job: order.job, endpoint: endpoint.name, folder: name, path: place.path, other: place.other,
            user: place.user, credentials: place.credentials,
            reach: place.reach(endpoint, name), order: try context.state.write(order, scratch: scratch + "-order"))
        _ = try context.workers.work(
            start, tree: context.state.emptyDirectory(), ledger: file, trace: context.state.scratch(scratch + "-trace"))
        // A service is started and not waited for; it holds the lock until it has ended.
        let answer = try context.state.scratch(scratch)
        _ = try answer.lock(wait: true)
        switch try Ledger.summary(of: answer).outcome {
        case .done: return
        case .failed(_, let code, let message): throw Fault(folder: name, code, message)
        default: throw Fault(folder: name, .io, "the worker ended without an answer")
        }
    }
}
