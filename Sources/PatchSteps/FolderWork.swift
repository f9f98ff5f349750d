import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// One worker's work on one folder. It knows where it is from its ledger alone, so it can be killed and started again
/// at any instant.
public struct FolderWork: ~Copyable {
    private let folder: Directory
    private let tree: Directory
    private var ledger: Ledger
    private var state: LedgerSummary
    private let order: WorkOrder
    private let trace: Trace
    /// Whether somebody asked to stop after the current step.
    private let shouldStop: @Sendable () -> Bool

    /// Three attempts after the first one: a vendor's script that ends the worker itself must not do so for ever.
    private static let attempts = 4

    /// Takes over what the daemon passes: the checked tree, the ledger with its order, and the trace.
    public init(
        tree: consuming Directory, ledger file: consuming File, trace: consuming File,
        shouldStop: @escaping @Sendable () -> Bool
    ) throws(WorkerError) {
        let ledger = try Self.open(file)
        let state = LedgerSummary(ledger.records)
        guard let order = state.order else {
            throw .failed(step: nil, .io, "cannot start: the ledger has no order")
        }
        let folder = try working("open folder \(order.plan.folder)") { () throws(FileError) in
            try Directory.openWithoutLinks(order.plan.path)
        }
        self.ledger = ledger
        self.state = state
        self.order = order
        self.tree = tree
        self.folder = folder
        self.trace = Trace(trace, order: order)
        self.shouldStop = shouldStop
    }

    private static func open(_ file: consuming File) throws(WorkerError) -> Ledger {
        do throws(LedgerError) {
            return try Ledger(file)
        } catch {
            throw .ledger(error)
        }
    }

    /// Looks at the folder and records what was found.
    public mutating func survey() throws(WorkerError) {
        let found = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try Survey(folder, tree: tree, order: order)
        }
        try record(.surveyed(faults: found.faults, warnings: found.warnings, equal: found.equal))
    }

    /// Brings all new content beside its place and makes it durable. Nothing live is touched. Done already: nothing
    /// happens; half done: begins anew.
    public mutating func stage() throws(WorkerError) {
        if state.isPrepared { return }
        trace.write(.message, step: nil, "staging \(order.update) \(order.plan.to)")
        let area = try openArea()
        try working("clear what an earlier try left in \(folder.path)/.patchd") { () throws(FileError) in
            try area.clear()
        }
        var slots: [LedgerRecord.Slot] = []
        var modes: [ExactText: UInt16] = [:]
        for (index, step) in order.plan.steps.enumerated() where !state.equal.contains(index) {
            let slot = try stage(step, index, in: area, modes: &modes)
            slots.append(slot)
        }
        try working("make what was staged durable") { () throws(FileError) in try area.slots.syncFileSystem() }
        try record(.staged(slots))
        try record(.prepared)
        let equal = state.equal.count
        trace.write(.message, step: nil, "staged \(slots.count) of \(order.plan.steps.count) steps, \(equal) are equal")
    }

    private func openArea() throws(WorkerError) -> WorkArea {
        try working("open \(folder.path)/.patchd") { () throws(FileError) in try WorkArea(folder, order: order) }
    }

    private func stage(
        _ step: PlannedStep, _ index: Int, in area: borrowing WorkArea, modes: inout [ExactText: UInt16]
    ) throws(WorkerError) -> LedgerRecord.Slot {
        let folderName = order.plan.folder
        let endpoint = order.endpoint
        let name = WorkArea.slot(index)
        var live: FileStatus?
        if step.kind != .script {
            live = try working("look at \"\(step.path)\"", step: index) { () throws(FileError) in
                do throws(FileError) { return try folder.status(step.path) } catch {
                    // A file in the way of a directory: an earlier step of this plan replaces it.
                    if error.number == ENOTDIR { return nil }
                    throw error
                }
            }
        }
        if step.kind == .directory {
            try working("stage directory \"\(step.path)\" for \(endpoint)/\(folderName)", step: index) {
                () throws(FileError) in _ = try area.slots.makeDirectory(name, mode: step.mode ?? 0o755)
            }
        } else {
            let known = modes[ExactText(step.path)] ?? (live?.kind == .file ? live?.mode : nil)
            let mode = step.kind == .script ? 0o700 : step.mode ?? known.map { $0 & 0o777 } ?? 0o644
            modes[ExactText(step.path)] = mode
            let sum = try working("stage \"\(step.path)\" for \(endpoint)/\(folderName)", step: index) {
                () throws(FileError) in
                let source = try tree.file(step.source)
                let file = try area.slots.createFile(name, mode: 0o600)
                try file.allocate(Int64(step.size))
                let sum = try source.copy(to: file)
                if let live, live.kind == .file {
                    if try file.status().gid != live.gid { try file.setOwner(uid: live.uid, gid: live.gid) }
                    try file.copyAttributes(from: folder.file(step.path))
                } else if step.kind == .file {
                    // A directory that this update brings is not there yet and has nothing to give.
                    let parent = Directory.split(step.path).parent ?? "."
                    if try folder.status(parent)?.kind == .directory {
                        try file.inherit(from: folder.directory(parent))
                    }
                }
                try file.setMode(mode)
                return sum
            }
            guard sum == step.sha256 else {
                throw .failed(
                    step: index, .io,
                    """
                    cannot stage "\(step.path)": its content in the checked tree is not what was checked (SHA-256 \(sum) \
                    instead of \(step.sha256)); the disk or somebody changed it. Drop the archive again
                    """)
            }
        }
        let made = try working("look at what was staged", step: index) { () throws(FileError) in
            try area.slots.status(name)
        }
        return LedgerRecord.Slot(step: index, inode: made?.inode ?? 0, replaces: live?.inode)
    }

    /// Switches the files and runs the scripts, patch by patch, from the step that it was at.
    public mutating func apply() throws(WorkerError) {
        if state.outcome == .done { return }
        if case .failed(let step, let code, let message) = state.outcome { throw .failed(step: step, code, message) }
        guard state.isPrepared else { throw .failed(step: nil, .io, "cannot apply: nothing is staged") }
        let area = try openArea()
        trace.write(
            .message, step: nil, "applying \(order.update): \(order.plan.from?.description ?? "?") to \(order.plan.to)")
        var index = 0
        let steps = order.plan.steps
        while index < steps.count {
            if shouldStop() {
                try record(.interrupted)
                return
            }
            if steps[index].kind == .script {
                if !state.finished.contains(index) { try run(index, in: area) }
                index += 1
                continue
            }
            let end = steps[index...].firstIndex { $0.kind == .script } ?? steps.count
            try switchFiles(index..<end, in: area)
            index = end
        }
        try record(.done)
        trace.write(.message, step: nil, "done: \(order.plan.folder) has \(order.plan.to)")
    }

    /// A run of files between two scripts is switched as a whole and then made durable as a whole: the ledger's slots
    /// tell after a crash which of them are live.
    private mutating func switchFiles(_ range: Range<Int>, in area: borrowing WorkArea) throws(WorkerError) {
        let open = range.filter { state.slots[$0] != nil && !state.finished.contains($0) }
        if open.isEmpty { return }
        let successors = successors()
        for index in open {
            guard let slot = state.slots[index] else { continue }
            let step = order.plan.steps[index]
            trace.write(.started, step: index)
            try working("switch \"\(step.path)\"", step: index) { () throws(FileError) in
                // A later step of this plan may have replaced the file already (a crash came between the two): its
                // slot is then live, and this one has been.
                if let later = successors[index], let live = try folder.status(step.path), later.contains(live.inode) {
                    return
                }
                let change = Switch(
                    folder: try folder.duplicate(), slots: try area.slots.duplicate(), path: step.path, slot: slot)
                try change.do()
            }
        }
        try working("make the switch of \(open.count) files durable") { () throws(FileError) in
            try folder.syncFileSystem()
        }
        try record(.finished(steps: open))
        for index in open { trace.write(.finished, step: index) }
    }

    /// For each step whose file a later step of the plan replaces, the inodes that those bring.
    private func successors() -> [Int: [UInt64]] {
        var found: [Int: [UInt64]] = [:]
        var later: [ExactText: [UInt64]] = [:]
        for (index, step) in order.plan.steps.enumerated().reversed() where step.kind == .file {
            let place = ExactText(step.path)
            if let inodes = later[place] { found[index] = inodes }
            if let slot = state.slots[index] { later[place, default: []].append(slot.inode) }
        }
        return found
    }

    private mutating func run(_ index: Int, in area: borrowing WorkArea) throws(WorkerError) {
        let step = order.plan.steps[index]
        var attempt = 1
        if let started = state.started, started.step == index { attempt = started.attempt + 1 }
        guard attempt <= Self.attempts else {
            throw .failed(
                step: index, .script,
                """
                script \(step.path) was cut off \(Self.attempts) times; look at the trace for what ends it, then resume \
                the job
                """)
        }
        try record(.started(step: index, attempt: attempt))
        trace.write(.started, step: index, attempt > 1 ? "attempt \(attempt)" : "")
        let slot = WorkArea.slot(index)
        let command = try working("run script \(step.path)", step: index) { () throws(FileError) in
            try Script.interpreter(of: area.slots.file(slot)) + [area.slots.path + "/" + slot]
        }
        let environment = scriptEnvironment(step, attempt: attempt)
        let seconds = order.scriptTimeout
        let result = try working("run script \(step.path)", step: index) { () throws(FileError) in
            try Script.run(command, environment: environment, in: folder, seconds: seconds) { line in
                trace.write(.output, step: index, line)
            }
        }
        switch result {
        case .exit(.code(0)): break
        case .exit(.code(let code)):
            throw .failed(
                step: index, .script,
                "script \(step.path) ended with exit code \(code); see its trace, mend the cause, then resume the job")
        case .exit(.signal(let number)):
            throw .failed(
                step: index, .script,
                "script \(step.path) was ended by signal \(number); see its trace, then resume the job")
        case .timeout:
            throw .failed(
                step: index, .script,
                "script \(step.path) took longer than scriptTimeout (\(Int(seconds)) s) and was stopped; raise it or mend the script, then resume the job"
            )
        }
        try working("make what script \(step.path) wrote durable", step: index) { () throws(FileError) in
            try folder.syncFileSystem()
        }
        try record(.finished(steps: [index]))
        trace.write(.finished, step: index)
    }

    private func scriptEnvironment(_ step: PlannedStep, attempt: Int) -> [String] {
        let user = getpwuid(geteuid())
        let home = user.map { String(cString: $0.pointee.pw_dir) } ?? "/"
        let name = user.map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
        return [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(home)", "USER=\(name)",
            "LOGNAME=\(name)", "LANG=C.UTF-8", "SHELL=/bin/sh",
            "PATCHD_ENDPOINT=\(order.endpoint)", "PATCHD_FOLDER=\(order.plan.folder)",
            "PATCHD_FROM=\(order.plan.from?.description ?? "")", "PATCHD_TO=\(order.plan.to)",
            "PATCHD_SCRIPT=\(step.path)", "PATCHD_ATTEMPT=\(attempt)", "PATCHD_DATABASE_URL=",
        ]
    }

    /// Records that the folder stopped. Called by whoever caught the error.
    public mutating func recordFailure(step: Int?, _ code: FaultCode, _ message: String) throws(WorkerError) {
        trace.write(.message, step: step, "failed (\(code.rawValue)): \(message)")
        try record(.failed(step: step, code: code, message: message))
    }

    private mutating func record(_ record: LedgerRecord) throws(WorkerError) {
        do throws(LedgerError) {
            try ledger.append(record)
        } catch {
            throw .ledger(error)
        }
        state = LedgerSummary(ledger.records)
    }
}
