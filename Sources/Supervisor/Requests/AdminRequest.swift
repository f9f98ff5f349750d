import PatchJSON
import PatchModel

/// What a request asks for (contract §7).
enum AdminRequest: Equatable {
    case resume(job: Int, assumeDone: String?, skip: [String])
    case cancel(job: Int)
    case rollback(job: Int, discardsData: Bool)
    case rollbackFolder(endpoint: String, folder: String, to: Version?, discardsData: Bool)
    case baseline(endpoint: String, folder: String, Version, migrations: MigrationName?)
    case catchup(endpoint: String, folder: String, force: Bool)
    case approve(job: Int, sha256: String?, options: JSONValue?)
    case decline(job: Int)
    case mark(UpdateName, unstable: Bool)
    case forget(endpoint: String, folder: String?)
    case gc

    private static let folderKeys = ["endpoint", "folder", "target"]

    /// What a command may have besides its word.
    private static let keys: [String: [String]] = [
        "resume": ["job", "assumeDone", "skip"], "cancel": ["job"], "decline": ["job"],
        "approve": ["job", "sha256", "options"], "rollback": folderKeys + ["job", "to", "discardData"],
        "baseline": folderKeys + ["version", "migrations"], "catchup": folderKeys + ["force"],
        "markUnstable": ["update"],
        "markStable": ["update"], "forget": folderKeys, "gc": [],
    ]

    /// The word of a request, also of one that is refused; nil where there is none.
    static func word(_ bytes: [UInt8]) -> String? {
        let reader = try? JSONReader(strictJSON: bytes, file: "", refusedAs: .optionsInvalid)
        let word = try? reader?.anyObject().first { $0.name == "command" }?.value.text()
        return word.map { String($0.prefix(40)) }
    }

    /// The job that it names.
    var job: Int? {
        switch self {
        case .resume(let job, _, _), .cancel(let job), .rollback(let job, _), .approve(let job, _, _),
            .decline(let job):
            job
        case .rollbackFolder, .baseline, .catchup, .mark, .forget, .gc: nil
        }
    }

    /// The endpoint and folder that it names.
    var place: (endpoint: String?, folder: String?) {
        switch self {
        case .rollbackFolder(let endpoint, let folder, _, _), .baseline(let endpoint, let folder, _, _),
            .catchup(let endpoint, let folder, _):
            (endpoint, folder)
        case .forget(let endpoint, let folder): (endpoint, folder)
        case .resume, .cancel, .rollback, .approve, .decline, .mark, .gc: (nil, nil)
        }
    }

    /// The archive or update that it names, for the audit record.
    var named: (sha256: String?, update: String?) {
        switch self {
        case .approve(_, let sha256, _): (sha256, nil)
        case .mark(let update, _): (nil, update.description)
        default: (nil, nil)
        }
    }

    /// Whether it decides on the archive of its job.
    var decidesOnArchive: Bool {
        switch self {
        case .approve, .decline: true
        default: false
        }
    }

    /// What carries it out.
    var command: any RequestCommand {
        switch self {
        case .resume(let job, let assumed, let skipped): ResumeCommand(job: job, assumed: assumed, skipped: skipped)
        case .cancel(let job): CancelCommand(job: job)
        case .rollback(let job, let discardsData): RollbackCommand(subject: .job(job), discardsData: discardsData)
        case .rollbackFolder(let endpoint, let folder, let version, let discardsData):
            RollbackCommand(
                subject: .folder(endpoint: endpoint, folder: folder, to: version), discardsData: discardsData)
        case .baseline(let endpoint, let folder, let version, let migrations):
            BaselineCommand(endpoint: endpoint, folder: folder, version: version, migrations: migrations)
        case .catchup(let endpoint, let folder, let force):
            CatchupCommand(endpoint: endpoint, folder: folder, force: force)
        case .approve(let job, let sha256, let options): ApproveCommand(job: job, sha256: sha256, options: options)
        case .decline(let job): DeclineCommand(job: job)
        case .mark(let update, let isUnstable): MarkCommand(update: update, isUnstable: isUnstable)
        case .forget(let endpoint, let folder): ForgetCommand(endpoint: endpoint, folder: folder)
        case .gc: GCCommand()
        }
    }

    /// Reads a request.
    ///
    /// - Throws: ``Refusal``; its code is none of a request's answer.
    init(_ bytes: [UInt8], file: String) throws(Refusal) {
        let reader = try JSONReader(strictJSON: bytes, file: file, refusedAs: .optionsInvalid)
        guard let named = try reader.anyObject().first(where: { $0.name == "command" })?.value else {
            throw reader.refusal("the key \"command\" is missing")
        }
        let word = try named.text()
        guard let keys = Self.keys[word] else {
            throw reader.refusal(
                "command \"\(word.prefix(40))\" is not supported\(Suggestion.hint(for: word, in: Self.keys.keys.sorted()))"
            )
        }
        let members = try reader.object(required: ["command"], optional: keys)
        let job = try members["job"]?.integer()
        func needed() throws(Refusal) -> Int {
            guard let job else { throw reader.refusal("\(word) needs \"job\"") }
            return job
        }
        switch word {
        case "resume":
            self = .resume(
                job: try needed(), assumeDone: try members["assumeDone"]?.text(),
                skip: try members["skip"]?.texts() ?? [])
        case "cancel": self = .cancel(job: try needed())
        case "rollback" where job != nil:
            self = .rollback(job: try needed(), discardsData: try members["discardData"]?.flag() ?? false)
        case "rollback", "catchup":
            let (endpoint, folder) = try Self.folder(reader, members, word)
            let to = try members["to"]?.text()
            guard to == nil || to.flatMap(Version.init) != nil else { throw reader.refusal("\"to\" is no version") }
            self =
                word == "catchup"
                ? .catchup(endpoint: endpoint, folder: folder, force: try members["force"]?.flag() ?? false)
                : .rollbackFolder(
                    endpoint: endpoint, folder: folder, to: to.flatMap(Version.init),
                    discardsData: try members["discardData"]?.flag() ?? false)
        case "baseline":
            let (endpoint, folder) = try Self.folder(reader, members, word)
            guard let version = try members["version"].flatMap({ (text) throws(Refusal) in Version(try text.text()) })
            else { throw reader.refusal("baseline needs \"version\", a version") }
            let name = try members["migrations"]?.text()
            guard name == nil || name.flatMap(MigrationName.init) != nil else {
                throw reader.refusal(
                    "\"migrations\" names the last migration that is done, as its file is called (0042_x.sql); "
                        + "\"\(name?.prefix(80) ?? "")\" has no number at its start")
            }
            self = .baseline(
                endpoint: endpoint, folder: folder, version, migrations: name.flatMap(MigrationName.init))
        case "approve":
            self = .approve(
                job: try needed(), sha256: try members["sha256"]?.text(), options: members["options"]?.value)
        case "decline": self = .decline(job: try needed())
        case "markUnstable", "markStable":
            guard let update = try members["update"].flatMap({ (text) throws(Refusal) in UpdateName(try text.text()) })
            else { throw reader.refusal("\(word) needs \"update\", as NAME or NAME@VERSION") }
            self = .mark(update, unstable: word == "markUnstable")
        case "forget":
            let parts = try members["target"]?.text().split(separator: "/").map(String.init) ?? []
            guard let endpoint = try members["endpoint"]?.text() ?? parts.first, parts.count <= 2 else {
                throw reader.refusal("forget needs \"endpoint\", and \"folder\" for one folder alone")
            }
            self = .forget(endpoint: endpoint, folder: try members["folder"]?.text() ?? parts.dropFirst().first)
        default: self = .gc
        }
    }

    private static func folder(
        _ reader: JSONReader, _ members: [String: JSONReader], _ word: String
    ) throws(Refusal) -> (String, String) {
        if let endpoint = try members["endpoint"]?.text(), let folder = try members["folder"]?.text() {
            return (endpoint, folder)
        }
        let parts = try members["target"]?.text().split(separator: "/").map(String.init) ?? []
        guard parts.count == 2 else {
            throw reader.refusal("\(word) needs \"endpoint\" and \"folder\"\(word == "rollback" ? ", or \"job\"" : "")")
        }
        return (parts[0], parts[1])
    }
}
