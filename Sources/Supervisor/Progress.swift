import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

/// Keeps a folder's progress in the job's file true while a worker is at it, from the ledger that the worker writes.
struct Progress: Sendable {
    let jobs: JobTable
    let work: FolderRun
    let job: Int
    let folder: FolderPlan
    /// Who ends those that are in the way.
    let quiesce: Quiesce
    /// Whether the steps are being undone: how far that is, is not shown.
    var isWayBack = false

    /// Runs `body` to its end and shows meanwhile how far it is.
    func shown(
        during body: @escaping @Sendable () async throws -> LedgerSummary
    ) async throws -> LedgerSummary {
        let watch = try DirectoryWatch([])
        watch.watch(file: work.host.state.path + "/jobs/\(job)/ledger/\(folder.folder)")
        return try await withThrowingTaskGroup(of: LedgerSummary?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await withTaskCancellationHandler {
                    await follow(watch)
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

    private func follow(_ watch: DirectoryWatch) async {
        guard let own = work.endpoint.folders.first(where: { $0.name == folder.folder }) else { return }
        var eviction = Eviction(host: work.host, endpoint: work.endpoint, folder: own, quiesce: quiesce)
        while !Task.isCancelled {
            // A progress that cannot be shown is no reason to stop; the ledger is what counts.
            if let summary = try? work.summary(job, folder.folder) {
                if !isWayBack { await show(summary) }
                if summary.inUse.ends, let job = await jobs.job(job) { await eviction.end(summary.inUse.by, for: job) }
            }
            // Writing the job's file costs more than a step; but nobody waits for this at the folder's end.
            let next = MonotonicClock.seconds + 0.2
            while !Task.isCancelled, MonotonicClock.seconds < next {
                watch.wait(seconds: next - MonotonicClock.seconds)
            }
            if !Task.isCancelled { watch.wait(seconds: 1) }
        }
    }

    private func show(_ summary: LedgerSummary) async {
        let done = summary.finished.union(summary.equal).count
        let step = summary.started.flatMap { folder.step($0.step)?.title } ?? ""
        _ = try? await jobs.change(job) { job in
            job.folders[folder.folder]?.progress = .init(done: done, total: folder.steps.count, step: step)
        }
    }
}
