import Foundation
import Glibc
import Support
import Testing

/// A throw-away host with one endpoint, the model's counterpart: the real programs on real files.
final class ModelHost {
    let root: String
    private let folders: [ModelFolder]
    private let cache: String
    private let configuration: String
    /// The configuration as it was written last.
    private var written = ""
    private var requests = 0
    private var applications: [String: Application] = [:]

    /// The directory with the three programs.
    static let programs: String? = {
        let built = (#filePath as NSString).deletingLastPathComponent + "/../../.build/debug"
        let place = ProcessInfo.processInfo.environment["PATCHD_BIN"] ?? built
        return FileManager.default.isExecutableFile(atPath: place + "/patchd-worker") ? place : nil
    }()

    /// Where nothing has to reach a disk, so that syncing costs nothing; a sticky directory, as the owner's rule wants.
    static let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"

    /// Why a sequence does not go on: a program that does not end, or locks that were gone for a moment.
    struct Stuck: Error {
        var lines: [String]
    }

    init(_ model: Model, cache: String) throws {
        let place = "\(Self.base)/patchd-model-\(UInt64.random(in: .min ... .max))"
        root = place
        let lines = model.folders.map { folder in
            "  - {name: \(folder.name), version: \(folder.version).0"
                + (folder.rows == nil ? ", modules: [ELSE]" : ", modules: [SQL], database: \"sqlite:app.db\"")
                + (folder.parent.map { ", parent: \($0)}" } ?? ", type: supervisor}")
        }
        configuration =
            "endpoint: farm\npath: \(place)/srv\n\(geteuid() == 0 ? "owner: root\n" : "")"
            + (model.asksForApproval ? "approval: required\n" : "")
            + "onFailure: \(model.onFailure.rawValue)\nfolders:\n\(lines.joined(separator: "\n"))\n"
        folders = model.folders
        self.cache = cache
        for name in [
            "etc/endpoints.d", "spool/incoming", "spool/requests/done", "spool/holds", "state", "run", "fail",
            "disturbed",
        ]
            + folders.map({ "srv/\($0.name)" })
        {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        // A disk of its own, so that it can run full.
        if geteuid() == 0 {
            try Command.tool("/bin/mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "none", "\(root)/state")
        }
        for folder in folders { try write("a\n", "srv/\(folder.name)/a.dat", mode: 0o644) }
        try configure(configuration)
        try write("retain: \(model.retain)\n", "etc/patchd.yaml")
        for folder in folders where folder.rows != nil {
            try #require(rows(folder.name, "CREATE TABLE row (version INTEGER)") != nil)
        }
        // Folders are known from the daemon's first start on; an application is not let into others.
        _ = try once(nil)
    }

    deinit {
        applications = [:]
        umount2("\(root)/state", Int32(MNT_DETACH))
        if ProcessInfo.processInfo.environment["KEEP"] == nil { try? FileManager.default.removeItem(atPath: root) }
    }

    private func write(_ text: String, _ relative: String, mode: mode_t = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(relative)"))
        chmod("\(root)/\(relative)", mode)
    }

    // MARK: Commands

    /// Carries out a command.
    ///
    /// - Parameter before: the model before it, for the causes that are removed.
    /// - Returns: the answer's code where there is one, and the exit code; that is nil where the daemon was killed.
    func carryOut(_ step: Step, before: Model) throws -> (answer: String?, exit: Int?) {
        var request: String?
        if case .missing(let folder) = step.trouble { try start(without: folder, before) }
        switch step.action {
        case .drop(let update, let exclude, let only, let failing):
            for folder in failing { try write("", "fail/\(update.cause(in: folder))") }
            let options = ["exclude": exclude, "only": only].filter { !$0.value.isEmpty }
            if !options.isEmpty {
                let text = try JSONSerialization.data(withJSONObject: options)
                try text.write(to: URL(fileURLWithPath: "\(root)/spool/incoming/u.zip.json"))
            }
            try FileManager.default.copyItem(
                atPath: update.archive(in: cache), toPath: "\(root)/spool/incoming/.u.part")
            rename("\(root)/spool/incoming/.u.part", "\(root)/spool/incoming/u.zip")
        case .byHand(let folder, let hand): try change("\(root)/srv/\(folder)", hand)
        case .hold(let target): try write("", "spool/holds/\(target).lock")
        case .unhold(let target): unlink("\(root)/spool/holds/\(target).lock")
        case .window(let isOpen):
            // Far enough away that none opens while the test runs.
            let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
            let far = days[(Calendar.current.component(.weekday, from: Date()) + 2) % 7]
            try configure((isOpen ? "" : "windows: [\(far) 02:00-03:00]\n") + configuration)
        case .enter(let folder): applications[folder] = try Application(folder, of: self)
        case .leave(let folder): applications[folder] = nil
        case .nothing: break
        case .gc(let retain):
            try write("retain: \(retain)\n", "etc/patchd.yaml")
            request = "{\"command\": \"gc\"}"
        case .approve(let job): request = "{\"command\": \"approve\", \"job\": \(job)}"
        case .decline(let job): request = "{\"command\": \"decline\", \"job\": \(job)}"
        case .cancel(let job): request = "{\"command\": \"cancel\", \"job\": \(job)}"
        case .resume(let job, let fixed, let assumed, let skip):
            if fixed, before.jobs.indices.contains(job - 1) {
                for folder in folders {
                    unlink("\(root)/fail/\(before.jobs[job - 1].update.cause(in: folder.name))")
                }
            }
            request =
                "{\"command\": \"resume\", \"job\": \(job)" + (assumed.map { ", \"assumeDone\": \"\($0)\"" } ?? "")
                + (skip.isEmpty ? "" : ", \"skip\": \(skip)") + "}"
        case .rollbackJob(let job): request = "{\"command\": \"rollback\", \"job\": \(job)}"
        case .rollbackFolder(let folder, let version):
            request =
                "{\"command\": \"rollback\", \"target\": \"farm/\(folder)\""
                + (version.map { ", \"to\": \"\($0).0\"}" } ?? "}")
        case .catchup(let folder):
            request = "{\"command\": \"catchup\", \"endpoint\": \"farm\", \"folder\": \"\(folder)\"}"
        }
        requests += 1
        let name = "r\(requests).json"
        if let request {
            try write(request, "spool/requests/.r")
            rename("\(root)/spool/requests/.r", "\(root)/spool/requests/\(name)")
        }
        var exit: Int?
        switch step.trouble {
        case .fullDisk where geteuid() == 0:
            fillDisk()
            _ = try once(nil)
            unlink("\(root)/state/fill")
            _ = try once(nil)
        case .diskRunsFull where geteuid() == 0:
            try write("", "fail/full")
            _ = try once(nil)
            unlink("\(root)/fail/full")
            unlink("\(root)/state/fill")
            _ = try once(nil)
        default: exit = try once(step.kill)
        }
        if request == nil { return (nil, exit) }
        return (try json("spool/requests/done/\(name)")["code"] as? String, exit)
    }

    private func configure(_ text: String) throws {
        try write(text, "etc/endpoints.d/farm.yaml")
        written = text
    }

    /// Starts the daemon with a configuration that lacks something. What is locked stays locked meanwhile.
    private func start(without folder: String?, _ before: Model) throws {
        if let folder {
            let lines = written.split(separator: "\n").filter { !$0.hasPrefix("  - {name: \(folder),") }
            try write(lines.joined(separator: "\n") + "\n", "etc/endpoints.d/farm.yaml")
        } else {
            unlink("\(root)/etc/endpoints.d/farm.yaml")
        }
        _ = try once(nil)
        let wanted = before.locks
        for folder in folders.map(\.name) {
            let found = (try? json("srv/\(folder)/update.lock"))?["phase"] as? String
            if found != wanted[folder] {
                let said = "\(folder) lock: the model says \(wanted[folder] ?? "-"), the program \(found ?? "-")"
                throw Stuck(lines: ["while the configuration lacked something:", said])
            }
        }
        try configure(written)
    }

    private func fillDisk() {
        let file = open("\(root)/state/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [65536, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, block, size) > 0 {}
        }
    }

    /// `patchd --once`, killed where asked for, and started again.
    private func once(_ kill: Step.Kill?) throws -> Int? {
        let order = kill.map { ["PATCHD_FAULT_POINT": "\($0.program):kill:\($0.at):\(root)/fired-\(requests)"] }
        let code = try run("patchd", ["--once", "--without-systemd"], order ?? [:]).code
        if code != 128 + SIGKILL { return Int(code) }
        _ = try run("patchd", ["--once", "--without-systemd"], [:])
        return nil
    }

    private func change(_ folder: String, _ hand: Action.Hand) throws {
        switch hand {
        case .change(let file):
            guard let handle = FileHandle(forWritingAtPath: "\(folder)/\(file)") else { return }
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("by hand\n".utf8))
            try handle.close()
        case .remove(let file): unlink("\(folder)/\(file)")
        case .make(let file):
            try FileManager.default.createDirectory(
                atPath: ("\(folder)/\(file)" as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("foreign\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
            chmod("\(folder)/\(file)", 0o644)
        case .removeLock: unlink("\(folder)/update.lock")
        case .copyLock(let other): try copy("\(root)/srv/\(other)/update.lock", "\(folder)/update.lock")
        case .copyArea(let other): try copy("\(root)/srv/\(other)/.patchd", "\(folder)/.patchd")
        }
    }

    private func copy(_ from: String, _ to: String) throws {
        guard FileManager.default.fileExists(atPath: from) else { return }
        try? FileManager.default.removeItem(atPath: to)
        try FileManager.default.copyItem(atPath: from, toPath: to)
    }

    // MARK: What can be seen

    /// What SQLite's own program says to a statement in a folder's database; nil when it fails.
    private func rows(_ folder: String, _ statement: String) throws -> String? {
        let said = "\(root)/sqlite"
        let command = try Command.start(
            ["/usr/bin/sqlite3", "\(root)/srv/\(folder)/app.db", statement], output: said)
        guard command.end(wait: true) == 0 else { return nil }
        return try String(contentsOfFile: said, encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    /// Where the applications are, once they are where they are expected or have had long enough to get there.
    func applications(expecting wanted: [String: String]) throws -> [String: String] {
        var picture: [String: String] = [:]
        for (folder, application) in applications {
            let key = "\(folder) application"
            picture[key] = application.place(expecting: wanted[key] ?? "")
        }
        picture["disturbed"] = names("disturbed").joined(separator: " ")
        return picture
    }

    /// The arguments that name this host's directories.
    var places: [String] {
        [
            "--config-dir", "\(root)/etc", "--spool-dir", "\(root)/spool", "--state-dir", "\(root)/state",
            "--runtime-dir", "\(root)/run",
        ]
    }

    /// Runs a program with this host's directories.
    func run(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) throws -> (code: Int32, output: Data) {
        // Files, not pipes: a worker outlives a killed daemon and would keep a pipe open.
        let command = try Command.start(
            ["\(try #require(Self.programs, "build first"))/\(program)"] + arguments + places,
            environment: environment, output: "\(root)/output", errors: "\(root)/errors")
        guard let code = command.end(within: 120) else {
            kill(command.process, SIGKILL)
            _ = command.end(wait: true)
            let said = try String(contentsOfFile: "\(root)/errors", encoding: .utf8).split(separator: "\n")
            throw Stuck(lines: ["\(program) has not ended within two minutes"] + said.suffix(8).map(String.init))
        }
        return (code, try Data(contentsOf: URL(fileURLWithPath: "\(root)/output")))
    }

    /// A JSON file as a dictionary.
    func json(_ relative: String) throws -> [String: Any] { try Self.object(Data(contentsOf: url(relative))) }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func url(_ relative: String) -> URL { URL(fileURLWithPath: "\(root)/\(relative)") }

    private func names(_ relative: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(relative)")) ?? []).sorted()
    }

    /// What the model's picture says, as the programs left it.
    func picture(withVerify: Bool) throws -> [String: String] {
        var picture: [String: String] = [:]
        for folder in folders {
            try look(at: folder.name, &picture)
            if folder.rows == nil { continue }
            picture["\(folder.name) rows"] = try rows(folder.name, "SELECT version FROM row ORDER BY version")
        }
        for number in names("state/jobs").compactMap({ Int($0) }) {
            let job = try json("state/jobs/\(number)/job.json")
            let state = job["state"] as? String ?? ""
            picture["job \(number)"] =
                "\(["queued", "waiting"].contains(state) ? "waiting" : state) \(job["code"] as? String ?? "")"
            for (folder, own) in job["folders"] as? [String: [String: Any]] ?? [:] {
                picture["job \(number) \(folder)"] = own["state"] as? String
            }
        }
        picture["rejected"] = "\(names("spool/rejected").count { $0.hasSuffix(".reason.json") })"
        picture["archives"] = "\(names("state/archives").count)"
        picture["stray"] = stray().joined(separator: " ")
        if withVerify {
            let (code, output) = try run("patchctl", ["verify", "--json"], [:])
            guard let report = try? Self.object(output) else {
                let said = try String(contentsOfFile: "\(root)/errors", encoding: .utf8)
                throw Stuck(lines: ["patchctl verify ended with \(code) and no report", said])
            }
            for entry in report["folders"] as? [[String: Any]] ?? [] {
                let name = entry["folder"] as? String ?? ""
                picture["\(name) changed"] = (entry["changed"] as? [String])?.joined(separator: " ")
                picture["\(name) missing"] = (entry["missing"] as? [String])?.joined(separator: " ")
            }
        }
        return picture
    }

    private func look(at folder: String, _ picture: inout [String: String]) throws {
        let state = try json("state/endpoints/farm/\(folder).json")
        picture["\(folder) version"] = state["version"] as? String
        picture["\(folder) status"] = state["status"] as? String
        picture["\(folder) behind"] = "\(state["behind"] as? Bool == true)"
        picture["\(folder) lock"] = (try? json("srv/\(folder)/update.lock"))?["phase"] as? String
        picture["\(folder) log"] = ""
        let history = try? String(contentsOf: url("state/endpoints/farm/\(folder).history.jsonl"), encoding: .utf8)
        picture["\(folder) history"] = try (history ?? "").split(separator: "\n").map { line in
            let entry = try Self.object(Data(line.utf8))
            return "\(entry["job"] ?? "") \(entry["operation"] ?? "") \(entry["state"] ?? "") "
                + "\(entry["from"] ?? "")-\(entry["to"] ?? "")"
        }.joined(separator: ", ")
        let top = "\(root)/srv/\(folder)"
        for case let path as String in try #require(FileManager.default.enumerator(atPath: top)) {
            if path.hasPrefix(".patchd") || path == "update.lock" || path.hasPrefix("app.db") {
                continue
            }
            var status = stat()
            guard lstat("\(top)/\(path)", &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                picture["\(folder)/\(path)"] = "directory"
                continue
            }
            let text = try String(contentsOf: url("srv/\(folder)/\(path)"), encoding: .utf8)
            if path == "log" {
                let lines = text.split(separator: "\n")
                let changed = lines.indices.filter { $0 == 0 || lines[$0] != lines[$0 - 1] }.map { lines[$0] }
                picture["\(folder) log"] = changed.joined(separator: ", ")
            } else {
                let file = TestUpdate.File(text: text, mode: Int(status.st_mode & 0o7777))
                picture["\(folder)/\(path)"] = Model.line(file)
            }
        }
    }

    /// What should not be there: temporary files, and what waits though nothing runs.
    private func stray() -> [String] {
        var found = ["spool/incoming", "state/intake"].flatMap { place in names(place).map { "\(place)/\($0)" } }
        found += names("spool/requests").filter { $0 != "done" }.map { "spool/requests/\($0)" }
        for place in ["state", "spool/rejected", "spool/requests/done"] {
            for case let path as String in FileManager.default.enumerator(atPath: "\(root)/\(place)") ?? .init() {
                let name = (path as NSString).lastPathComponent
                // How far a trace for people is rendered stays beside it.
                if name.hasSuffix(".rendered") { continue }
                if name.hasPrefix(".") || name.hasSuffix(".tmp") { found.append("\(place)/\(path)") }
            }
        }
        return found
    }
}
