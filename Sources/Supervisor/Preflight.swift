import Glibc
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// Looks at all folders of a job before anything is touched and lists every fault, not just the first.
struct Preflight: Sendable {
    let host: Host
    let endpoint: Endpoint
    let slots: WorkerSlots
    let quiesce: Quiesce

    /// The plan with the faults of all folders; the ledgers hold what the surveys found.
    func run(_ job: Job) async throws -> EndpointPlan {
        guard let update = try host.state.contents(ofArchive: job.sha256) else {
            throw StoreError("cannot plan job \(job.job): archive \(job.sha256) is no longer kept; drop it again")
        }
        try host.state.directory("jobs/\(job.job)").removeTree("ledger")
        try host.state.directory("jobs/\(job.job)").makeDirectory("ledger")
        let states = try FolderStates(host: host, endpoint: endpoint).all()
        let planner = Planner(update: update, endpoint: endpoint, states: states, options: job.options)
        var plan = try planner.plan()
        let pending = plan.folders.filter { $0.state == .pending }
        let work = FolderRun(host: host, endpoint: endpoint, slots: slots)
        let surveys = await withTaskGroup(of: (String, LedgerSummary?, [Fault]).self) { group in
            for folder in pending {
                group.addTask { await survey(folder, job: job, update: update, states: states, work) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (folder, summary, faults) in surveys.sorted(by: { $0.0 < $1.0 }) {
            plan.faults += faults
            plan.faults += summary?.survey?.faults ?? []
            plan.warnings += (summary?.survey?.warnings ?? []).map { "\(folder): \($0)" }
        }
        if !pending.isEmpty {
            let affected = Set(pending.flatMap { [$0.folder] + endpoint.descendants(of: $0.folder) })
            let (faults, warnings) = try quiesce.check(affected, mayChange: job.operation == .apply)
            plan.faults += faults
            plan.warnings += warnings
        }
        return plan
    }

    private func survey(
        _ folder: FolderPlan, job: Job, update: CheckedUpdate, states: [String: FolderState], _ work: FolderRun
    ) async -> (String, LedgerSummary?, [Fault]) {
        do {
            let order = WorkOrder(
                job: job.job, endpoint: endpoint.name, update: job.update, scriptTimeout: endpoint.scriptTimeout,
                links: endpoint.links, plan: folder)
            let summary = try await work.run(.survey, job, folder.folder, order: order) { $0.survey != nil }
            return (folder.folder, summary, [])
        } catch let fault as Fault {
            return (folder.folder, nil, [Fault(folder: folder.folder, fault.code, fault.message)])
        } catch {
            return (folder.folder, nil, [Fault(folder: folder.folder, .io, "\(error)")])
        }
    }
}
