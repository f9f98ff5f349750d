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
        let places = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try PathResolver(folder, order: order)
        }
        let registry = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            try Registry(folder, order: order)
        }
        trace.write(
            .message, "applying \(order.update): \(order.plan.from?.description ?? "?") to \(order.plan.to)")
        try prepareDatabase(in: areas)
        var index = 0
        // What is left to the end comes when the folder is done: `finish`.
        let steps = order.plan.steps[..<(order.plan.number(of: .after) ?? order.plan.steps.count)]
        while index < steps.count {
            if shouldStop() { return try record(.interrupted) }
            if steps[index].kind.isRun {
                if state.equal.contains(index) {
                    trace.write(.message, step: steps[index].title, "the table has these rows already")
                } else if !state.finished.contains(index), try !run(index, in: areas) {
                    // Told to stop while it waited.
                    continue
                }
                index += 1
                continue
            }
            let end = steps[index...].firstIndex { $0.kind.isRun } ?? steps.count
            try switchFiles(index..<end, in: areas, places, registry)
            index = end
        }
        try publish(areas)
        try settleDatabase()
        try record(.done)
        trace.write(.message, "done: \(order.plan.folder) has \(order.plan.to)")
    }

    /// A run of files is switched as a whole and then made durable as a whole: the ledger's slots tell after a crash
    /// which of them are live.
    private mutating func switchFiles(
        _ range: Range<Int>, in areas: WorkAreas, _ places: PathResolver, _ registry: Registry
    ) throws(WorkerError) {
        let open = range.filter { !state.finished.contains($0) }.compactMap { state.slots[$0] }
        for run in StepSlot.runs(open, of: order.plan) {
            try renew(run, in: areas, places, registry)
            var changes: [Switch] = []
            for slot in run { changes.append(try change(state.slots[slot.step] ?? slot, in: areas)) }
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

    /// An application or the admin may have changed a file between staging and the lock. An undo has to know its
    /// original exactly, so the ledger learns what is there before the first of these steps is switched.
    private mutating func renew(
        _ run: [StepSlot], in areas: WorkAreas, _ places: PathResolver, _ registry: Registry
    ) throws(WorkerError) {
        var renewed: [StepSlot] = []
        for slot in run {
            var change = try change(slot, in: areas)
            let waiting = change
            let isWaiting = try look(at: waiting) { () throws(FileError) in try waiting.isWaiting() }
            if !isWaiting { continue }
            let place = try checkWay(to: slot, change.step, places)
            if slot.place == place, change.step.keep, try isAdmins(waiting, places, registry) {
                change.slot.place = Switch.beside(place, Registry.newSuffix)
            }
            let final = change
            let live = try look(at: final) { () throws(FileError) in try final.live() }
            change.slot.replaces = live?.inode
            if change.step.kind == .registry { try checkRegistry(change) }
            if live?.kind == .directory, change.step.kind != .directory { try checkGivesWay(change, places, registry) }
            if change.slot != slot { renewed.append(change.slot) }
        }
        if !renewed.isEmpty { try record(.staged(renewed)) }
    }

    /// A registry that somebody changed since the plan was made would be lost with all that it says.
    private func checkRegistry(_ change: Switch) throws(WorkerError) {
        let now = try look(at: change) { () throws(FileError) in
            try change.live()?.kind == .file ? folder.file(change.slot.place).sha256() : nil
        }
        guard now != order.registryBefore(change.slot.step) else { return }
        throw .failed(
            step: change.slot.step, .io,
            """
            cannot switch "\(change.step.path)": it was changed since the job was planned, and the new one was made from \
            what it said then; put it back as it was and resume the job, or roll the folder back and drop the archive again
            """)
    }

    private func look<Value>(at change: Switch, _ body: () throws(FileError) -> Value) throws(WorkerError) -> Value {
        try working("look at \"\(change.step.path)\"", step: change.slot.step, body)
    }

    /// The step's own place, after making sure that links and mounts lead there as they did when it was staged.
    private func checkWay(
        to slot: StepSlot, _ step: PlannedStep, _ places: PathResolver
    ) throws(WorkerError) -> String {
        let place = try place(of: step, slot.step, places)
        let isSame = slot.place == place.path || slot.place == Switch.beside(place.path, Registry.newSuffix)
        if isSame, slot.mount == place.mount { return place.path }
        throw .failed(
            step: slot.step, .io,
            """
            cannot \(step.title): it was staged for "\(slot.place)", and a link or a mount that was changed since leads \
            to "\(place.path)"; put it back as it was, then resume the job
            """)
    }

    private func isAdmins(_ change: Switch, _ places: PathResolver, _ registry: Registry) throws(WorkerError) -> Bool {
        try note(change.slot.step, places, registry)
        return try look(at: change) { () throws(FileError) in
            try registry.isAdmins(change.step, at: change.slot.place, change.live())
        }
    }

    private func checkGivesWay(_ change: Switch, _ places: PathResolver, _ registry: Registry) throws(WorkerError) {
        try note(change.slot.step, places, registry)
        let foreign = try look(at: change) { () throws(FileError) in
            change.step.kind == .remove
                ? change.slot.place : try registry.foreign(in: change.slot.place, isComing: { _ in false })
        }
        guard let foreign else { return }
        throw .failed(
            step: change.slot.step, .exists,
            """
            cannot \(change.step.title): a directory is in the way, and patchd did not bring "\(foreign)", or it was \
            changed since; move the directory away, then resume the job
            """)
    }

    /// Lets the registry know what the steps before one have brought; it is read only where somebody asks.
    private func note(_ end: Int, _ places: PathResolver, _ registry: Registry) throws(WorkerError) {
        for index in order.plan.steps.indices.prefix(end).dropFirst(registry.noted) {
            let step = order.plan.steps[index]
            if step.kind.isRun { continue }
            let place = try place(of: step, index, places).path
            try working("read what was brought", step: index) { () throws(FileError) in
                try registry.note(step, at: place)
            }
        }
        registry.noted = max(registry.noted, end)
    }

    /// Makes the registry say what the job brought.
    private func publish(_ areas: WorkAreas) throws(WorkerError) {
        try working("list what was brought") { () throws(FileError) in
            if let area = try areas.existing("") { try Registry.publish(area, order) }
        }
    }

    /// Begins a step that runs a command.
    ///
    /// - Returns: how it is to be run.
    mutating func begin(_ index: Int) throws(WorkerError) -> ScriptRun {
        let step = order.plan.steps[index]
        var attempt = 1
        if let started = state.started, started.step == index { attempt = started.attempt + 1 }
        try checkAttempt(attempt, step, index)
        try record(.started(step: index, attempt: attempt))
        return ScriptRun(
            title: step.title, attempt: attempt, from: order.plan.scriptsFrom ?? order.plan.from, to: order.plan.to)
    }

    /// - Returns: false when somebody asked to stop before it could begin.
    private mutating func run(_ index: Int, in areas: WorkAreas) throws(WorkerError) -> Bool {
        let step = order.plan.steps[index]
        let isAgain = state.ran.contains(index)
        let run = try begin(index)
        if step.kind == .hook {
            try self.run(step.shell, step, index, run)
        } else if let slot = state.slots[index] {
            let area = try area(of: slot, in: areas, step)
            switch step.kind {
            case .handler: try handOver(step, index, in: area, run, isAgain: isAgain)
            case .rows: guard try load(step, slot, in: area, run) else { return false }
            default:
                guard let key = order.key(of: step) else { return true }
                guard try self.run(step, slot, in: area, run, key: key) else { return false }
            }
        } else {
            return true
        }
        try record(.finished(steps: [index]))
        trace.write(.finished, step: step.title)
        return true
    }
}
