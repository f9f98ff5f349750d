import Glibc
import Logging
import PatchFiles
import PatchModel
import PatchPlan

/// Ends those who keep a folder's database in use after a worker asked for it. The worker runs as the folder's owner, so
/// its word is no proof: only a process that has this very database open is touched, and what its unit is called is looked
/// up again.
struct SessionTerminator: Sendable {
    private struct Asked {
        let process: RunningProcess
        /// Infinite for one that was not asked.
        let since: Double
    }

    let context: DaemonContext
    let endpoint: Endpoint
    let folder: Folder
    let quiesce: Quiesce?
    /// By process and its start, those that were asked to end and may not have ended yet.
    private var asked: [String: Asked] = [:]

    /// Seconds after which a process that was asked to end is killed.
    private static let patience = 10.0

    init(context: DaemonContext, endpoint: Endpoint, folder: Folder, quiesce: Quiesce?) {
        self.context = context
        self.endpoint = endpoint
        self.folder = folder
        self.quiesce = quiesce
    }

    /// Ends those who are still there; to be called again until the worker gets on.
    ///
    /// - Parameter blockers: whom the worker named last; those named before are remembered.
    mutating func end(_ blockers: [Blocker], for job: Job) async {
        guard let database = DatabaseFile(folder) else { return }
        for blocker in blockers {
            guard let pid = blocker.pid, pid > 1, pid != getpid() else { continue }
            let process = RunningProcess(pid)
            let key = "\(pid) \(blocker.started)"
            // What is looked at after the handle was taken is that of the handle's process.
            guard asked[key] == nil, let handle = ProcessHandle(process), process.started == blocker.started,
                database.isOpen(in: process)
            else { continue }
            asked[key] = await ask(process, handle, for: job)
        }
        for (key, target) in asked {
            let handle = ProcessHandle(target.process)
            guard let handle, "\(target.process.pid) \(target.process.started)" == key,
                database.isOpen(in: target.process)
            else {
                asked[key] = nil
                continue
            }
            if context.clocks.seconds - target.since >= Self.patience { send(SIGKILL, to: handle, job) }
        }
    }

    private func ask(_ process: RunningProcess, _ handle: borrowing ProcessHandle, for job: Job) async -> Asked {
        let unit = process.unit
        let command = process.name ?? "?"
        let name = "\(command) (pid \(process.pid)\(unit.map { ", \($0)" } ?? ""))"
        switch decision(process, unit, command) {
        case .leave:
            log("leaves \(name) alone, which has its database in use", job)
            return Asked(process: process, since: .infinity)
        case .stopUnit(let unit):
            log("stops \(unit), whose process \(name) has its database in use", job)
            do {
                try await quiesce?.stop(inTheWay: unit, of: folder.name, job: job)
            } catch is CancellationError {
                // The folder is through: nobody waits for the unit any more.
            } catch {
                context.logger.log(
                    .unitNotStopped,
                    "cannot stop \(unit), which is in the way of \(endpoint.name)/\(folder.name): \(error)",
                    EventFields(
                        job: job.job, endpoint: endpoint.name, folder: folder.name, update: job.update, unit: unit))
            }
        case .endProcess:
            log("ends \(name), which has its database in use", job)
            send(SIGTERM, to: handle, job)
        }
        return Asked(process: process, since: context.clocks.seconds)
    }

    /// One that it does not reach stays in the way, and is tried again; the worker's patience ends it.
    private func send(_ number: Int32, to process: borrowing ProcessHandle, _ job: Job) {
        let problem: String?
        do { problem = try context.workers.signal(process, number) } catch { problem = "\(error)" }
        if let problem { log("cannot end \(process.descriptor.path): \(problem)", job) }
    }

    private func decision(_ process: RunningProcess, _ unit: String?, _ command: String) -> SessionEnd {
        let isWorker = command.hasPrefix("patchd")
        guard let unit, let quiesce, context.units.areManaged else {
            return .of(unit: nil, isMain: false, isWorker: isWorker, own: [])
        }
        let isMain = (try? context.units.unit(unit))?.mainPID == process.pid
        let own = (try? quiesce.named(endpoint.tasks.stop, folders: [folder.name])) ?? [:]
        return .of(unit: unit, isMain: isMain, isWorker: isWorker, own: Set(own.keys))
    }

    private func log(_ what: String, _ job: Job) {
        context.logger.log(
            .sessionEnded, "\(endpoint.name)/\(folder.name): \(what)",
            EventFields(job: job.job, endpoint: endpoint.name, folder: folder.name, update: job.update))
    }
}
