import ArgumentParser
import Glibc
import PatchJSON
import PatchModel
import PatchStore

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare a program's version with its folder's.",
        discussion: """
            Exits 0 when they are the same, 7 when the program is too new for the folder, 8 when it is too old. The folder's \
            version decides, because its data have that version; where none is known, the recommended one does.
            """)

    @Argument(help: "ENDPOINT/FOLDER.", completion: .folders)
    var folder: String

    @Argument(help: "The program's version.")
    var version: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var directories: Directories

    func run() throws {
        let given = try Version(argument: version)
        let folder = try ApplicationFolder(folder, in: directories)
        let recommended = folder.state.recommendedVersion
        guard let wanted = folder.state.version ?? recommended else {
            throw Failure(
                "no version of \(folder.name) is known; an admin says which it has: patchctl baseline \(folder.name) VERSION"
            )
        }
        let verdict: CheckReport.Verdict = given > wanted ? .tooNew : given < wanted ? .tooOld : .current
        if json {
            try Output.json(
                CheckReport(
                    endpoint: folder.endpoint, folder: folder.folder,
                    version: OrNull(wrappedValue: folder.state.version),
                    recommendedVersion: OrNull(wrappedValue: recommended), given: given, verdict: verdict,
                    archive: OrNull(wrappedValue: archive(of: wanted, on: folder.endpoint))))
        } else {
            Output.line("\(given) is \(verdict.words) for \(folder.name), which has \(wanted)")
        }
        if let recommended, recommended != wanted {
            Notes.line(
                "\(recommended) is recommended on \(folder.endpoint); \(folder.name) has \(wanted), and programs follow the folder"
            )
        }
        if verdict != .current { throw verdict.status.exit }
    }

    /// The newest kept archive that brought a version; nil also for who may not read jobs.
    private func archive(of version: Version, on endpoint: String) -> String? {
        guard let jobs = try? directories.liveJobs() else { return nil }
        return jobs.reversed().lazy.filter { job in
            job.endpoint == endpoint && job.version == version && job.operation == .apply && job.state == .done
        }.map { job in "\(directories.stateDir)/\(StateDirectory.place(ofArchive: job.sha256))/archive.zip" }
            // Not everybody may look: only ENOENT says that it is not kept.
            .first { access($0, F_OK) == 0 || errno == EACCES }
    }
}

/// `check --json`.
struct CheckReport: Encodable {
    enum Verdict: String, Encodable {
        case current, tooNew, tooOld

        var words: String {
            switch self {
            case .current: "current"
            case .tooNew: "too new"
            case .tooOld: "too old"
            }
        }

        var status: ExitStatus {
            switch self {
            case .current: .fine
            case .tooNew: .tooNew
            case .tooOld: .tooOld
            }
        }
    }

    var schema = 1
    var endpoint: String
    var folder: String
    @OrNull var version: Version?
    @OrNull var recommendedVersion: Version?
    var given: Version
    var verdict: Verdict
    @OrNull var archive: String?
}
