import ArgumentParser
import Glibc
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what an update would do, without a job or a daemon; nothing is changed.")

    @Argument(help: "The update archive.", completion: .file(extensions: ["zip"]))
    var file: String

    @OptionGroup var choice: OptionArguments

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        do {
            try plan()
        } catch let refusal as Refusal {
            throw Failure(.refused, "refused: \(refusal.code.rawValue): \(refusal)")
        } catch let error as FileError {
            throw Failure(error.description)
        }
    }

    private func plan() throws {
        let archive = try Archive.open(file)
        let configuration = try directories.configuration()
        let options = try choice.options(.test)
        let worker = try Worker()
        let verdict = try worker.unpack(archive, limits: configuration.daemon.limits, into: "tree")
        if let refusal = verdict.refusal { throw refusal }
        guard let update = verdict.update else { throw Failure("the check of \"\(file)\" came to no verdict") }
        let endpoints = try Acceptance.endpoints(
            for: update.manifest, options: options, among: configuration.endpoints)
        var report = PlanReport(update: update.manifest.name, version: update.manifest.version, endpoints: [])
        var equal: [String: Int] = [:]
        for endpoint in endpoints {
            let states = try directories.reading {
                try directories.hasState ? try directories.state.folders(of: endpoint.name) : [:]
            }
            let view = EndpointLook(
                update: update, endpoint: endpoint, states: states, options: options,
                isUnstable: try isUnstable(update.manifest))
            report.endpoints.append(try view.plan(worker, &equal))
        }
        try PlanView(report, equal: equal).print(json: json)
        if report.endpoints.contains(where: { !$0.faults.isEmpty }) { throw Code.failed.exit }
    }
}

extension Plan {
    /// As far as this user can see; who cannot is told.
    fileprivate func isUnstable(_ manifest: Manifest) throws -> Bool {
        do {
            return try directories.hasState && directories.state.unstable().contains(manifest.name, manifest.version)
        } catch let error as StoreError {
            guard error.isPermission else { throw Failure(error.description) }
            Notes.write("whether \(manifest.name) is marked unstable is not known here: \(error)")
            return false
        }
    }
}

/// The plan for one endpoint, with a look at its folders by the worker.
private struct EndpointLook {
    let update: CheckedUpdate
    let endpoint: Endpoint
    let states: [String: FolderState]
    let options: UpdateOptions
    let isUnstable: Bool

    /// - Parameter equal: by endpoint and folder, how many steps were left out because what they bring is there already.
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
        let order = WorkOrder(
            job: 0, endpoint: endpoint.name, update: update.manifest.name, scriptTimeout: endpoint.scriptTimeout,
            links: endpoint.links, plan: plan, database: endpoint.databaseOrder(of: plan.folder), ask: ask)
        let summary: LedgerSummary
        do {
            summary = try worker.look(what, order, tree: "tree", as: Identity.of(owner))
        } catch {
            let cause = (error as? Failure)?.message ?? "\(error)"
            throw Fault(folder: plan.folder, .io, "\(plan.path) cannot be looked at: \(cause)")
        }
        if case .failed(_, let code, let message) = summary.outcome { throw Fault(folder: plan.folder, code, message) }
        return summary
    }
}

/// As whom a folder is looked at: as its owner where this process may choose, else as itself.
enum Identity {
    static func of(_ owner: Owner) throws -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        guard let user = UserIdentity(uid: owner.uid) else {
            throw Failure("the user \(owner.name) is not in the user database; create the user, or correct \"owner\"")
        }
        return user
    }
}
