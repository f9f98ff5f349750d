import Glibc
import Logging
import PatchConfig
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// Starts workers for a folder until its ledger says what is waited for.
struct WorkerRun: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let slots: WorkerSlots
    let jobs: JobStore

    /// How often a worker may end without having recorded anything before it is given up.
    private static let fruitless = 200

    /// Brings one folder to the end of a phase. A worker that dies is started again; one that still lives from before a
    /// restart of the daemon is waited for (it holds the ledger's flock).
    ///
    /// - Parameters:
    ///   - order: what is to be done, as long as nothing was recorded.
    ///   - isOver: whether the phase is through.
    /// - Throws: ``Fault`` when the folder failed or cannot be worked on.
    func run(
        _ phase: WorkerStart.Phase, _ job: Job, _ folder: String, order: WorkOrder? = nil,
        isOver: @Sendable (LedgerSummary) -> Bool
    ) async throws -> LedgerSummary {
        await slots.take(for: endpoint.name)
        do {
            let summary = try await work(phase, job, folder, order: order, isOver: isOver)
            await slots.give(by: endpoint.name)
            return summary
        } catch {
            await slots.give(by: endpoint.name)
            throw error
        }
    }

    private func work(
        _ phase: WorkerStart.Phase, _ job: Job, _ folder: String, order: WorkOrder?, isOver: (LedgerSummary) -> Bool
    ) async throws -> LedgerSummary {
        let place = try await context.place(of: folder, in: endpoint)
        var fruitless = 0
        var known = -1
        while true {
            let file = try jobs.ledgers.lock(job.job, folder)
            let (summary, count) = try jobs.ledgers.recover(file, job.job, folder)
            // The order first: a ledger that says something has one.
            if summary.isEmpty, let order { try context.state.write(order, job: job.job, folder: folder) }
            if isOver(summary) { return summary }
            if case .failed(_, let code, let message) = summary.outcome {
                throw Fault(folder: folder, code, message)
            }
            if phase == .apply || phase == .tryout, await jobs.job(job.job)?.cancelledAt != nil {
                throw Fault(folder: folder, .cancelled, "job \(job.job) was cancelled")
            }
            if phase == .rehearse, await jobs.job(job.job)?.cancelledAt != nil {
                try start(.tidy, job, folder, place, ledger: file)
                // Until it has ended.
                _ = try jobs.ledgers.lock(job.job, folder)
                throw Fault(folder: folder, .cancelled, "job \(job.job) was cancelled")
            }
            fruitless = count == known ? fruitless + 1 : 0
            known = count
            // What the worker cannot read either is a fault at once, and said in words.
            if fruitless == 1 { _ = try context.state.order(job: job.job, folder: folder) }
            guard fruitless < Self.fruitless else {
                throw Fault(
                    folder: folder, .io,
                    "the worker ended \(Self.fruitless) times without getting on; see the trace, then resume job \(job.job)"
                )
            }
            try start(phase, job, folder, place, ledger: file)
        }
    }

    /// Starts a worker; one that ends early is logged.
    private func start(
        _ phase: WorkerStart.Phase, _ job: Job, _ folder: String, _ place: WorkerPlace, ledger file: consuming File
    ) throws {
        let needsArchive = ![.facts, .revert, .forget, .tidy].contains(phase) && job.rollback == nil
        let tree = try needsArchive ? context.state.tree(ofArchive: job.sha256) : context.state.emptyDirectory()
        let trace = try context.state.trace(job: job.job, folder: folder)
        var start = WorkerStart(
            phase: phase, job: job.job, endpoint: endpoint.name, folder: folder, path: place.path,
            other: place.other, user: place.user, credentials: place.credentials,
            reach: place.reach(endpoint, folder), order: context.state.path(ofOrder: folder, job: job.job))
        if [.survey, .rehearse, .tidy].contains(phase) { start.rehearseCredentials = place.rehearseCredentials }
        let end = try context.workers.work(start, tree: tree, ledger: file, trace: trace)
        guard let end else { return }
        context.logger.log(
            .workerEnded, "\(endpoint.name)/\(folder): the worker ended early (\(end)) and is started again",
            EventFields(job: job.job, endpoint: endpoint.name, folder: folder, update: job.update))
    }

    /// Asks the worker of a folder, if one runs, to end after its step.
    func interrupt(_ job: Int, _ folder: String) {
        context.workers.interrupt(
            WorkerStart(phase: .apply, job: job, endpoint: endpoint.name, folder: folder, path: "", user: nil))
    }

    /// Where a folder stands in a job.
    func summary(_ job: Int, _ folder: String) throws -> LedgerSummary {
        try jobs.ledgers.summary(job, folder)
    }

    /// Resumes a folder that failed.
    func resume(_ job: Int, _ folder: String) throws {
        try jobs.ledgers.resume(job, folder)
    }
}

extension DaemonContext {
    /// Where and as whom a worker works on a folder.
    func place(of name: String, in endpoint: Endpoint) async throws -> WorkerPlace {
        guard let folder = endpoint.folders.first(where: { $0.name == name }) else {
            throw Fault(folder: name, .missing, "the configuration has no folder \(name) any more; put it back")
        }
        let other = DatabaseFile(folder)?.place
        let recorded = try state.folder(name, of: endpoint.name)?.owner
        let owner = try await threads.thread(of: folder).run("look at") {
            try OwnerRule.check(folder: folder, recorded: recorded.flatMap { $0.isEmpty ? nil : $0 })
        }
        let known = UserIdentity(uid: owner.uid)
        let user = known ?? UserIdentity(uid: owner.uid, gid: owner.gid, groups: [owner.gid])
        var place = WorkerPlace(path: folder.path, other: other, user: owner.uid == geteuid() ? nil : user)
        @Sendable func read(_ file: String, _ key: String) throws(Fault) -> [UInt8] {
            try CredentialFile.read(file, of: folder.name, key, owner: owner.name, owner.uid)
        }
        if let file = folder.credentials {
            place.credentials = try await threads.thread(of: folder).run("look at") { try read(file, "credentials") }
        }
        guard let file = folder.rehearseCredentials else { return place }
        do {
            place.rehearseCredentials = try await threads.thread(of: folder).run("look at") {
                try read(file, "rehearseCredentials")
            }
        } catch let fault as Fault {
            // Without them the update goes on.
            place.withoutRehearsal = fault.message
        }
        return place
    }
}

/// Where and as whom a worker works on a folder.
struct WorkerPlace {
    let path: String
    /// The directory of a database that lies elsewhere.
    let other: String?
    /// Nil when that is this process's own.
    let user: UserIdentity?
    /// What its file `credentials` says; nil for none.
    var credentials: [UInt8]?
    /// Of an account whose rights end at a copy.
    var rehearseCredentials: [UInt8]?
    /// Why there is none although one is configured; nil for nothing.
    var withoutRehearsal: String?

    /// What a worker of the folder reaches besides.
    func reach(_ endpoint: Endpoint, _ folder: String) -> WorkerReach {
        WorkerReach(endpoint, folder: folder, home: UserIdentity.home(of: user?.uid ?? geteuid()))
    }
}
