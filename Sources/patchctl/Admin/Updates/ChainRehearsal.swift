import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan

/// Rehearses a chain of updates from older versions, without a job or a daemon: for a vendor's CI, where the folders of a
/// configuration are test data. On the copy each folder has the version that is asked for; what is live is only read.
struct ChainRehearsal {
    let updates: [CheckedUpdate]
    let configuration: Configuration
    let options: UpdateOptions

    /// Where the checked tree of an update lies below ``trees``.
    static let trees = "trees"

    /// - Parameter updates: in any order; each one's tree is below ``trees``, named by its place here.
    init(_ updates: [CheckedUpdate], _ configuration: Configuration, _ options: UpdateOptions) {
        self.updates = updates
        self.configuration = configuration
        self.options = options
    }

    /// The report from some versions: an endpoint a version.
    func report(from versions: [Version], _ worker: borrowing Worker) throws -> PlanReport {
        let order = updates.indices.sorted { updates[$0].manifest.version < updates[$1].manifest.version }
        guard let last = order.last.map({ updates[$0].manifest }) else { throw Failure("there is no archive") }
        var report = PlanReport(update: last.name, version: last.version, endpoints: [])
        for version in versions {
            guard version < last.version else {
                throw Failure("--from \(version) is not below \(last.version), the highest version of the archives")
            }
            let chain = order.filter { updates[$0].manifest.version > version }
            for endpoint in try Acceptance.endpoints(for: last, options: options, among: configuration.endpoints) {
                report.endpoints.append(try rehearse(chain, from: version, on: endpoint, worker))
            }
        }
        return report
    }

    private func rehearse(
        _ chain: [Int], from version: Version, on endpoint: Endpoint, _ worker: borrowing Worker
    ) throws -> EndpointPlan {
        var whole: EndpointPlan?
        var at = version
        for number in chain {
            // As if every folder had just this version: what the state says is of no matter.
            var own = endpoint
            for index in own.folders.indices { own.folders[index].version = at }
            let update = updates[number]
            var plan = try Planner(update: update, endpoint: own, states: [:], options: options).plan()
            for folder in plan.folders.indices {
                for step in plan.folders[folder].steps.indices {
                    plan.folders[folder].steps[step].source = "\(number)/\(plan.folders[folder].steps[step].source)"
                }
            }
            whole = whole.map { $0.followed(by: plan) } ?? plan
            at = update.manifest.version
        }
        guard var plan = whole else { throw Failure("no archive leads on from \(version)") }
        var rehearsal = Rehearsal()
        let isPossible = plan.faults.isEmpty
        for folder in plan.folders where isPossible && folder.state == .pending {
            guard folder.steps.contains(where: { [.script, .rows].contains($0.kind) }) else { continue }
            let found = try rehearse(folder, from: version, of: endpoint, worker)
            rehearsal.folders.append(found)
            plan.faults += found.faults
        }
        plan.rehearsal = rehearsal
        return plan
    }

    private func rehearse(
        _ plan: FolderPlan, from version: Version, of endpoint: Endpoint, _ worker: borrowing Worker
    ) throws -> FolderRehearsal {
        guard let folder = endpoint.folders.first(where: { $0.name == plan.folder }) else {
            throw Failure("\(endpoint.name) has no folder \(plan.folder)")
        }
        let owner = try OwnerRule.check(folder: folder, recorded: nil)
        var order = WorkOrder(
            job: 0, endpoint: endpoint.name, update: updates[0].manifest.name, scriptTimeout: endpoint.scriptTimeout,
            links: endpoint.links, plan: plan, database: endpoint.databaseOrder(of: plan.folder))
        order.rehearsal = RehearsalOrder(
            limit: configuration.daemon.limits.rehearsal, isTwice: options.rehearse == .twice, from: version)
        var report = FolderRehearsal(folder: plan.folder)
        do {
            let copies = try CredentialCopies(of: folder, owner: owner)
            if let fault = copies.rehearsalFault { throw fault }
            let summary = try worker.look(
                "rehearse", order, tree: Self.trees, as: Identity.of(owner), environment: copies.environment)
            if let report = summary.rehearsal?.limited { return report }
            if case .failed(_, let code, let message) = summary.outcome {
                (report.code, report.error) = (code, message)
            }
        } catch let fault as Fault {
            (report.code, report.error) = (fault.code, fault.message)
        }
        return report
    }
}

extension EndpointPlan {
    /// What both do, one after the other.
    fileprivate func followed(by next: EndpointPlan) -> EndpointPlan {
        var whole = self
        whole.faults += next.faults
        whole.warnings += next.warnings
        for (index, folder) in whole.folders.enumerated() {
            guard let more = next.folders.first(where: { $0.folder == folder.folder }) else { continue }
            whole.folders[index].steps += more.steps
            whole.folders[index].to = more.to
            whole.folders[index].downgrades = []
        }
        return whole
    }
}
