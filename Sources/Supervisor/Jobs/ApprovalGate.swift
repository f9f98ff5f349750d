import Logging
import PatchFiles
import PatchModel
import PatchPlan
import PatchStore

/// Where the endpoint asks for approval, nothing of a job is done before somebody approved just this.
struct ApprovalGate: Sendable {
    let context: DaemonContext
    let jobs: JobStore
    let number: Int

    /// Whether a job may do what its preflight has come to. Else it waits for approval; its plan is written already, so
    /// that the file and what waits are never two things.
    ///
    /// - Parameter before: the plan that was there until now; nil for none.
    /// - Throws: ``Fault`` `cancelled`.
    func lets(_ plan: EndpointPlan, through job: Job, approved before: EndpointPlan?) async throws -> Bool {
        let digest = try Self.digest(of: plan, job.sha256, job.options)
        if let approval = job.approval, approval.by != nil, approval.digest == digest {
            try await jobs.apply(.confirmApproval, to: number)
            return true
        }
        var message = ""
        if let approver = job.approval?.by {
            let lines = before.map { PlanDifference.lines(from: $0, to: plan) } ?? []
            message =
                "\(approver.name) approved another plan than the one it has by now"
                + (lines.isEmpty ? "" : "; what changed: \(lines.joined(separator: "; "))")
        }
        guard await jobs.job(number)?.cancelledAt == nil else {
            throw Fault(.cancelled, "cancelled before a folder was changed")
        }
        let changed = try await jobs.apply(.askApproval(digest: digest, message: message), to: number)
        context.logger.log(
            .jobPendingApproval,
            "job \(number): \(job.update) \(job.version) on \(job.endpoint) waits for approval\(message.isEmpty ? "" : ": \(message)"); "
                + "see: patchctl show \(number)",
            EventFields(changed))
        return false
    }

    static func digest(of plan: EndpointPlan, _ sha256: String, _ options: UpdateOptions) throws -> String {
        SHA256.hash(of: try plan.approvalText(sha256: sha256, options: options))
    }
}

/// Options that were given with an approval, and what they come to.
struct PlannedOptions: Sendable {
    var options: UpdateOptions
    var plan: EndpointPlan
    var folders: [String: FolderJob]
    var digest: String
}

/// A plan to make for changed options of a job that waits for approval.
struct OptionOrder: DeferredOrder {
    var request: String
    var job: Job
    /// With the job's in place of those that are not changed.
    var options: UpdateOptions
}

extension OptionOrder {
    /// Makes the plan. Nothing of the job is changed but the ledgers in which the folders answered.
    ///
    /// - Throws: ``Fault``: the first one that is in the way, with all in its message.
    @concurrent func planned(_ preflight: Preflight, looksInside: Bool) async throws -> PlannedOptions {
        let plan = try await preflight.run(job.with(options), looksInside: looksInside)
        if let first = plan.faults.first {
            throw Fault(first.code, plan.faults.map(\.description).joined(separator: "\n"))
        }
        return PlannedOptions(
            options: options, plan: plan, folders: try preflight.folders(plan, of: job.job),
            digest: try ApprovalGate.digest(of: plan, job.sha256, options))
    }
}

extension JobSelector {
    /// Releases jobs that wait for an approval that their endpoint no longer asks for.
    func releaseUngated(_ endpoint: Endpoint) async throws {
        guard endpoint.approval == .none else { return }
        for job in await jobs.open(of: endpoint.name) where job.approval != nil && job.approval?.isConfirmed != true {
            guard !job.state.isFinal, !job.hasBegun else { continue }
            // It was made to be looked at; what the job runs by is planned at its turn.
            try context.state.removePlan(job: job.job)
            try await jobs.apply(.dropApproval, to: job.job)
        }
    }
}
