import PatchLedger
import PatchModel

/// Has the scripts of all folders tried on copies, before anything is locked. One folder's failure is none of the others'.
struct RehearsalPhase: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let work: WorkerRun

    /// Adds to a plan what came out.
    ///
    /// - Parameter orders: of the folders in which the survey found nothing that is in the way.
    func run(_ orders: [WorkOrder], _ job: Job, in plan: inout EndpointPlan) async throws {
        let own = orders.filter { $0.plan.steps.contains { [.script, .rows].contains($0.kind) } }
        let reports = await withTaskGroup(of: FolderRehearsal.self) { group in
            for order in own { group.addTask { await rehearse(order, job) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        if await work.jobs.job(job.job)?.cancelledAt != nil {
            throw Fault(.cancelled, "cancelled before a folder was changed")
        }
        let folders = plan.folders.map(\.folder)
        let sorted = folders.compactMap { folder in reports.first { $0.folder == folder } }
        plan.rehearsal = Rehearsal(folders: sorted)
        for report in sorted {
            plan.faults += report.faults
            plan.warnings += report.notRehearsed.map { omission in
                let script = omission.script.isEmpty ? "" : "\(omission.script) "
                return "\(report.folder): \(script)was not rehearsed: \(omission.reason)"
            }
        }
    }

    private func rehearse(_ order: WorkOrder, _ job: Job) async -> FolderRehearsal {
        let folder = order.plan.folder
        do {
            let summary = try await work.run(.rehearse, job, folder) { $0.rehearsal != nil }
            guard var report = summary.rehearsal?.limited else {
                return FolderRehearsal(folder: folder, notRehearsed: "the worker said nothing")
            }
            // A worker speaks for its own folder.
            report.folder = folder
            if let why = try await context.place(of: folder, in: endpoint).withoutRehearsal {
                report.notRehearsed.append(.init(reason: why))
            }
            return report
        } catch let fault as Fault {
            var report = FolderRehearsal(folder: folder)
            report.error = fault.message
            report.code = fault.code
            return report
        } catch {
            return FolderRehearsal(folder: folder, notRehearsed: "\(error)")
        }
    }
}
