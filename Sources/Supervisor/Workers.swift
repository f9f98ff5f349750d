import PatchFiles
import PatchModel

/// Runs workers, each to its end. The supervisor owns this protocol: child processes fulfil it, and services of systemd
/// can.
protocol Workers: Sendable {
    /// Has an archive checked and unpacked; the verdict is written to `answer`.
    func unpack(
        _ archive: borrowing File, into directory: String, limits: Limits, answer: borrowing File
    ) throws -> ChildProcess.Exit

    /// Has one folder's work done up to a phase's end.
    func work(
        _ phase: WorkPhase, tree: borrowing Directory, ledger: borrowing File, trace: borrowing File,
        as user: UserIdentity?
    ) throws -> ChildProcess.Exit
}

/// What a worker is started for.
enum WorkPhase: String, Sendable { case survey, stage, apply }

/// Workers as child processes in sessions of their own: they go on when the daemon dies.
struct ChildWorkers: Workers {
    let program: String
    let faultPoint: String?

    private var environment: [String] {
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
            + (faultPoint.map { ["PATCHD_FAULT_POINT=\($0)"] } ?? [])
    }

    func unpack(
        _ archive: borrowing File, into directory: String, limits: Limits, answer: borrowing File
    ) throws -> ChildProcess.Exit {
        let text = String(decoding: try JSONText.line(limits), as: UTF8.self)
        return try ChildProcess.start(
            program, ["patchd-worker", "unpack", "--into", directory, "--limits", text], environment: environment,
            in: Directory.open("/"), input: archive.descriptor, output: answer.descriptor, error: 2
        ).wait()
    }

    func work(
        _ phase: WorkPhase, tree: borrowing Directory, ledger: borrowing File, trace: borrowing File,
        as user: UserIdentity?
    ) throws -> ChildProcess.Exit {
        try ChildProcess.start(
            program, ["patchd-worker", phase.rawValue], environment: environment, in: Directory.open("/"),
            input: tree.descriptor, output: ledger.descriptor, error: trace.descriptor, as: user
        ).wait()
    }
}

/// Lets only so many folders be worked on at once.
actor WorkerSlots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
