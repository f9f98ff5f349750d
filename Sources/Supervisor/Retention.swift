import Logging
import PatchFiles
import PatchLedger
import PatchModel
import PatchPlan
import PatchStore

/// Lets go of what is kept for undoing: originals in the folders and archives, but for the newest jobs of each endpoint
/// (`retain`). Histories, traces and states stay.
struct Retention: Sendable {
    let host: Host
    let jobs: JobTable
    let slots: WorkerSlots

    /// Forgets what an endpoint's old jobs keep, then archives that no job of any endpoint needs.
    ///
    /// - Returns: how many jobs were forgotten.
    @discardableResult
    func run(_ endpoint: Endpoint) async throws -> Int {
        // What a job needs that cannot be read is not known.
        if !jobs.damaged.isEmpty { return 0 }
        let all = await jobs.all(of: endpoint.name).filter { $0.operation == .apply && $0.state != .declined }
            .sorted { $0.order < $1.order }
        let old = all.filter { $0.state.isFinal && !$0.isHolding }.dropLast(host.configuration.daemon.retain)
        var count = 0
        for job in old where try await forget(job, endpoint) { count += 1 }
        try await removeArchives()
        return count
    }

    /// Whether there was something to forget.
    private func forget(_ job: Job, _ endpoint: Endpoint) async throws -> Bool {
        let work = FolderRun(host: host, endpoint: endpoint, slots: slots, jobs: jobs)
        var found = false
        for folder in endpoint.activeFolders.map(\.name) {
            guard try host.state.hasLedger(job: job.job, folder: folder) else { continue }
            let summary = try work.summary(job.job, folder)
            guard summary.order != nil, !summary.isForgotten, summary.isPrepared else { continue }
            do {
                try work.resume(job.job, folder)
                _ = try await work.run(.forget, job, folder) { $0.isForgotten }
                found = true
            } catch {
                host.log.tell(
                    .notForgotten, "cannot remove what job \(job.job) keeps in \(endpoint.name)/\(folder): \(error)",
                    EventFields(job: job.job, endpoint: endpoint.name, folder: folder, update: job.update))
            }
        }
        if found {
            host.log.tell(
                .forgotten, "job \(job.job) on \(endpoint.name) can no longer be rolled back: newer ones are kept",
                EventFields(job))
        }
        return found
    }

    private func removeArchives() async throws {
        var needed: Set<String> = []
        for endpoint in host.configuration.endpoints {
            let all = await jobs.all(of: endpoint.name)
            needed.formUnion(all.filter { !$0.state.isFinal || $0.isHolding }.map(\.sha256))
            needed.formUnion(
                all.filter { $0.operation == .apply && $0.state != .declined }.sorted { $0.order < $1.order }.suffix(
                    host.configuration.daemon.retain
                ).map(\.sha256))
        }
        let archives = try host.state.directory("archives")
        for name in try archives.names() where !name.hasPrefix(".") && !needed.contains(name) {
            // An archive that is being taken has no job yet.
            if try await isBeingTaken(name) { continue }
            try archives.removeTree(name)
        }
    }

    private func isBeingTaken(_ sha256: String) async throws -> Bool {
        let intake = try host.state.directory("intake")
        for id in try intake.names() {
            guard let bytes = try intake.readFile("\(id)/claim.json") else { return true }
            if let claim = try? JSONText.read(Claim.self, bytes), claim.sha256 == sha256 { return true }
        }
        return false
    }
}
