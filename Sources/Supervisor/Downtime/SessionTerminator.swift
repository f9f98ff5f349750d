import Glibc
import Logging
import PatchFiles
import PatchModel

/// Ends who keeps a folder's database in use after a worker asked for it. The worker runs as the folder's owner, so its
/// word is no proof: only a process that has this very database open is touched, and what its unit is called is looked
/// up anew.
struct SessionTerminator: Sendable {
    let context: DaemonContext
    let endpoint: Endpoint
    let folder: Folder
    let quiesce: Quiesce?
    /// By process and its start, when it was asked to end.
    private var asked: [String: Double] = [:]

    /// Seconds after which a process that has no unit is killed.
    private static let patience = 10.0

    init(context: DaemonContext, endpoint: Endpoint, folder: Folder, quiesce: Quiesce?) {
        self.context = context
        self.endpoint = endpoint
        self.folder = folder
        self.quiesce = quiesce
    }

    /// Ends those who are still there; to be called again until the worker gets on.
    mutating func end(_ blockers: [Blocker], for job: Job) async {
        for blocker in blockers {
            guard let pid = blocker.pid, pid > 1, pid != getpid(), let database = DatabaseFile(folder) else { continue }
            let process = RunningProcess(pid)
            guard process.started == blocker.started, database.isOpen(in: process) else { continue }
            await end(process, for: job)
        }
    }

    private mutating func end(_ process: RunningProcess, for job: Job) async {
        let key = "\(process.pid) \(process.started)"
        let unit = process.unit.flatMap { $0.hasSuffix(".service") && !$0.hasPrefix("user@") ? $0 : nil }
        let name = "\(process.name ?? "?") (pid \(process.pid)\(unit.map { ", \($0)" } ?? ""))"
        if let unit, let quiesce, context.units.areManaged, !unit.hasPrefix("patchd") {
            if asked[key] != nil { return }
            asked[key] = MonotonicClock.seconds
            log("stops \(unit), which has its database in use", job)
            do {
                try await quiesce.stop(inTheWay: unit, of: folder.name, job: job)
            } catch {
                context.logger.log(
                    .unitNotStopped,
                    "cannot stop \(unit), which is in the way of \(endpoint.name)/\(folder.name): \(error)",
                    EventFields(
                        job: job.job, endpoint: endpoint.name, folder: folder.name, update: job.update, unit: unit))
            }
            return
        }
        let since = asked[key]
        if since == nil {
            asked[key] = MonotonicClock.seconds
            log("ends \(name), which has its database in use", job)
            kill(process.pid, SIGTERM)
        } else if let since, MonotonicClock.seconds - since >= Self.patience {
            kill(process.pid, SIGKILL)
        }
    }

    private func log(_ what: String, _ job: Job) {
        context.logger.log(
            .sessionEnded, "\(endpoint.name)/\(folder.name): \(what)",
            EventFields(job: job.job, endpoint: endpoint.name, folder: folder.name, update: job.update))
    }
}
