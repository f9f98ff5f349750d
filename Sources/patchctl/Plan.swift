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

    @OptionGroup var places: Places

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
        let configuration = try places.configuration()
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
            let states = try places.reading {
                try places.hasState ? try places.state.folders(of: endpoint.name) : [:]
            }
            var plan = try Planner(update: update, endpoint: endpoint, states: states, options: options).plan()
            for index in plan.folders.indices where plan.folders[index].state == .pending {
                guard let folder = endpoint.folders.first(where: { $0.name == plan.folders[index].folder }) else {
                    continue
                }
                do throws(Fault) {
                    let owner = try OwnerRule.check(folder: folder, recorded: states[folder.name]?.owner)
                    let order = WorkOrder(
                        job: 0, endpoint: endpoint.name, update: update.manifest.name,
                        scriptTimeout: endpoint.scriptTimeout, links: endpoint.links, plan: plan.folders[index],
                        database: endpoint.databaseOrder(of: folder.name))
                    let summary = try survey(order, worker, owner: owner)
                    plan.faults += summary.survey?.faults ?? []
                    plan.warnings += summary.survey?.warnings.map { "\(folder.name): \($0)" } ?? []
                    equal["\(endpoint.name)/\(folder.name)"] = summary.equal.count
                    plan.folders[index].show(summary.statements)
                    let steps = plan.folders[index].steps.enumerated()
                    plan.folders[index].steps = steps.filter { !summary.equal.contains($0.offset) }.map(\.element)
                } catch {
                    plan.faults.append(error)
                }
            }
            report.endpoints.append(plan)
        }
        try PlanView(report, equal: equal).print(json: json)
        if report.endpoints.contains(where: { !$0.faults.isEmpty }) { throw Code.failed.exit }
    }

    private func survey(_ order: WorkOrder, _ worker: borrowing Worker, owner: Owner) throws(Fault) -> LedgerSummary {
        do {
            return try worker.look("survey", order, tree: "tree", as: Identity.of(owner))
        } catch {
            let cause = (error as? Failure)?.message ?? "\(error)"
            throw Fault(folder: order.plan.folder, .io, "\(order.plan.path) cannot be looked at: \(cause)")
        }
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
