import Logging
import PatchFiles
import PatchJSON
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// Removes what is kept for undoing: originals in the folders and archives, but for the newest jobs of each endpoint
/// (`retain`). Histories, traces and states stay.
struct Retention: Sendable {
    let context: DaemonContext
    let jobs: JobStore
    let slots: WorkerSlots

    /// Forgets what an endpoint's old jobs keep, then archives that no job of any endpoint needs.
    ///
    /// - Returns: how many jobs were forgotten.
    @discardableResult
    @concurrent func run(_ endpoint: Endpoint) async throws -> Int {
        // What a job needs that cannot be read is not known.
        if !jobs.damaged.isEmpty { return 0 }
        let retain = context.configuration.daemon.retain
        let all = await jobs.all(of: endpoint.name)
        let kept = Self.kept(all, retain: retain)
        // What `status` shows of the last failure is read from the jobs that stay known.
        let shown = Job.lastEnds(of: all)
        var count = 0
        var settled: [Int] = []
        for job in all where job.state.isFinal && !job.isHolding && !kept.contains(job.job) {
            let isForgotten = try await forgetAll(of: job, endpoint, &count)
            if isForgotten, !shown.contains(job.job) { settled.append(job.job) }
        }
        try await jobs.settle(settled)
        let archives = try context.state.directory("archives")
        let endpoints = context.configuration.endpoints.map(\.name)
        for name in try await jobs.dropArchives(endpoints: endpoints, retain: retain) { try archives.removeTree(name) }
        return count
    }

    /// The newest jobs of an endpoint, and the newest of those that changed something: an archive that was dropped again and
    /// again, and found all folders up to date or failed its preflight, must not take the way back from the ones before it.
    static func kept(_ jobs: [Job], retain: Int) -> Set<Int> {
        let applied = jobs.filter { $0.operation == .apply && $0.state != .declined }.sorted { $0.order < $1.order }
        return Set((applied.suffix(retain) + applied.filter(\.hasBegun).suffix(retain)).map(\.job))
    }

    /// Forgets what an old job keeps.
    ///
    /// - Returns: whether no folder has anything of it any more, also none that is not active now.
    private func forgetAll(of job: Job, _ endpoint: Endpoint, _ count: inout Int) async throws -> Bool {
        // A test is looked at when it is over, and what took others back keeps nothing.
        guard job.operation == .apply, try context.state.hasWork(ofJob: job.job) else { return true }
        if try await forget(job, endpoint) { count += 1 }
        let isForgotten = try job.folders.keys.allSatisfy { folder in
            let summary = try jobs.ledgers.summary(job.job, folder)
            return summary.isForgotten || !summary.isPrepared
        }
        if isForgotten { try context.state.forgetWork(ofJob: job.job) }
        return isForgotten
    }

    /// Whether there was something to forget.
    private func forget(_ job: Job, _ endpoint: Endpoint) async throws -> Bool {
        let work = WorkerRun(context: context, endpoint: endpoint, slots: slots, jobs: jobs)
        var found = false
        for folder in endpoint.activeFolders.map(\.name) {
            guard try context.state.hasLedger(job: job.job, folder: folder) else { continue }
            let summary = try work.summary(job.job, folder)
            guard !summary.isForgotten, summary.isPrepared else { continue }
            do {
                try work.resume(job.job, folder)
                _ = try await work.run(.forget, job, folder) { $0.isForgotten }
                found = true
            } catch {
                context.logger.log(
                    .notForgotten, "cannot remove what job \(job.job) keeps in \(endpoint.name)/\(folder): \(error)",
                    EventFields(job: job.job, endpoint: endpoint.name, folder: folder, update: job.update))
            }
        }
        if found {
            context.logger.log(
                .forgotten, "job \(job.job) on \(endpoint.name) can no longer be rolled back: newer ones are kept",
                EventFields(job))
        }
        return found
    }
}

extension JobStore {
    /// Takes the archives that no job needs out of use. No job comes meanwhile: it is made here, and as long as it is not made
    /// the claim of its drop is there.
    ///
    /// - Returns: their new names in `archives/`, to be removed.
    fileprivate func dropArchives(endpoints: [String], retain: Int) throws -> [String] {
        var needed = try claimed().union(arriving.filter { $0.value > 0 }.keys)
        // Also of endpoints that are not configured now.
        needed.formUnion(jobs.values.filter { !$0.state.isFinal || $0.isHolding }.map(\.sha256))
        for endpoint in endpoints {
            let all = all(of: endpoint)
            let kept = Retention.kept(all, retain: retain)
            needed.formUnion(all.filter { kept.contains($0.job) }.map(\.sha256))
        }
        let archives = try state.directory("archives")
        var dropped: [String] = []
        for name in try archives.names() where !name.hasPrefix(".") && !needed.contains(name) {
            let gone = ".\(name).\(UInt64.random(in: .min ... .max))"
            try archives.rename(name, to: archives, gone)
            dropped.append(gone)
        }
        return dropped
    }

    /// The archives that are being taken and have no job yet.
    private func claimed() throws -> Set<String> {
        let intake = try state.directory("intake")
        var claimed: Set<String> = []
        for id in try intake.names() {
            // What has no claim is not looked up among the archives yet.
            guard let bytes = try intake.readFile("\(id)/claim.json") else { continue }
            claimed.insert(try JSONText.read(IntakeClaim.self, bytes).sha256)
        }
        return claimed
    }
}
