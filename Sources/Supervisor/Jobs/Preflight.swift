import Glibc
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// Looks at all folders of a job before anything is touched and lists every fault, not just the first.
struct Preflight: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let work: WorkerRun
    let quiesce: Quiesce

    private var states: FolderStates { FolderStates(context: context, endpoint: endpoint) }

    /// The plan with the faults of all folders; the ledgers hold what the surveys found.
    ///
    /// - Parameter looksInside: false where folders are in the middle of another job that this one corrects: what a survey
    ///   would find there is not what the job will.
    func run(_ job: Job, looksInside: Bool = true) async throws -> EndpointPlan {
        try clearLedgers(job)
        var (plan, orders) =
            if let target = job.rollback { try await rollback(job, target) } else { try await apply(job) }
        if !looksInside { return plan }
        let surveys = await withTaskGroup(of: Look.self) { group in
            for order in orders { group.addTask { await look(.survey, order, job) { $0.survey != nil } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for look in surveys.sorted(by: { $0.folder < $1.folder }) {
            let (folder, summary) = (look.folder, look.summary)
            if let own = plan.folders.firstIndex(where: { $0.folder == folder }) {
                plan.folders[own].show(summary?.statements ?? [:])
            }
            plan.faults += look.faults
            if job.rollback == nil, endpoint.onFailure != .hold {
                plan.faults += plan.folders.filter { $0.folder == folder }.flatMap {
                    irreversible($0, equal: summary?.equal ?? [], job)
                }
            }
            plan.faults += summary?.survey?.faults ?? []
            plan.warnings += (summary?.survey?.warnings ?? []).map { "\(folder): \($0)" }
        }
        if job.isRehearsed(on: endpoint) {
            let faulty = Set(plan.faults.map(\.folder))
            try await RehearsalPhase(context: context, endpoint: endpoint, work: work).run(
                orders.filter { !faulty.contains($0.plan.folder) }, job, in: &plan)
        }
        if !orders.isEmpty {
            let affected = Set(orders.flatMap { [$0.plan.folder] + endpoint.descendants(of: $0.plan.folder) })
            let (faults, warnings) = try quiesce.check(affected, mayChange: job.operation != .test)
            plan.faults += faults
            plan.warnings += warnings
        }
        return plan
    }

    /// Where the folders stand in a job that has this plan.
    func folders(_ plan: EndpointPlan, of job: Int) throws -> [String: FolderJob] {
        var folders: [String: FolderJob] = [:]
        for folder in plan.folders {
            let fault = plan.faults.first { $0.folder == folder.folder }
            let hasLedger = try context.state.hasLedger(job: job, folder: folder.folder)
            folders[folder.folder] = FolderJob(
                state: folder.state, code: fault?.code.rawValue ?? "", message: fault?.message ?? "",
                equal: hasLedger ? try work.summary(job, folder.folder).equal.count : 0,
                progress: .init(total: folder.steps.count), from: folder.from, to: folder.to)
        }
        return folders
    }

    /// A ledger belongs to its order, and one phase's order is not the next one's.
    private func clearLedgers(_ job: Job) throws {
        work.jobs.ledgers.drop(job.job)
        let own = try context.state.directory("jobs/\(job.job)")
        for name in ["ledger", "orders"] { try own.removeTree(name) }
        try own.makeDirectory("ledger")
    }

    // MARK: Apply

    private func apply(_ job: Job) async throws -> (EndpointPlan, [WorkOrder]) {
        guard let update = try context.state.contents(ofArchive: job.sha256) else {
            throw StoreError("cannot plan job \(job.job): archive \(job.sha256) is no longer kept; drop it again")
        }
        let states = try states.all()
        let planner = Planner(update: update, endpoint: endpoint, states: states, options: job.options)
        var plan: EndpointPlan
        var unread: [Fault] = []
        do {
            let facts: [String: FolderFacts]
            (facts, unread) = try await answers(to: planner.questions(), job)
            let isUnstable = try !job.options.force && context.state.unstable().contains(job.update, job.version)
            plan = try Planner(
                update: update, endpoint: endpoint, states: states, options: job.options, facts: facts, unread: unread,
                isUnstable: isUnstable
            ).plan()
        } catch let error as Refusal {
            // The names fit, but not the versions that folders have by now.
            return (EndpointPlan(endpoint: endpoint.name, faults: [Fault(.dependency, "\(error)")], folders: []), [])
        }
        plan.faults += sandboxFaults
        let pending = plan.folders.filter { $0.state == .pending }
        // A folder that cannot be looked at once need not be looked at again.
        let known = pending.filter { folder in !unread.contains { $0.folder == folder.folder } }
        return (plan, try known.map { try order(job, $0) })
    }

    /// A path of `sandbox` that is not there: scripts would not find it, and its mount would be left out without a word.
    private var sandboxFaults: [Fault] {
        (endpoint.sandbox.write + endpoint.sandbox.read).filter { access($0, F_OK) != 0 && errno == ENOENT }.map {
            Fault(.missing, "the endpoint's \"sandbox\" names \($0), which is not there; create it, or take it out")
        }
    }

    /// Asks the folders what the plan has to know of them. No worker is started where that is nothing.
    ///
    /// - Returns: the facts by folder, and why there are none of the others.
    private func answers(
        to questions: [FolderQuestion], _ job: Job
    ) async throws -> (found: [String: FolderFacts], unread: [Fault]) {
        if questions.isEmpty { return ([:], []) }
        let orders = try questions.map { try order(job, $0.plan, ask: $0.ask) }
        let answers = await withTaskGroup(of: Look.self) { group in
            for order in orders { group.addTask { await look(.facts, order, job) { $0.facts != nil } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        try clearLedgers(job)
        var found: [String: FolderFacts] = [:]
        for look in answers { found[look.folder] = look.summary?.facts }
        return (found, answers.flatMap(\.faults))
    }

    /// What has no way back, where a failure has to be undone without asking anybody.
    ///
    /// - Parameter equal: steps whose effect is there already, so that they are not run.
    private func irreversible(_ plan: FolderPlan, equal: Set<Int>, _ job: Job) -> [Fault] {
        let ran = plan.steps.indices.filter { plan.steps[$0].kind.isRun && !equal.contains($0) }
        let undone = UndoneJob(
            job: job.job, update: job.update, plan: plan, isPrepared: true, isDone: true, ran: Array(ran), slots: [],
            restoresDatabase: endpoint.copies != "none" && plan.hasDatabase)
        return undone.irreversible.map { step in
            let wayOut = step.kind == .script ? "ask the vendor for one, or set" : "set"
            return Fault(
                folder: plan.folder, .irreversible,
                "\(step.whyIrreversible), so a failure could not be reverted; \(wayOut) onFailure: hold")
        }
    }

    // MARK: Rollback

    private func rollback(_ job: Job, _ target: RollbackTarget) async throws -> (EndpointPlan, [WorkOrder]) {
        let current = try states.all()
        let rollback = try states.rollbackPlan(await work.jobs.order(of: endpoint.name))
        var plan = EndpointPlan(endpoint: endpoint.name, folders: [])
        let undone: [String: [Int]]
        do throws(Fault) {
            undone = try rollback.jobs(for: target)
        } catch {
            plan.faults = [error]
            return (plan, [])
        }
        var orders: [WorkOrder] = []
        for folder in endpoint.activeFolders {
            let version = current[folder.name]?.version
            let numbers = undone[folder.name] ?? []
            guard let to = numbers.isEmpty ? version : rollback.version(of: folder.name, without: numbers) else {
                plan.faults.append(
                    Fault(
                        folder: folder.name, .irreversible,
                        "cannot roll back job \(numbers.last ?? 0): the version before it is not known"))
                continue
            }
            let own = FolderPlan(
                folder: folder.name, parent: folder.parent, path: folder.path,
                state: numbers.isEmpty ? .upToDate : .pending, from: version, to: to)
            plan.folders.append(own)
            if numbers.isEmpty { continue }
            var jobs: [UndoneJob] = []
            for number in numbers {
                // Converts what an older patchd left, so that there is an order.
                let summary: LedgerSummary
                do { summary = try work.jobs.ledgers.whole(number, folder.name) } catch {
                    // What cannot be read may be restored, so it is not said to be gone.
                    plan.faults.append(
                        Fault(folder: folder.name, .io, "cannot roll back job \(number): \(error)"))
                    continue
                }
                guard !summary.isForgotten,
                    let order = try context.state.order(job: number, folder: folder.name),
                    var found = order.undoneJob(summary)
                else {
                    plan.faults.append(
                        Fault(
                            folder: folder.name, .irreversible,
                            "cannot roll back job \(number): its originals are no longer kept (see retain in patchd.yaml)"
                        ))
                    continue
                }
                found.restoresDatabase = target.discardsData && found.backup != nil
                jobs.append(found)
            }
            orders.append(try order(job, own, undo: jobs))
        }
        return (plan, plan.faults.isEmpty ? orders : [])
    }

    private func order(
        _ job: Job, _ plan: FolderPlan, undo: [UndoneJob] = [], ask: [String]? = nil
    ) throws -> WorkOrder {
        var order = WorkOrder(
            job: job.job, turn: job.turn, endpoint: endpoint.name, update: job.update,
            scriptTimeout: endpoint.scriptTimeout, outputLimit: context.configuration.daemon.limits.output,
            links: endpoint.links, plan: plan,
            database: try states.database(of: plan.folder), undo: undo, ask: ask)
        if ask == nil, undo.isEmpty, job.isRehearsed(on: endpoint) {
            order.rehearsal = RehearsalOrder(
                limit: context.configuration.daemon.limits.rehearsal, isTwice: job.options.rehearse == .twice,
                hasCredentials: endpoint.folders.first { $0.name == plan.folder }?.rehearseCredentials != nil)
        }
        return order
    }

    /// What a worker found in one folder, or why it found nothing.
    private struct Look: Sendable {
        let folder: String
        let summary: LedgerSummary?
        let faults: [Fault]
    }

    private func look(
        _ phase: WorkerStart.Phase, _ order: WorkOrder, _ job: Job, isOver: @Sendable (LedgerSummary) -> Bool
    ) async -> Look {
        let folder = order.plan.folder
        do {
            let summary = try await work.run(phase, job, folder, order: order, isOver: isOver)
            return Look(folder: folder, summary: summary, faults: [])
        } catch let fault as Fault {
            return Look(folder: folder, summary: nil, faults: [Fault(folder: folder, fault.code, fault.message)])
        } catch {
            return Look(folder: folder, summary: nil, faults: [Fault(folder: folder, .io, "\(error)")])
        }
    }
}
