import ArgumentParser
import Glibc
import PatchFiles
import PatchLedger
import PatchModel
import PatchStore

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the files that patchd installed, content and mode, with the folders.",
        discussion: "Exits 1 where they differ.")

    @Argument(help: "ENDPOINT/FOLDER, ENDPOINT or FOLDER; default: all.", completion: .targets)
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let worker = try Worker()
        var report = VerifyReport(ok: true, folders: [])
        for state in try Target(target).folders(directories) {
            let (changed, missing) = try look(state, worker)
            report.folders.append(
                .init(endpoint: state.endpoint, folder: state.folder, changed: changed, missing: missing))
            if !changed.isEmpty || !missing.isEmpty { report.ok = false }
        }
        if json {
            try Output.json(report)
        } else {
            for folder in report.folders {
                let place = "\(folder.endpoint)/\(folder.folder)"
                for file in folder.changed { Output.line("changed  \(place)  \(file)") }
                for file in folder.missing { Output.line("missing  \(place)  \(file)") }
            }
            if report.ok { Notes.line("\(report.folders.count) folders are as patchd left them") }
        }
        if !report.ok { throw ExitStatus.failed.exit }
    }

    private func look(_ state: FolderState, _ worker: borrowing Worker) throws -> ([String], [String]) {
        guard let version = state.version ?? Version("0") else { return ([], []) }
        var plan = FolderPlan(
            folder: state.folder, parent: nil, path: state.path, state: .upToDate, from: version, to: version)
        plan.steps = try modes(state)
        let order = WorkOrder(job: 0, endpoint: state.endpoint, update: state.update, scriptTimeout: 0, plan: plan)
        let summary = try worker.look("verify", order, as: user(state))
        if case .failed(_, _, let message) = summary.outcome { throw Failure("\(state.folder): \(message)") }
        return summary.verified ?? ([], [])
    }

    /// The files for which an archive asked for a mode, by the last job that brought each: the folder's own record has
    /// contents only.
    private func modes(_ state: FolderState) throws -> [PlannedStep] {
        var steps: [String: PlannedStep] = [:]
        var undone: Set<Int> = []
        do {
            for entry in try directories.state.history(state.folder, of: state.endpoint).reversed() {
                undone.formUnion(entry.undone ?? [])
                guard entry.state == .done, entry.operation == .apply, !undone.contains(entry.job),
                    let plans = try directories.state.plan(job: entry.job)?.endpoints
                else { continue }
                let own = plans.first { $0.endpoint == state.endpoint }?.folders.first { $0.folder == state.folder }
                for step in own?.steps ?? [] where step.kind == .file && steps[step.path] == nil {
                    steps[step.path] = step
                }
            }
        } catch {
            guard error.isPermission else { throw Failure(error.description) }
            Notes.line("\(state.folder): modes are not compared; \(Directories.groupHint)")
            return []
        }
        return steps.values.filter { $0.mode != nil && !$0.keep }.sorted { $0.path < $1.path }
    }

    private func user(_ state: FolderState) -> UserIdentity? {
        guard geteuid() == 0, let entry = getpwnam(state.owner), entry.pointee.pw_uid != 0 else { return nil }
        return UserIdentity(uid: entry.pointee.pw_uid)
    }
}

/// `verify --json`.
struct VerifyReport: Encodable {
    struct Folder: Encodable {
        var endpoint: String
        var folder: String
        var changed: [String]
        var missing: [String]
    }

    var schema = 1
    var ok: Bool
    var folders: [Folder]
}
