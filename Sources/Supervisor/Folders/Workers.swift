import Glibc
public import PatchFiles
import Synchronization

/// One start of a worker in a folder.
public struct WorkerStart: Sendable {
    /// What a worker is started for.
    public enum Phase: String, Sendable {
        case facts, survey, rehearse, tidy, stage, tryout, apply, finish, revert, forget, show, baseline
    }

    /// Up to which phase's end it works.
    public var phase: Phase
    /// The job's number.
    public var job: Int
    /// The endpoint's name.
    public var endpoint: String
    /// The folder's name.
    public var folder: String
    /// The folder's path: what the worker may write to.
    public var path: String
    /// A directory elsewhere that it may write to as well: its database lies there. Nil for none.
    public var other: String?
    /// The folder's owner; nil: this process's own user.
    public var user: UserIdentity?
    /// What the worker finds as `database` in `CREDENTIALS_DIRECTORY`; nil for none.
    public var credentials: [UInt8]?
    /// What it finds there as `rehearsal`: the account whose rights end at a copy; nil for none.
    public var rehearseCredentials: [UInt8]?
    /// What it reaches besides.
    public var reach = WorkerReach()
    /// The file with the worker's order: absolute, and readable for this process only.
    public var order = ""

    /// The files that the worker gets in `CREDENTIALS_DIRECTORY`.
    public var credentialFiles: [(name: String, bytes: [UInt8])] {
        [("database", credentials), ("rehearsal", rehearseCredentials)].compactMap { name, bytes in
            bytes.map { (name, $0) }
        }
    }

    /// What a worker gets as its standard input: the checked tree and its order.
    public func input(tree: borrowing Directory) throws(FileError) -> File {
        let order = try File.open(order)
        return try DescriptorParcel.pack([tree.descriptor, order.descriptor])
    }

    /// `patchd-job-12-payroll-SEED`: what its service is called.
    public var name: String {
        let name = "patchd-job-\(job)-\(endpoint)-\(folder)"
        // Beside the one that works on the folder.
        return phase == .show || phase == .baseline ? "\(name)-\(phase.rawValue)" : name
    }
}

/// Runs workers and the admin's commands. The supervisor owns this protocol: child processes fulfil it, and services of
/// systemd do.
public protocol Workers: Sendable {
    /// Has an archive checked and unpacked, and waits for the end.
    ///
    /// - Parameters:
    ///   - directory: the intake's: `content/archive.zip` and `limits.json` are read, what is unpacked goes to
    ///     `content/tree`, the verdict to `verdict.json`.
    ///   - id: the directory's name.
    /// - Returns: how it ended, when that was not well.
    func unpack(in directory: String, id: String) throws -> String?

    /// Has the signature of an archive checked, and waits for the end.
    ///
    /// - Parameters:
    ///   - directory: the intake's: `content/archive.zip` and the files in `signature/` are read, the verdict goes to
    ///     `signer.json`.
    ///   - id: the directory's name.
    /// - Returns: how it ended, when that was not well.
    func checkSignature(in directory: String, id: String) throws -> String?

    /// Starts a worker. It holds the ledger's flock as long as it lives; whether it is waited for is up to the
    /// implementation, so whoever calls waits for that lock.
    ///
    /// - Returns: how it ended, when that was waited for and was not well.
    func work(
        _ start: WorkerStart, tree: borrowing Directory, ledger: consuming File, trace: consuming File
    ) throws -> String?

    /// Asks a worker that runs to end its step and then itself; none that runs is no error.
    func interrupt(_ start: WorkerStart)

    /// Sends a signal to a process, which may be another user's; none that runs is no error.
    ///
    /// - Returns: why it could not be sent.
    func signal(_ process: borrowing ProcessHandle, _ number: Int32) throws -> String?

    /// Runs a command of the configuration with the shell, as the daemon's own user, to its end.
    ///
    /// - Parameters:
    ///   - endpoint: whose it is.
    ///   - seconds: after them it is stopped.
    /// - Returns: how it ended, when that was not well.
    func run(_ command: String, for endpoint: String, environment: [String: String], seconds: Double) throws -> String?

    /// Runs the command `notify` with the shell, as the daemon's own user, to its end.
    ///
    /// - Parameters:
    ///   - notice: its standard input.
    ///   - seconds: after them it is stopped.
    /// - Returns: how it ended, when that was not well.
    func notify(_ command: String, of notice: borrowing File, seconds: Double) throws -> String?
}

/// Workers as child processes in sessions of their own: they go on when the daemon dies.
public struct ChildWorkers: Workers {
    private let program: String
    private let faultPoint: String?
    private let credentials: String
    private let readerSeconds: Double?
    private let running = RunningWorkers()

    /// Workers of one program.
    ///
    /// - Parameters:
    ///   - credentials: the directory in which each finds its own while it runs.
    ///   - readerSeconds: what a reader of archives may take; nil: as long as goes with what it reads.
    public init(program: String, faultPoint: String?, credentials: String, readerSeconds: Double? = nil) {
        self.program = program
        self.faultPoint = faultPoint
        self.credentials = credentials
        self.readerSeconds = readerSeconds
    }

    private var environment: [String] {
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
            + (faultPoint.map { ["PATCHD_FAULT_POINT=\($0)"] } ?? [])
    }

    /// See ``Workers``. As root it runs as the user of `patchd-unpack@.service`, else `nobody`.
    public func unpack(in directory: String, id: String) throws -> String? {
        let own = try Directory.open(directory)
        let archive = try own.file("content/archive.zip")
        let tree = try own.directory("content/tree")
        let answer = try own.createFile("verdict.json")
        let limits = String(decoding: try own.readFile("limits.json") ?? [], as: UTF8.self)
        let user = geteuid() == 0 ? UnpackUser.identity : nil
        if let user { try UnpackUser.give(tree, to: user) }
        let child = try ChildProcess.start(
            program, ["patchd-worker", "unpack", "--into", ".", "--limits", limits], environment: environment,
            in: tree, input: archive.descriptor, output: answer.descriptor, error: 2, as: user)
        return end(of: child, within: try readerSeconds ?? ReaderPatience.seconds(for: own))
    }

    /// A reader that hangs is ended, and what it reads is refused.
    private func end(of child: borrowing ChildProcess, within seconds: Double) -> String? {
        let begun = MonotonicClock.seconds
        let exit = child.wait(seconds: seconds)
        return MonotonicClock.seconds - begun < seconds ? exit.problem : ReaderPatience.isOver(seconds)
    }

    /// See ``Workers``. As root it runs as the user of `patchd-signature@.service`, else `nobody`.
    public func checkSignature(in directory: String, id: String) throws -> String? {
        let own = try Directory.open(directory)
        let archive = try own.file("content/archive.zip")
        let answer = try own.createFile("signer.json")
        let child = try ChildProcess.start(
            program, ["patchd-worker", "signature"], environment: environment, in: own.directory("signature"),
            input: archive.descriptor, output: answer.descriptor, error: 2,
            as: geteuid() == 0 ? UnpackUser.identity : nil)
        return end(of: child, within: try readerSeconds ?? ReaderPatience.seconds(for: own))
    }

    /// See ``Workers``.
    public func work(
        _ start: WorkerStart, tree: borrowing Directory, ledger: consuming File, trace: consuming File
    ) throws -> String? {
        let input = try start.input(tree: tree)
        let own =
            start.credentialFiles.isEmpty ? nil : try WorkerCredentials(in: credentials, of: start, for: start.user)
        defer { own?.remove() }
        let child = try ChildProcess.start(
            program, ["patchd-worker", start.phase.rawValue],
            environment: environment + (own.map { ["CREDENTIALS_DIRECTORY=\($0.path)"] } ?? []),
            in: Directory.open("/"),
            input: input.descriptor, output: ledger.descriptor, error: trace.descriptor, as: start.user)
        running.begin(start.name, child.pid)
        defer { running.end(start.name) }
        return child.wait().problem
    }

    /// See ``Workers``. One that runs since before a restart of the daemon is not known here, and goes on to its end.
    public func interrupt(_ start: WorkerStart) { running.signal(start.name) }

    /// See ``Workers``.
    public func signal(_ process: borrowing ProcessHandle, _ number: Int32) throws -> String? {
        try process.signal(number)
        return nil
    }

    /// See ``Workers``.
    public func run(
        _ command: String, for endpoint: String, environment own: [String: String], seconds: Double
    ) throws -> String? {
        let variables = own.map { "\($0.key)=\($0.value)" }
        return try shell(command, environment: variables, input: File.open("/dev/null"), seconds: seconds)
    }

    /// See ``Workers``.
    public func notify(_ command: String, of notice: borrowing File, seconds: Double) throws -> String? {
        try shell(command, environment: [], input: notice, seconds: seconds)
    }

    private func shell(
        _ command: String, environment own: [String], input: borrowing File, seconds: Double
    ) throws -> String? {
        try ChildProcess.start(
            "/bin/sh", ["sh", "-c", command], environment: environment + own, in: Directory.open("/"),
            input: input.descriptor, output: 2, error: 2
        ).wait(seconds: seconds).problem
    }
}

/// The workers that are children of this process.
private final class RunningWorkers: Sendable {
    private let pids = Mutex<[String: Int32]>([:])

    func begin(_ name: String, _ pid: Int32) { pids.withLock { $0[name] = pid } }

    func end(_ name: String) { pids.withLock { $0[name] = nil } }

    /// Only the worker itself: its script is not to be cut off.
    func signal(_ name: String) {
        pids.withLock { pids in
            if let pid = pids[name] { kill(pid, SIGTERM) }
        }
    }
}

extension ChildProcess.Exit {
    /// In words; nil for exit status 0.
    fileprivate var problem: String? {
        switch self {
        case .code(0): nil
        case .code(let code): "exit status \(code)"
        case .signal(let number): "ended by signal \(number)"
        }
    }
}
