import Foundation
import PatchFiles
import PatchJSON
import PatchModel
import PatchStore
import Synchronization
import Testing

@testable import Supervisor

/// The daemon's inside on a directory of its own, with nothing around it but files.
final class TestDaemon: Sendable {
    let root: String
    let workers = FakeWorkers()
    let units: FakeUnits
    let log = RecordedLog()
    let clocks = SetClocks()
    private let configured: Mutex<Configuration>
    private let said = Mutex(RecordedNotifications())
    private let count = Mutex(0)
    /// As `patchd` does it: what blocks must not block other tests.
    private static let threads = BlockingThreads()

    /// A daemon with the endpoint `payroll`, of which folders have 8.0.1.
    init(_ endpoints: (_ root: String) -> [Endpoint] = { [Sample.endpoint(below: $0)] }) throws {
        root = "/dev/shm/patchd-inside-\(UInt64.random(in: .min ... .max))"
        configured = Mutex(Configuration(endpoints: endpoints(root)))
        units = FakeUnits(quiesced: "\(root)/state/quiesced")
        Signals.ignoreBrokenLeases()
        for name in ["state", "spool", "run", "units"] { try Self.make("\(root)/\(name)") }
        for folder in configuration.endpoints.flatMap(\.folders) { try Self.make(folder.path) }
        configuration.daemon.workers = 4
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private static func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// What the next run works by.
    var configuration: Configuration {
        get { configured.withLock { $0 } }
        set { configured.withLock { $0 = newValue } }
    }

    func change(_ body: (inout Endpoint) -> Void) {
        configured.withLock { configuration in
            for index in configuration.endpoints.indices { body(&configuration.endpoints[index]) }
        }
    }

    var state: StateDirectory { StateDirectory(path: "\(root)/state") }
    /// Of the last run.
    var notifications: RecordedNotifications { said.withLock { $0 } }

    // MARK: What comes from outside

    /// Drops an archive, with its options.
    @discardableResult
    func drop(_ update: CheckedUpdate, options: String? = nil) throws -> String {
        try drop(bytes: JSONText.line(update), options: options)
    }

    @discardableResult
    func drop(bytes: [UInt8], options: String? = nil) throws -> String {
        let name = number("%04d.zip")
        try Self.make("\(root)/spool/incoming")
        if let options { try put(Array(options.utf8), "incoming/\(name).json") }
        try put(bytes, "incoming/\(name)")
        return name
    }

    /// Puts a request of root's, which the next run answers.
    ///
    /// - Returns: its name.
    func request(_ json: String) throws -> String {
        let name = number("%04d.json")
        try Self.make("\(root)/spool/requests")
        try put(Array(json.utf8), "requests/\(name)")
        return name
    }

    struct Answered: Decodable {
        var ok: Bool
        var code: String
        var message: String
    }

    func answer(_ request: String) throws -> Answered {
        let bytes = try #require(try Directory.open("\(root)/spool").readFile("requests/done/\(request)"))
        return try JSONText.read(Answered.self, bytes)
    }

    /// Blocks until a request is answered, for half a minute at most; what follows fails where it was not.
    func waitForAnswer(to request: String) {
        guard let watch = try? DirectoryWatch(["\(root)/spool/requests/done"]) else { return }
        let end = MonotonicClock.seconds + 30
        while !has("spool/requests/done/\(request)"), MonotonicClock.seconds < end {
            watch.wait(seconds: end - MonotonicClock.seconds)
        }
    }

    /// Asks and runs.
    func ask(_ json: String) async throws -> Answered {
        let name = try request(json)
        try await run()
        return try answer(name)
    }

    func hold(_ name: String, _ text: String = "") throws {
        try Self.make("\(root)/spool/holds")
        try put(Array(text.utf8), "holds/\(name).lock")
    }

    func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)").sorted()
    }

    private func number(_ format: String) -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return String(format: format, number)
    }

    private func put(_ bytes: [UInt8], _ place: String) throws {
        let draft = "\(root)/draft"
        try Directory.open(root).replaceFile("draft", with: bytes, mode: 0o644)
        try FileManager.default.moveItem(atPath: draft, toPath: "\(root)/spool/\(place)")
    }

    // MARK: Running

    /// Runs as with `--once`, on what an earlier run left.
    ///
    /// - Returns: the exit code.
    @discardableResult
    func run() async throws -> Int32 {
        let notifications = RecordedNotifications()
        said.withLock { $0 = notifications }
        try state.create()
        try state.removeLeftovers()
        let spool = Spool(path: "\(root)/spool")
        try spool.create()
        try spool.removeLeftovers()
        let configuration = configuration
        let context = DaemonContext(
            directories: Directories(
                configuration: root, spool: spool.path, state: state.path, runtime: "\(root)/run",
                units: "\(root)/units"),
            configuration: configuration, state: state, spool: spool, workers: workers, units: units,
            logger: log.logger, notices: NoticeQueue(), once: true,
            holds: Holds(path: spool.holds, logger: log.logger, clocks: clocks), failures: FailureCount(),
            clocks: clocks, published: PublishedState(state))
        return try await withTaskExecutorPreference(Self.threads) {
            var loop = try Scheduler(
                context: context, notifications: notifications, reloadSignal: nil, read: { configuration })
            return try await loop.run()
        }
    }

    // MARK: What is left

    func job(_ number: Int = 1) throws -> Job { try state.existingJob(number) }

    /// By folder, where it stands in a job.
    func states(_ number: Int = 1) throws -> [String: FolderJob.State] {
        try job(number).folders.mapValues(\.state)
    }

    func version(_ folder: String, of endpoint: String = "payroll") throws -> String? {
        try state.folder(folder, of: endpoint)?.version?.description
    }

    func versions(of endpoint: String = "payroll") throws -> [String: String] {
        try state.folders(of: endpoint).compactMapValues { $0.version?.description }
    }

    func history(_ folder: String, of endpoint: String = "payroll") throws -> [HistoryEntry] {
        try state.history(folder, of: endpoint)
    }

    /// The folders that are locked.
    var locked: [String] {
        configuration.endpoints.flatMap(\.folders).filter {
            FileManager.default.fileExists(atPath: "\($0.path)/\(UpdateLock.fileName)")
        }.map(\.name)
    }

    // MARK: Losing power

    /// Copies what is on the disk now.
    ///
    /// - Returns: whether it was possible before anything changed.
    func photograph() -> Bool {
        let copy = "\(root)/photo"
        for _ in 0..<20 {
            try? FileManager.default.removeItem(atPath: copy)
            do {
                try Self.make(copy)
                for name in ["state", "spool"] {
                    try FileManager.default.copyItem(atPath: "\(root)/\(name)", toPath: "\(copy)/\(name)")
                }
                try Data(locked.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(copy)/locked"))
                return true
            } catch { continue }
        }
        return false
    }

    /// Has the disk as it was when it was photographed.
    func restorePhotograph() throws {
        for name in ["state", "spool"] {
            try remove(name)
            try FileManager.default.moveItem(atPath: "\(root)/photo/\(name)", toPath: "\(root)/\(name)")
        }
        let locked = try String(contentsOfFile: "\(root)/photo/locked", encoding: .utf8).split(separator: "\n")
        for folder in configuration.endpoints.flatMap(\.folders) {
            let lock = "\(folder.path)/\(UpdateLock.fileName)"
            try? FileManager.default.removeItem(atPath: lock)
            // What a lock says does not matter: it is rewritten.
            if locked.contains(Substring(folder.name)) { try Data("{}".utf8).write(to: URL(fileURLWithPath: lock)) }
        }
        try remove("photo")
    }
}
