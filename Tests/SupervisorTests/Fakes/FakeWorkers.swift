import Glibc
import PatchFiles
import PatchJSON
import PatchLedger
import PatchModel
import Supervisor
import Synchronization

/// Workers that record what real ones would, at once and without changing a folder.
final class FakeWorkers: Workers {
    typealias Phase = WorkerStart.Phase

    /// One start of a worker.
    struct Call: Hashable {
        var phase: Phase
        var job: Int
        var endpoint: String
        var folder: String
        /// Whether the folder's `update.lock` was there.
        var isLocked: Bool
    }

    /// What becomes of a worker instead of success.
    enum Reply {
        case fails(FaultCode, String)
        /// Ends without a record, so many times.
        case dies(Int)
        /// Cannot be started.
        case throwing
    }

    private struct Place: Hashable {
        var folder: String
        var phase: Phase
    }

    private struct Script {
        var calls: [Call] = []
        var replies: [Place: Reply] = [:]
        var commands: [String] = []
        var failingCommands: Set<String> = []
        var notices: [String] = []
        var interrupted: [String] = []
        var unpacked = 0
        var before: @Sendable (WorkerStart) -> Void = { _ in }
        var afterRecord: @Sendable (_ what: String) -> Void = { _ in }
    }

    private let script = Mutex(Script())

    // MARK: What a test says

    func reply(_ reply: Reply?, in folder: String, _ phase: Phase) {
        script.withLock { $0.replies[Place(folder: folder, phase: phase)] = reply }
    }

    func fail(_ folder: String, _ phase: Phase, _ code: FaultCode = .io) {
        reply(.fails(code, "\(folder) fails to \(phase.rawValue)"), in: folder, phase)
    }

    func succeed() { script.withLock { $0.replies = [:] } }

    /// Called by each worker before it records anything.
    func before(_ body: @escaping @Sendable (WorkerStart) -> Void) { script.withLock { $0.before = body } }

    /// Called behind each record.
    func afterRecord(_ body: @escaping @Sendable (String) -> Void) { script.withLock { $0.afterRecord = body } }

    func failCommand(_ command: String) { script.withLock { _ = $0.failingCommands.insert(command) } }

    // MARK: What happened

    var calls: [Call] { script.withLock { $0.calls } }
    var commands: [String] { script.withLock { $0.commands } }
    var notices: [String] { script.withLock { $0.notices } }
    var interrupted: [String] { script.withLock { $0.interrupted } }
    var unpacked: Int { script.withLock { $0.unpacked } }

    /// The folders for which a phase was begun, in that order.
    func folders(_ phase: Phase, job: Int? = nil) -> [String] {
        calls.filter { $0.phase == phase && (job == nil || $0.job == job) }.map(\.folder)
    }

    func forgetCalls() { script.withLock { $0.calls = [] } }

    // MARK: Workers

    /// An archive is the JSON of what its check comes to, or the text of why it is refused.
    func unpack(in directory: String, id: String) throws -> String? {
        let afterRecord = script.withLock { script in
            script.unpacked += 1
            return script.afterRecord
        }
        afterRecord("taken")
        let own = try Directory.open(directory)
        let bytes = try own.readFile("content/archive.zip") ?? []
        let verdict =
            if let update = try? JSONText.read(CheckedUpdate.self, bytes) {
                UnpackVerdict(update)
            } else {
                UnpackVerdict(Refusal(.archiveMalformed, "it is no archive"))
            }
        try own.replaceFile("verdict.json", with: JSONText.line(verdict))
        afterRecord("unpacked")
        return nil
    }

    /// A signature is the name of who signed.
    func checkSignature(in directory: String, id: String) throws -> String? {
        let own = try Directory.open(directory)
        let bytes = try own.readFile("signature/\(SignatureFile.ofArchive)") ?? []
        let verdict = SignatureVerdict(signer: String(decoding: bytes, as: UTF8.self))
        try own.replaceFile("signer.json", with: JSONText.line(verdict))
        return nil
    }

    func work(
        _ start: WorkerStart, tree: borrowing Directory, ledger: consuming File, trace: consuming File
    ) throws -> String? {
        let isLocked = access("\(start.path)/\(UpdateLock.fileName)", F_OK) == 0
        let place = Place(folder: start.folder, phase: start.phase)
        let (reply, before, afterRecord) = script.withLock { script in
            script.calls.append(
                Call(
                    phase: start.phase, job: start.job, endpoint: start.endpoint, folder: start.folder,
                    isLocked: isLocked))
            let reply = script.replies[place]
            if case .dies(let times) = reply { script.replies[place] = times > 1 ? .dies(times - 1) : nil }
            return (reply, script.before, script.afterRecord)
        }
        before(start)
        var failure: LedgerRecord?
        switch reply {
        case .throwing: throw Fault(folder: start.folder, .io, "no worker can be started")
        case .dies: return "ended by signal 9"
        case .fails(let code, let message): failure = .failed(step: nil, code: code, message: message)
        case nil: break
        }
        let order = try Self.order(start.order)
        var records = try Ledger(ledger)
        for record in Self.records(start.phase, order, records.summary, failure) {
            try records.append(record)
            let name = "\(record)".prefix { $0 != "(" }
            afterRecord("\(start.folder) \(name)")
        }
        return nil
    }

    func signal(_ process: borrowing ProcessHandle, _ number: Int32) throws -> String? { nil }

    func interrupt(_ start: WorkerStart) { script.withLock { $0.interrupted.append(start.folder) } }

    func run(
        _ command: String, for endpoint: String, environment: [String: String], seconds: Double
    ) throws -> String? {
        script.withLock { script in
            script.commands.append(command)
            return script.failingCommands.contains(command) ? "exit status 1" : nil
        }
    }

    func notify(_ command: String, of notice: borrowing File, seconds: Double) throws -> String? {
        let text = String(decoding: try notice.read(limit: 65536), as: UTF8.self)
        script.withLock { $0.notices.append(text) }
        return nil
    }

    // MARK: What a worker records

    private static func order(_ path: String) throws -> WorkOrder {
        var reader = PlanReader()
        let bytes = try File.open(path).read(limit: 1 << 20)
        for line in bytes.split(separator: UInt8(ascii: "\n")) { try reader.take(line) }
        return try reader.order()
    }

    private static func records(
        _ phase: Phase, _ order: WorkOrder, _ summary: LedgerSummary, _ failure: LedgerRecord?
    ) -> [LedgerRecord] {
        let after = order.plan.number(of: .after)
        let steps = order.plan.steps.indices.filter { $0 != after && !summary.finished.contains($0) }
        switch phase {
        case .facts:
            guard failure == nil, let facts = try? FolderFacts() else { return [failure].compactMap { $0 } }
            return [.found(facts)]
        case .survey:
            guard case .failed(_, let code, let message) = failure else {
                return [.surveyed(faults: [], warnings: [], equal: [])]
            }
            let fault = Fault(folder: order.plan.folder, code, message)
            return [.surveyed(faults: [fault], warnings: [], equal: [])]
        case .stage:
            let slots = steps.map { step in
                StepSlot(step: step, inode: 1, replaces: nil, place: order.plan.steps[step].path)
            }
            return [.staged(slots), failure ?? .prepared]
        case .apply, .tryout:
            guard case .failed(_, let code, let message) = failure, let last = steps.last else {
                return [.finished(steps: steps), .done]
            }
            return [
                .finished(steps: Array(steps.dropLast())), .started(step: last, attempt: 1),
                .failed(step: last, code: code, message: message),
            ]
        case .finish: return after.map { [.finished(steps: [$0])] } ?? []
        case .revert:
            if let failure { return [.reverting, failure] }
            let undone: [LedgerRecord] =
                order.undo.isEmpty
                ? [.undone(job: order.job, steps: Array(summary.finished).sorted())]
                : order.undo.map { .undone(job: $0.job, steps: Array($0.plan.steps.indices)) }
            return (summary.isReverting ? [] : [.reverting]) + undone + [.reverted]
        case .forget: return [failure ?? .forgotten]
        case .rehearse:
            var report = FolderRehearsal(folder: order.plan.folder)
            if case .failed(_, let code, let message) = failure {
                (report.code, report.error) = (code, message)
            } else {
                report.ok = true
            }
            return [.rehearsed(report)]
        case .show, .baseline, .tidy: return []
        }
    }
}
