import Logging
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore
import Synchronization

/// Keeps a folder's progress in the job's file true while a worker is at it, from the ledger that the worker writes, and
/// tells of each step that is run. Files are not logged one by one: the trace has them.
struct Progress: Sendable {
    let jobs: JobStore
    let work: WorkerRun
    let job: Int
    let folder: FolderPlan
    let supervisor: EndpointSupervisor
    /// Who ends those that are in the way.
    let quiesce: Quiesce
    /// Whether the steps are being undone: how far that is, is not shown.
    var isUndo = false

    /// Runs `body` to its end and shows meanwhile how far it is.
    func shown(
        during body: @escaping @Sendable () async throws -> LedgerSummary
    ) async throws -> LedgerSummary {
        let logged = LoggedSteps(try work.summary(job, folder.folder).finished)
        let update = await jobs.job(job)?.update ?? ""
        defer { if let summary = try? work.summary(job, folder.folder) { log(summary, logged, update) } }
        let watch = try DirectoryWatch([])
        watch.watch(file: work.context.state.path + "/jobs/\(job)/ledger/\(folder.folder)")
        return try await withThrowingTaskGroup(of: LedgerSummary?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await withTaskCancellationHandler {
                    await follow(watch, logged, update)
                } onCancel: {
                    watch.wake()
                }
                return nil
            }
            defer {
                group.cancelAll()
                watch.wake()
            }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private func follow(_ watch: DirectoryWatch, _ logged: LoggedSteps, _ update: String) async {
        guard let own = work.endpoint.folders.first(where: { $0.name == folder.folder }) else { return }
        var terminator = SessionTerminator(
            context: work.context, endpoint: work.endpoint, folder: own, quiesce: quiesce)
        var known: [Blocker] = []
        // Writing the job's file at once would only delay the others.
        var isShown = false
        while !Task.isCancelled {
            // A progress that cannot be shown is no reason to stop; the ledger is what counts.
            if let summary = try? work.summary(job, folder.folder) {
                log(summary, logged, update)
                if !isUndo, isShown { await show(summary) }
                isShown = true
                if summary.inTheWay != known {
                    known = summary.inTheWay
                    _ = try? await jobs.apply(.inTheWay(known), to: folder.folder, of: job)
                    await supervisor.setLocks()
                }
                if summary.inUse.ends, let job = await jobs.job(job) {
                    await terminator.end(summary.inUse.by, for: job)
                }
            }
            // What is rendered now does not delay the folder's end.
            work.context.state.renderTrace(job: job, folder: folder.folder, isOver: false)
            // Writing the job's file costs more than a step; but nobody waits for this at the folder's end.
            let next = MonotonicClock.seconds + 0.2
            while !Task.isCancelled, MonotonicClock.seconds < next {
                watch.wait(seconds: next - MonotonicClock.seconds)
            }
            if !Task.isCancelled { watch.wait(seconds: 1) }
        }
    }

    private func log(_ summary: LedgerSummary, _ logged: LoggedSteps, _ update: String) {
        if isUndo { return }
        for number in logged.new(of: summary.finished) {
            guard let step = folder.step(number), step.kind.isRun, summary.warnings[number] == nil else { continue }
            work.context.logger.log(
                .stepDone, "\(work.endpoint.name)/\(folder.folder): \(step.title) is done",
                EventFields(
                    job: job, endpoint: work.endpoint.name, folder: folder.folder, update: update,
                    step: step.title))
        }
    }

    private func show(_ summary: LedgerSummary) async {
        let done = summary.finished.union(summary.equal).count
        let step = summary.started.flatMap { folder.step($0.step)?.title } ?? ""
        _ = try? await jobs.apply(
            .progress(.init(done: done, total: folder.steps.count, step: step)), to: folder.folder, of: job)
    }
}

/// The steps of which it was logged that they are done: by an earlier daemon, or by this one.
private final class LoggedSteps: Sendable {
    private let logged: Mutex<Set<Int>>

    init(_ before: Set<Int>) { logged = Mutex(before) }

    /// Those that are new, in their order.
    func new(of finished: Set<Int>) -> [Int] {
        logged.withLock { logged in
            defer { logged.formUnion(finished) }
            return finished.subtracting(logged).sorted()
        }
    }
}
