import Foundation
import PatchFiles
import PatchJSON
import PatchLedger
import PatchModel
import PatchSteps
import Testing

/// A step as a test writes it down.
struct Brought {
    var kind: PlannedStep.Kind
    var path: String
    var text = ""
    var mode: UInt16?
    var patch = "MAIN"
    var keep = false
    var mayBeDirectory: Bool?
    var command: String?
    /// Of a registry: the content that it was made from.
    var was: String?

    /// `registry.json` with another text.
    static func registry(_ text: String, was: String?, patch: String = "MAIN") -> Brought {
        Brought(kind: .registry, path: "registry.json", text: text, patch: patch, was: was)
    }

    static func file(
        _ path: String, _ text: String, mode: UInt16? = nil, patch: String = "MAIN", keep: Bool = false
    ) -> Brought {
        Brought(kind: .file, path: path, text: text, mode: mode, patch: patch, keep: keep)
    }

    static func directory(_ path: String, mode: UInt16? = nil, patch: String = "MAIN") -> Brought {
        Brought(kind: .directory, path: path, mode: mode, patch: patch)
    }

    static func remove(_ path: String, patch: String = "MAIN") -> Brought {
        Brought(kind: .remove, path: path, patch: patch)
    }

    /// What `delete` of a patch asks for.
    static func delete(_ path: String, keep: Bool = false) -> Brought {
        Brought(kind: .remove, path: path, keep: keep, mayBeDirectory: true)
    }

    static func script(_ path: String, _ text: String, patch: String = "MAIN") -> Brought {
        Brought(kind: .script, path: path, text: text, patch: patch)
    }

    static func upload(_ path: String, _ text: String, patch: String = "MAIN") -> Brought {
        Brought(kind: .upload, path: path, text: text, patch: patch)
    }

    static func handed(_ path: String, _ text: String, to command: String) -> Brought {
        Brought(kind: .handler, path: path, text: text, command: command)
    }

    static func hook(_ hook: Hook, _ command: String) -> Brought {
        Brought(kind: .hook, path: hook.rawValue, patch: "", command: command)
    }
}

/// One folder with the ledgers of its jobs, in a directory of its own that goes with the value, and the
/// worker's phases run in this process.
final class Workplace {
    let root: String
    var folder: String { root + "/folder" }

    init(in parent: String = "/tmp") throws {
        root = "\(parent)/patchd-steps-\(UInt64.random(in: .min ... .max))"
        for name in ["folder", "trees"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
    }

    deinit {
        for place in mounted.reversed() { umount2(place, Int32(MNT_DETACH)) }
        if ProcessInfo.processInfo.environment["KEEP"] == nil { try? FileManager.default.removeItem(atPath: root) }
    }

    // MARK: Files

    func write(_ text: String, _ path: String) throws {
        let place = "\(folder)/\(path)"
        try FileManager.default.createDirectory(
            atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: place))
    }

    func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")), as: UTF8.self)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(path)") }

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
    }

    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat("\(folder)/\(path)", &status) == 0
    }

    func inode(_ path: String) -> UInt64? {
        var status = stat()
        return lstat("\(folder)/\(path)", &status) == 0 ? UInt64(status.st_ino) : nil
    }

    func mode(_ path: String) -> UInt32? {
        var status = stat()
        return lstat("\(folder)/\(path)", &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    /// Everything that an application could see: path, mode, content. `.patchd` is left out.
    func picture() throws -> [String] {
        var lines: [String] = []
        for case let path as String in try #require(FileManager.default.enumerator(atPath: folder)) {
            if path.split(separator: "/").contains(".patchd") { continue }
            var status = stat()
            guard lstat("\(folder)/\(path)", &status) == 0 else { continue }
            let content = status.st_mode & S_IFMT == S_IFREG ? try read(path).debugDescription : ""
            lines.append("\(path) \(String(status.st_mode, radix: 8)) \(content)")
        }
        return lines.sorted()
    }

    // MARK: Mounts

    private var mounted: [String] = []

    /// Mounts a new file system of its own at a place in the folder; made there where it is missing.
    func mount(_ type: String, at path: String, megabytes: Int = 8) throws {
        let image = "\(root)/image-\(mounted.count)"
        try run("/usr/bin/truncate", ["-s", "\(megabytes)M", image])
        try run("/usr/sbin/mkfs.\(type)", ["-q", image])
        try makeDirectory(path)
        try run("/usr/bin/mount", ["-o", "loop", image, "\(folder)/\(path)"])
        mounted.append("\(folder)/\(path)")
    }

    /// Mounts a directory or file of the same file system at a place in the folder.
    func bind(_ source: String, at path: String, readOnly: Bool = false) throws {
        try run("/usr/bin/mount", ["--bind", source, "\(folder)/\(path)"])
        mounted.append("\(folder)/\(path)")
        if readOnly { try run("/usr/bin/mount", ["-o", "remount,bind,ro", "\(folder)/\(path)"]) }
    }

    func unmount(_ path: String) throws {
        try run("/usr/bin/umount", ["\(folder)/\(path)"])
        mounted.removeAll { $0 == "\(folder)/\(path)" }
    }

    /// A program's standard output; it has to succeed.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Foundation.Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
        return text
    }

    // MARK: Jobs

    /// The plan of a job, whose content is put into a checked tree of its own.
    func plan(
        _ job: Int, _ steps: [Brought], downgrades: [Brought] = [], from: String = "8.0.1", to: String = "8.0.2"
    ) throws -> FolderPlan {
        let tree = URL(fileURLWithPath: "\(root)/trees/\(job)")
        try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: true)
        func planned(_ steps: [Brought], _ prefix: String) throws -> [PlannedStep] {
            try steps.enumerated().map { index, step in
                let source = "\(prefix)\(index)"
                let hasContent = [.file, .script, .upload, .handler].contains(step.kind)
                if hasContent {
                    try Data(step.text.utf8).write(to: tree.appendingPathComponent(source))
                }
                return PlannedStep(
                    kind: step.kind, path: step.path, patch: step.patch, source: source,
                    size: UInt64(step.text.utf8.count), mode: step.mode,
                    sha256: hasContent ? SHA256.hash(of: Array(step.text.utf8)) : "", keep: step.keep,
                    mayBeDirectory: step.mayBeDirectory, command: step.command,
                    registry: step.kind == .registry
                        ? RegistryChange(text: step.text, was: step.was.map { SHA256.hash(of: Array($0.utf8)) }) : nil)
            }
        }
        return FolderPlan(
            folder: "SEED", parent: nil, path: folder, state: .pending, from: Version(from),
            to: try #require(Version(to)), steps: try planned(steps, "s"), downgrades: try planned(downgrades, "d"))
    }

    func begin(
        _ job: Int, _ plan: FolderPlan, links: Endpoint.Links = .deny, undo: [UndoneJob] = [], timeout: Double = 10,
        output: Int = 16 << 20
    ) throws {
        try begin(
            WorkOrder(
                job: job, endpoint: "payroll", update: "X\(job)", scriptTimeout: timeout, outputLimit: output,
                links: links, plan: plan,
                undo: undo))
    }

    /// Begins a job; what its ledger says already stays.
    func begin(_ order: WorkOrder) throws {
        try Directory.open(root).replaceFile("order-\(order.job)") { (file) throws(FileError) in
            do {
                try PlanLines.write(order) { line in try file.write(line) }
            } catch {
                throw error as? FileError ?? FileError("write", file.path, number: EINVAL)
            }
        }
        _ = try ledgerFile(order.job)
    }

    func order(_ job: Int) throws -> WorkOrder {
        var reader = PlanReader()
        for line in try Data(contentsOf: URL(fileURLWithPath: "\(root)/order-\(job)")).split(separator: 0x0a) {
            try reader.take(Array(line)[...])
        }
        return try reader.order()
    }

    /// A job as one to undo.
    func undoneJob(_ job: Int) throws -> UndoneJob? { try order(job).undoneJob(summary(job)) }

    func ledgerFile(_ job: Int) throws -> File { try Directory.open(root).appendingFile("ledger-\(job)") }

    func summary(_ job: Int) throws -> LedgerSummary { LedgerSummary(try Ledger.read(ledgerFile(job))) }

    /// What a worker would do in one phase; a failure is recorded as the program does.
    @discardableResult
    func work(_ job: Int, _ body: (inout FolderWork) throws(WorkerError) -> Void) throws -> LedgerSummary {
        let tree = "\(root)/trees/\(job)"
        let hasTree = FileManager.default.fileExists(atPath: tree)
        var work = try FolderWork(
            order: order(job), tree: Directory.open(hasTree ? tree : root), ledger: ledgerFile(job),
            trace: Directory.open(root).appendingFile("trace-\(job)"), shouldStop: { false })
        do throws(WorkerError) {
            try body(&work)
        } catch {
            guard case .failed(let step, let code, let message) = error else { throw error }
            try work.recordFailure(step: step, code, message)
        }
        return try summary(job)
    }

    @discardableResult
    func survey(_ job: Int) throws -> LedgerSummary {
        try work(job) { (work) throws(WorkerError) in try work.survey() }
    }

    @discardableResult
    func stage(_ job: Int) throws -> LedgerSummary {
        try work(job) { (work) throws(WorkerError) in try work.stage() }
    }

    @discardableResult
    func apply(_ job: Int) throws -> LedgerSummary {
        try work(job) { (work) throws(WorkerError) in try work.apply() }
    }

    @discardableResult
    func revert(_ job: Int) throws -> LedgerSummary {
        try work(job) { (work) throws(WorkerError) in try work.revert() }
    }

    @discardableResult
    func finish(_ job: Int) throws -> LedgerSummary {
        try work(job) { (work) throws(WorkerError) in try work.finish() }
    }

    /// What `patchctl resume` comes to.
    func resume(_ job: Int) throws {
        var ledger = try Ledger(ledgerFile(job))
        try ledger.append(.resumed)
    }

    /// Whether the fault that was asked for came.
    var hasFired: Bool { FileManager.default.fileExists(atPath: root + "/fired") }

    /// Writes a program beside the folder; its absolute path.
    func program(_ name: String, _ text: String) throws -> String {
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
        chmod("\(root)/\(name)", 0o755)
        return "\(root)/\(name)"
    }

    // MARK: The program

    private static let worker: String? = {
        let build = (#filePath as NSString).deletingLastPathComponent + "/../../.build/debug/patchd-worker"
        return FileManager.default.isExecutableFile(atPath: build) ? build : nil
    }()

    /// Runs a phase of a job in the real program.
    @discardableResult
    func start(
        _ phase: String, _ job: Int, fault: String? = nil, as user: UserIdentity? = nil
    ) throws -> ChildProcess.Exit {
        let worker = try #require(Self.worker, "build first: swift build")
        let trees = try Directory.open("\(root)/trees")
        let tree = try trees.status("\(job)") == nil ? trees : trees.directory("\(job)")
        let environment = fault.map { ["PATCHD_FAULT_POINT=patchd-worker:\($0):\(root)/fired"] } ?? []
        let ledger = try ledgerFile(job)
        let trace = try Directory.open(root).appendingFile("trace-\(job)")
        let order = try File.open("\(root)/order-\(job)")
        let input = try DescriptorParcel.pack([tree.descriptor, order.descriptor])
        return try ChildProcess.start(
            worker, ["patchd-worker", phase], environment: environment, in: Directory.open("/"),
            input: input.descriptor, output: ledger.descriptor, error: trace.descriptor, as: user
        ).wait()
    }

    /// A whole job from its order to its end.
    @discardableResult
    func run(
        _ job: Int, _ steps: [Brought], downgrades: [Brought] = [], from: String = "8.0.1", to: String = "8.0.2"
    ) throws -> LedgerSummary {
        try begin(job, plan(job, steps, downgrades: downgrades, from: from, to: to))
        let faults = try survey(job).survey?.faults
        #expect(faults == [])
        try stage(job)
        return try apply(job)
    }

    /// The order of a rollback of jobs, newest first.
    func beginRollback(_ job: Int, of undone: [Int]) throws {
        let jobs = try undone.map { try #require(try undoneJob($0)) }
        let first = try #require(jobs.first), last = try #require(jobs.last)
        let plan = FolderPlan(
            folder: "SEED", parent: nil, path: folder, state: .pending, from: first.plan.to,
            to: try #require(last.plan.from))
        try begin(job, plan, undo: jobs)
    }

    /// The lines of a job's trace, for people.
    func trace(_ job: Int) throws -> [String] {
        let text = try String(contentsOfFile: "\(root)/trace-\(job)", encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let event = try JSONText.read(TraceEvent.self, Array(line.utf8))
            return event.step.isEmpty ? event.text : "\(event.step): \(event.text)"
        }
    }
}

extension LedgerSummary {
    /// The survey's fault codes.
    var codes: [FaultCode] { survey?.faults.map(\.code) ?? [] }
}
