import Foundation
import Testing

/// A throw-away host: configuration, spool, state and an endpoint's tree below one directory, and the three programs as
/// an admin runs them. Removed afterwards unless `KEEP` is set in the environment.
final class Installation {
    /// What a program said and how it ended.
    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
    }

    static let tree = [
        ("PAIE", nil), ("SEED", "PAIE"), ("SEED2", "PAIE"), ("SEEDPROD", "PAIE"), ("SEEDPROD2", "SEEDPROD"),
    ]

    let root: String
    var folders: [String] { Self.tree.map(\.0) }
    private let programs: String
    private var daemons: [Process] = []

    /// A host with the endpoint `payroll`, its five folders at 8.0.1.
    ///
    /// - Parameter types: by folder, its `type`.
    init(settings: String = "", types: [String: String] = [:]) throws {
        // Every component above a folder has to belong to root or the owner; /tmp passes as a sticky directory.
        root = "/tmp/patchd-test-\(UInt64.random(in: .min ... .max))"
        programs = try #require(Self.programs, "build first: swift build")
        for name in ["etc/endpoints.d", "spool/incoming", "state", "run"] + folders.map({ "srv/\($0)" }) {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try configure("payroll", settings: settings, types: types)
        for folder in folders { try write("old\n", "srv/\(folder)/lib/a.dat") }
    }

    deinit {
        // A test that failed half-way has not ended its daemon, and nobody else would.
        for daemon in daemons where daemon.isRunning { kill(daemon.processIdentifier, SIGKILL) }
        if ProcessInfo.processInfo.environment["KEEP"] == nil { try? FileManager.default.removeItem(atPath: root) }
    }

    private static let programs: String? = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var place = own.map { ($0 as NSString).deletingLastPathComponent } ?? ""
        while place.count > 1 {
            if FileManager.default.isExecutableFile(atPath: place + "/patchd-worker") { return place }
            place = (place as NSString).deletingLastPathComponent
        }
        // Swift Testing's own process runs the bundle: the build folder is where the sources are.
        let sources = (#filePath as NSString).deletingLastPathComponent + "/../../../.build/debug"
        return FileManager.default.isExecutableFile(atPath: sources + "/patchd-worker") ? sources : nil
    }()

    /// Writes an endpoint's file.
    ///
    /// - Parameters:
    ///   - databases: by folder.
    ///   - types: by folder.
    func configure(
        _ endpoint: String, settings: String = "", databases: [String: String] = [:], types: [String: String] = [:]
    ) throws {
        let lines = Self.tree.map { name, parent in
            let keys = [databases[name].map { ", database: \"\($0)\"" }, types[name].map { ", type: \($0)" }]
            let more = keys.compactMap { $0 }.joined()
            return parent.map { "  - {name: \(name), parent: \($0)\(more)}" }
                ?? "  - {name: \(name), version: 8.0.1, modules: [HRM]\(more)}"
        }
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try write(
            "endpoint: \(endpoint)\npath: \(root)/srv\n\(owner)\(settings)folders:\n" + lines.joined(separator: "\n")
                + "\n",
            "etc/endpoints.d/\(endpoint).yaml")
    }

    /// Writes an endpoint with one folder, PAIE, that has a SQLite database.
    func configureDatabase(version: String, at file: String = "app.db", settings: String = "") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try write(
            """
            endpoint: payroll
            path: \(root)/srv
            \(owner)\(settings)folders:
              - {name: PAIE, version: \(version), modules: [HRM], database: "sqlite:\(file)"}

            """, "etc/endpoints.d/payroll.yaml")
    }

    /// What a database says, by SQLite's own program.
    @discardableResult
    func sql(_ statement: String, in database: String = "srv/PAIE/app.db") throws -> String {
        let outcome = try Self.run("/usr/bin/sqlite3", ["\(root)/\(database)", statement])
        try #require(outcome.code == 0, "\(statement): \(outcome.errors)")
        return outcome.output.trimmingCharacters(in: .newlines)
    }

    /// Puts a request where the daemon finds it.
    func request(_ request: String, as name: String) throws {
        try write(request, "spool/requests/\(name)")
        chmod("\(root)/spool/requests/\(name)", 0o600)
    }

    /// A job's file.
    func job(_ number: Int) throws -> [String: Any] { try json("state/jobs/\(number)/job.json") }

    /// Asks the daemon, lets it work, and gives its answer.
    func ask(_ request: String) throws -> [String: Any] {
        let name = "r\(UInt32.random(in: .min ... .max)).json"
        try self.request(request, as: name)
        try once()
        return try json("spool/requests/done/\(name)")
    }

    func write(_ text: String, _ relative: String) throws {
        let path = "\(root)/\(relative)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    func read(_ relative: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(relative)")), as: UTF8.self)
    }

    /// Leaves no byte free on the file system of a directory, with a file `fill` there.
    func fill(_ relative: String) {
        let file = open("\(root)/\(relative)/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [65536, 1024, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, block, size) > 0 {}
        }
    }

    func exists(_ relative: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(relative)") }

    /// A JSON file as a dictionary.
    func json(_ relative: String) throws -> [String: Any] {
        try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(root)/\(relative)")))
                as? [String: Any])
    }

    func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// The options that lead a command to this host; `compare-versions` has none.
    func places(for arguments: [String]) -> [String] {
        if arguments.first == "nonsense" { return [] }
        return [
            "--config-dir", "\(root)/etc", "--spool-dir", "\(root)/spool", "--state-dir", "\(root)/state",
            "--runtime-dir", "\(root)/run", "--without-systemd",
        ]
    }

    /// Runs one of the programs with this host's directories.
    @discardableResult
    func run(_ name: String, _ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try Self.run(program(name), placed(arguments), environment: environment)
    }

    /// Arguments with this host's directories, which stand before a `--`.
    func placed(_ arguments: [String]) -> [String] {
        var all = arguments
        all.insert(contentsOf: places(for: arguments), at: all.firstIndex(of: "--") ?? all.endIndex)
        return all
    }

    /// Writes a folder's `update.lock` by hand.
    func lock(_ folder: String, code: Int = 9999, phase: String = "updating", deadline: Double? = nil) throws {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let time = deadline.map { ",\"deadline\":\"\(Date().addingTimeInterval($0).formatted(format))\"" }
        // Renamed to its place, as the daemon does.
        try write(
            """
            {"schema":1,"endpoint":"payroll","folder":"\(folder)","code":\(code),"phase":"\(phase)","update":"X3V8_P2",
             "from":"8.0.1","to":"8.0.2","job":12,"since":"2026-11-21T10:15:00.123Z","message":"by hand"\(time ?? "")}
            """, "srv/\(folder)/.update.lock.new")
        try #require(rename("\(root)/srv/\(folder)/.update.lock.new", "\(root)/srv/\(folder)/update.lock") == 0)
    }

    func unlock(_ folder: String) throws {
        try FileManager.default.removeItem(atPath: "\(root)/srv/\(folder)/update.lock")
    }

    /// Whether somebody is inside a folder, as the daemon sees it.
    func isInUse(_ folder: String) -> Bool {
        let directory = open("\(root)/srv/\(folder)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(directory) }
        return flock(directory, LOCK_EX | LOCK_NB) != 0
    }

    /// `patchd --once`.
    @discardableResult
    func once(environment: [String: String] = [:]) throws -> Outcome {
        try run("patchd", "--once", environment: environment)
    }

    /// Starts the daemon, which the test has to end.
    func start(environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        // Not the bus of the host on which the tests run.
        let own = ["DBUS_SYSTEM_BUS_ADDRESS": "unix:path=\(root)/no-bus"].merging(environment) { $1 }
        process.environment = ProcessInfo.processInfo.environment.merging(own) { $1 }
        process.executableURL = URL(fileURLWithPath: program("patchd"))
        process.arguments = places(for: [])
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        daemons.append(process)
        return process
    }

    /// Waits until something that a running program causes has come about; false when it does not within half a minute.
    func until(_ what: String, _ condition: () -> Bool) -> Bool {
        let end = Date().addingTimeInterval(30)
        while !condition() {
            if Date() > end { return false }
            var source = pollfd(fd: -1, events: 0, revents: 0)
            poll(&source, 1, 20)
        }
        return true
    }

    static func run(
        _ program: String, _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let name = "/tmp/patchd-output-\(UInt64.random(in: .min ... .max))"
        defer { for end in ["o", "e"] { try? FileManager.default.removeItem(atPath: "\(name).\(end)") } }
        // Files, not pipes: a worker outlives a killed daemon and would keep a pipe open.
        for end in ["o", "e"] { _ = FileManager.default.createFile(atPath: "\(name).\(end)", contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(name).o"))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(name).e"))
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return Outcome(
            code: code,
            output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(name).o")), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(name).e")), as: UTF8.self))
    }

    /// Everything in the folders that an application could see: path, mode, size and content. `.patchd` is left out.
    func picture(withTimes: Bool = false) throws -> [String] {
        var lines: [String] = []
        let top = "\(root)/srv"
        for case let path as String in try #require(FileManager.default.enumerator(atPath: top)) {
            if !withTimes, path.contains(".patchd") { continue }
            var status = stat()
            guard lstat("\(top)/\(path)", &status) == 0 else { continue }
            let isFile = status.st_mode & S_IFMT == S_IFREG
            let content = isFile ? try read("srv/\(path)") : ""
            let time = withTimes ? " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino)" : ""
            lines.append("\(path) \(String(status.st_mode, radix: 8)) \(content.debugDescription)\(time)")
        }
        return lines.sorted()
    }
}
