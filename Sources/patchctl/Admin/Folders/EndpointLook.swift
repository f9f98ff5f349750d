import Glibc
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan

/// The plan for one endpoint, with a look at its folders by the worker.
struct EndpointLook {
    let update: CheckedUpdate
    let endpoint: Endpoint
    let states: [String: FolderState]
    let options: UpdateOptions
    let isUnstable: Bool

    /// - Parameter equal: by endpoint and folder, how many steps were left out because their effect exists already.
    func plan(_ worker: borrowing Worker, _ equal: inout [String: Int]) throws -> EndpointPlan {
        let questions = try Planner(update: update, endpoint: endpoint, states: states, options: options).questions()
        var facts: [String: FolderFacts] = [:]
        var unread: [Fault] = []
        for question in questions {
            do throws(Fault) {
                facts[question.plan.folder] = try look("facts", question.plan, ask: question.ask, worker).facts
            } catch {
                unread.append(error)
            }
        }
        var plan = try Planner(
            update: update, endpoint: endpoint, states: states, options: options, facts: facts, unread: unread,
            isUnstable: isUnstable
        ).plan()
        for (index, folder) in plan.folders.enumerated() where folder.state == .pending {
            if unread.contains(where: { $0.folder == folder.folder }) { continue }
            do throws(Fault) {
                let summary = try look("survey", folder, worker)
                plan.faults += summary.survey?.faults ?? []
                plan.warnings += summary.survey?.warnings.map { "\(folder.folder): \($0)" } ?? []
                equal["\(endpoint.name)/\(folder.folder)"] = summary.equal.count
                plan.folders[index].show(summary.statements)
                let steps = plan.folders[index].steps.enumerated()
                plan.folders[index].steps = steps.filter { !summary.equal.contains($0.offset) }.map(\.element)
            } catch {
                plan.faults.append(error)
            }
        }
        return plan
    }

    private func look(
        _ what: String, _ plan: FolderPlan, ask: [String]? = nil, _ worker: borrowing Worker
    ) throws(Fault) -> LedgerSummary {
        guard let folder = endpoint.folders.first(where: { $0.name == plan.folder }) else {
            throw Fault(folder: plan.folder, .missing, "\(endpoint.name) has no folder \(plan.folder)")
        }
        let owner = try OwnerRule.check(folder: folder, recorded: states[folder.name]?.owner)
        var order = WorkOrder(
            job: 0, endpoint: endpoint.name, update: update.manifest.name, scriptTimeout: endpoint.scriptTimeout,
            links: endpoint.links, plan: plan, database: endpoint.databaseOrder(of: plan.folder), ask: ask)
        if endpoint.rehearse != .off, ask == nil {
            // Only to be warned of what it lacks.
            order.rehearsal = RehearsalOrder(
                limit: Limits().rehearsal, hasCredentials: folder.rehearseCredentials != nil)
        }
        let summary: LedgerSummary
        do {
            let copies = try CredentialCopies(of: folder, owner: owner)
            summary = try worker.look(
                what, order, tree: "tree", as: Identity.of(owner), environment: copies.environment)
        } catch let fault as Fault {
            throw fault
        } catch {
            let cause = (error as? Failure)?.message ?? "\(error)"
            throw Fault(folder: plan.folder, .io, "\(plan.path) cannot be read: \(cause)")
        }
        if case .failed(_, let code, let message) = summary.outcome { throw Fault(folder: plan.folder, code, message) }
        return summary
    }
}
