import ArgumentParser
import Glibc
import PatchFiles
import PatchLedger
import PatchModel

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the files that patchd brought with what is there now; exit code 1 where they differ.")

    @Argument(help: "ENDPOINT/FOLDER, ENDPOINT or FOLDER; default: all.")
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
                for file in folder.changed { Output.write("changed  \(place)  \(file)") }
                for file in folder.missing { Output.write("missing  \(place)  \(file)") }
            }
            if report.ok { Notes.write("\(report.folders.count) folders are as patchd left them") }
        }
        if !report.ok { throw Code.failed.exit }
    }

    private func look(_ state: FolderState, _ worker: borrowing Worker) throws -> ([String], [String]) {
        guard let version = state.version ?? Version("0") else { return ([], []) }
        let plan = FolderPlan(
            folder: state.folder, parent: nil, path: state.path, state: .upToDate, from: version, to: version)
        let order = WorkOrder(job: 0, endpoint: state.endpoint, update: state.update, scriptTimeout: 0, plan: plan)
        let summary = try worker.look("verify", order, as: user(state))
        if case .failed(_, _, let message) = summary.outcome { throw Failure("\(state.folder): \(message)") }
        return summary.verified ?? ([], [])
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
