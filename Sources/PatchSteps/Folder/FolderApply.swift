import PatchFiles
import PatchLedger
import PatchModel

/// Switches the files and runs the scripts of a job, patch by patch, from the step that it was at.
final class FolderApply {
    let context: FolderContext
    let installed: InstalledFiles
    private let areas: WorkAreas
    private let resolver: PathResolver
    private let database: FolderDatabase
    private let runner: StepRunner
    /// How many steps of the plan ``installed`` knows of.
    private var noted = 0

    private var order: WorkOrder { context.order }

    private init(_ context: FolderContext) throws(WorkerError) {
        self.context = context
        areas = try context.areas(ofJob: context.order.job)
        resolver = try context.resolver()
        installed = try context.installedFiles()
        database = FolderDatabase(context)
        runner = StepRunner(context: context, database: database)
    }

    /// Does what is not done yet; a folder that is done stays so.
    static func run(_ context: FolderContext) throws(WorkerError) {
        let state = context.state
        if state.outcome == .done { return }
        if case .failed(let step, let code, let message) = state.outcome { throw .failed(step: step, code, message) }
        guard !state.isReverting else { throw .failed(step: nil, .io, "cannot apply: an undo was begun") }
        guard state.isPrepared, context.order.undo.isEmpty else {
            throw .failed(step: nil, .io, "cannot apply: nothing is staged")
        }
        try FolderApply(context).run()
    }

    private func run() throws(WorkerError) {
        let plan = order.plan
        context.trace.write(
            .message, "applying \(order.update): \(plan.from?.description ?? "?") to \(plan.to)")
        try context.stopIfTold()
        try database.prepare(in: areas)
        var index = 0
        // What is left to the end comes when the folder is done: `FolderWork.finish`.
        let steps = plan.steps[..<(plan.number(of: .after) ?? plan.steps.count)]
        while index < steps.count {
            try context.stopIfTold()
            if steps[index].kind.isRun {
                try run(index)
                index += 1
                continue
            }
            let end = steps[index...].firstIndex { $0.kind.isRun } ?? steps.count
            if (index..<end).contains(where: { !context.state.finished.contains($0) }) { try context.yield(index) }
            try swapFiles(index..<end)
            index = end
        }
        try publish()
        try database.settle()
        try context.record(.done)
        context.trace.write(
            .message, context.recorder == nil ? "done: \(plan.folder) has \(plan.to)" : "done on the copy")
    }

    private func run(_ index: Int) throws(WorkerError) {
        let planned = order.plan.steps[index]
        if context.state.equal.contains(index) {
            let why =
                planned.migration == nil ? "the table has these rows already" : "the database has it as done already"
            return context.trace.write(.message, step: planned.title, why)
        }
        guard !context.state.finished.contains(index), let step = planned.step(index) as? any RunStep else { return }
        try runner.run(step, in: areas)
    }

    // MARK: Files

    /// A run of files is switched as a whole and then made durable as a whole: the ledger's slots show after a crash
    /// which of them are live.
    private func swapFiles(_ range: Range<Int>) throws(WorkerError) {
        let state = context.state
        let open = range.filter { !state.finished.contains($0) }.compactMap { state.slots[$0] }
        for run in StepSlot.runs(open, of: order.plan) {
            try renew(run)
            for old in run {
                let slot = context.state.slots[old.step] ?? old
                guard let step = step(slot) else { continue }
                context.trace.write(.started, step: step.planned.title)
                let swap = FileSwap(area: try context.area(of: slot, in: areas, step.planned), slot: slot)
                try working("switch \"\(step.planned.path)\"", step: slot.step) { () throws(FileError) in
                    try step.apply(swap)
                }
            }
            try working("make the switch of \(run.count) files durable") { () throws(FileError) in try areas.sync() }
            try context.record(.finished(steps: run.map(\.step)))
            context.trace.write(finished: run.map { order.plan.steps[$0.step] })
        }
    }

    private func step(_ slot: StepSlot) -> (any SwapStep)? {
        order.plan.steps[slot.step].step(slot.step) as? any SwapStep
    }

    /// Looks again at what is live. The ledger learns of changes before the first of these steps is switched.
    private func renew(_ run: [StepSlot]) throws(WorkerError) {
        var renewed: [StepSlot] = []
        for slot in run {
            guard let step = step(slot) else { continue }
            var swap = FileSwap(area: try context.area(of: slot, in: areas, step.planned), slot: slot)
            let before = swap
            if try looking(at: step, { () throws(FileError) in try step.isDone(before) }) { continue }
            try step.renew(&swap, at: checkedPlace(of: step, slot), in: self)
            if swap.slot != slot { renewed.append(swap.slot) }
        }
        if !renewed.isEmpty { try context.record(.staged(renewed)) }
    }

    /// Where the step's path leads, after making sure that links and mounts lead there as they did when it was staged.
    private func checkedPlace(of step: any SwapStep, _ slot: StepSlot) throws(WorkerError) -> String {
        let place = try context.resolve(step.planned, step.index, with: resolver)
        let isSame = slot.place == place.path || slot.place == FileSwap.beside(place.path, InstalledFiles.newSuffix)
        if isSame, slot.mount == place.mount { return place.path }
        throw .failed(
            step: slot.step, .io,
            """
            cannot \(step.planned.title): it was staged for "\(slot.place)", and a link or a mount that was changed since \
            leads to "\(place.path)"; put it back as it was, then resume the job
            """)
    }

    func looking<Value>(at step: any Step, _ body: () throws(FileError) -> Value) throws(WorkerError) -> Value {
        try working("look at \"\(step.planned.path)\"", step: step.index, body)
    }

    func directoryInTheWay(of step: any Step, _ foreign: String) -> WorkerError {
        .failed(
            step: step.index, .exists,
            """
            cannot \(step.planned.title): a directory is in the way, and patchd did not bring "\(foreign)", or it was \
            changed since; move the directory away, then resume the job
            """)
    }

    // MARK: Installed files

    /// Adds to ``installed`` what the steps before one have brought; it is read only where it is needed.
    func noteInstalled(before end: Int) throws(WorkerError) {
        for index in order.plan.steps.indices.prefix(end).dropFirst(noted) {
            guard let step = order.plan.steps[index].step(index) as? any SwapStep else { continue }
            let place = try context.resolve(step.planned, index, with: resolver).path
            try working("read what was installed", step: index) { () throws(FileError) in
                try installed.note(step.installed, at: place)
            }
        }
        noted = max(noted, end)
    }

    /// Makes the job's list of installed files count.
    private func publish() throws(WorkerError) {
        try working("list what was installed") { () throws(FileError) in
            if let area = try areas.existing("") { try InstalledFiles.publish(area, job: order.job) }
        }
    }
}
