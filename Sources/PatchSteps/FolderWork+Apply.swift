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

    /// A run of files between two scripts is switched as a whole and then made durable as a whole: the ledger's slots
    /// tell after a crash which of them are live.
    private mutating func switchFiles(_ range: Range<Int>, in areas: WorkAreas) throws(WorkerError) {
        let open = range.filter { state.slots[$0] != nil && !state.finished.contains($0) }
        if open.isEmpty { return }
        let successors = successors()
        try renewSlots(open, successors, in: areas)
        for index in open {
            let step = order.plan.steps[index]
            trace.write(.started, step: step.title)
            guard let change = try change(index, in: areas) else { continue }
            try working("switch \"\(step.path)\"", step: index) { () throws(FileError) in
                // A later step of this plan may have replaced the file already (a crash came between the two): its
                // slot is then live, and this one has been.
                if let later = successors[index], let live = try change.live(), later.contains(live.inode) { return }
                try change.do()
            }
        }
        try working("make the switch of \(open.count) files durable") { () throws(FileError) in try areas.sync() }
        try record(.finished(steps: open))
        for index in open { trace.write(.finished, step: order.plan.steps[index].title) }
    }

    private func change(_ index: Int, in areas: WorkAreas) throws(WorkerError) -> Switch? {
        guard let slot = state.slots[index] else { return nil }
        let step = order.plan.steps[index]
        return Switch(area: try area(of: slot, in: areas, step), step: step, slot: slot)
    }

    /// An application may have replaced a file between staging and the lock. An undo has to know its original exactly, so
    /// the ledger learns what is there before the first of these steps is switched.
    private mutating func renewSlots(
        _ open: [Int], _ successors: [Int: [UInt64]], in areas: WorkAreas
    ) throws(WorkerError) {
        var renewed: [StepSlot] = []
        var coming: Set<ExactText> = []
        for index in open {
            guard let change = try change(index, in: areas) else { continue }
            let step = change.step
            let isPreceded = !coming.insert(ExactText(change.slot.place)).inserted
            if isPreceded { continue }
            let (isDone, live) = try working("look at \"\(step.path)\"", step: index) { () throws(FileError) in
                (try change.isDone(), try change.live()?.inode)
            }
            if isDone || live == change.slot.replaces { continue }
            if let later = successors[index], let live, later.contains(live) { continue }
            var slot = change.slot
            slot.replaces = live
            renewed.append(slot)
        }
        if !renewed.isEmpty { try record(.staged(renewed)) }
    }

    /// For each step whose file a later step of the plan replaces, the inodes that those bring.
    private func successors() -> [Int: [UInt64]] {
        var found: [Int: [UInt64]] = [:]
        var later: [ExactText: [UInt64]] = [:]
        for index in order.plan.steps.indices.reversed() {
            guard let slot = state.slots[index], !slot.place.isEmpty else { continue }
            let place = ExactText(slot.place)
            if let inodes = later[place] { found[index] = inodes }
            later[place, default: []].append(slot.inode)
        }
        return found
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
