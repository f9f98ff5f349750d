import PatchFiles
import PatchLedger
import PatchModel

extension FolderWork {
    /// Switches the files and runs the scripts, patch by patch, from the step that it was at.
    public mutating func apply() throws(WorkerError) {
        if state.outcome == .done { return }
        if case .failed(let step, let code, let message) = state.outcome { throw .failed(step: step, code, message) }
        guard !state.isReverting else { throw .failed(step: nil, .io, "cannot apply: the way back was begun") }
        guard state.isPrepared, order.undo.isEmpty else {
            throw .failed(step: nil, .io, "cannot apply: nothing is staged")
        }
        let areas = try areas(ofJob: order.job)
        trace.write(
            .message, "applying \(order.update): \(order.plan.from?.description ?? "?") to \(order.plan.to)")
        var index = 0
        let steps = order.plan.steps
        while index < steps.count {
            if shouldStop() { return try record(.interrupted) }
            if steps[index].kind == .script {
                if !state.finished.contains(index) { try run(index, in: areas) }
                index += 1
                continue
            }
            let end = steps[index...].firstIndex { $0.kind == .script } ?? steps.count
            try switchFiles(index..<end, in: areas)
            index = end
        }
        try record(.done)
        trace.write(.message, "done: \(order.plan.folder) has \(order.plan.to)")
    }

    /// A run of files is switched as a whole and then made durable as a whole: the ledger's slots tell after a crash which
    /// of them are live.
    private mutating func switchFiles(_ range: Range<Int>, in areas: WorkAreas) throws(WorkerError) {
        let open = range.filter { !state.finished.contains($0) }.compactMap { state.slots[$0] }
        for run in StepSlot.runs(open) {
            var changes: [Switch] = []
            for slot in try renew(run, in: areas) { changes.append(try change(slot, in: areas)) }
            for change in changes {
                trace.write(.started, step: change.step.title)
                try working("switch \"\(change.step.path)\"", step: change.slot.step) { () throws(FileError) in
                    try change.do()
                }
            }
            try working("make the switch of \(run.count) files durable") { () throws(FileError) in try areas.sync() }
            try record(.finished(steps: run.map(\.step)))
            for change in changes { trace.write(.finished, step: change.step.title) }
        }
    }

    private func change(_ slot: StepSlot, in areas: WorkAreas) throws(WorkerError) -> Switch {
        let step = order.plan.steps[slot.step]
        return Switch(area: try area(of: slot, in: areas, step), step: step, slot: slot)
    }

    /// An application may have replaced a file between staging and the lock. An undo has to know its original exactly, so
    /// the ledger learns what is there before the first of these steps is switched.
    private mutating func renew(_ run: [StepSlot], in areas: WorkAreas) throws(WorkerError) -> [StepSlot] {
        var renewed: [StepSlot] = []
        for slot in run {
            let change = try change(slot, in: areas)
            let step = change.step
            let (isWaiting, live) = try working("look at \"\(step.path)\"", step: slot.step) { () throws(FileError) in
                (try change.isWaiting(), try change.live())
            }
            if !isWaiting || live?.inode == slot.replaces { continue }
            guard live?.kind != .directory || step.kind == .directory else {
                throw .failed(
                    step: slot.step, .exists,
                    "cannot \(step.title): a directory came there after it was staged; move it away, then resume")
            }
            var exact = slot
            exact.replaces = live?.inode
            renewed.append(exact)
        }
        if !renewed.isEmpty { try record(.staged(renewed)) }
        return run.compactMap { state.slots[$0.step] }
    }

    private mutating func run(_ index: Int, in areas: WorkAreas) throws(WorkerError) {
        let step = order.plan.steps[index]
        var attempt = 1
        if let started = state.started, started.step == index { attempt = started.attempt + 1 }
        try checkAttempt(attempt, step, index)
        try record(.started(step: index, attempt: attempt))
        guard let slot = state.slots[index] else { return }
        try run(
            step, slot, in: area(of: slot, in: areas, step),
            ScriptRun(title: step.title, attempt: attempt, from: order.plan.from, to: order.plan.to))
        try record(.finished(steps: [index]))
        trace.write(.finished, step: step.title)
    }
}
