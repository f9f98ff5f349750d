import PatchFiles
import PatchLedger
import PatchModel

/// Undoes, in reverse order, what this job did in the folder, or what the jobs did that its order names.
struct FolderRevert {
    let context: FolderContext

    private var order: WorkOrder { context.order }
    private var database: FolderDatabase { FolderDatabase(context) }

    /// Goes on where an earlier run was cut off. What cannot be undone is refused before anything is touched.
    func run() throws(WorkerError) {
        if context.state.outcome == .reverted { return }
        let jobs = context.undoneJobs
        if !context.state.isReverting {
            let found = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
                try UndoSurvey(context, jobs: jobs)
            }
            if let first = found.faults.first {
                throw .failed(step: nil, first.code, found.faults.map(\.message).joined(separator: "\n"))
            }
            if !order.undo.isEmpty { try database.compare() }
            try context.record(.reverting)
        } else if case .failed(let step, let code, let message) = context.state.outcome {
            throw .failed(step: step, code, message)
        }
        // Before that mark nothing live was changed, and what the ledger says of the slots need not be true.
        let prepared = jobs.filter(\.isPrepared)
        for job in prepared { try undo(job) }
        try database.settle(without: prepared)
        try context.record(.reverted)
        let version = jobs.last?.plan.from?.description ?? "?"
        context.trace.write(.message, "undone: \(order.plan.folder) has \(version) again")
    }

    private func undo(_ job: UndoneJob) throws(WorkerError) {
        context.trace.write(.message, "undoing job \(job.job), \(job.update)")
        let areas = try context.areas(ofJob: job.job)
        for part in job.parts {
            try context.stopIfTold()
            switch part {
            case .downgrade(let number): try run(downgrade: number, of: job, in: areas)
            case .files(let slots): try undo(slots, of: job, in: areas)
            case .database: try database.restore(job, in: areas)
            }
        }
        try working("withdraw the list of what job \(job.job) installed") { () throws(FileError) in
            if let area = try areas.existing("") { try InstalledFiles.withdraw(area, job: job.job) }
        }
    }

    private func undo(_ slots: [StepSlot], of job: UndoneJob, in areas: WorkAreas) throws(WorkerError) {
        let open = slots.filter { context.state.undone[job.job]?.contains($0.step) != true }
        if open.isEmpty { return }
        for slot in open {
            guard let step = job.plan.step(slot.step)?.step(slot.step) as? any SwapStep else { continue }
            let title = "undo \(step.planned.title)"
            context.trace.write(.started, step: title)
            let swap = FileSwap(area: try context.area(of: slot, in: areas, step.planned), slot: slot)
            let undone = try working("undo \"\(step.planned.path)\"") { () throws(FileError) in try step.undo(swap) }
            switch undone {
            case .plain: break
            case .saved(let name):
                context.trace.write(.message, step: title, "it was changed since; kept as \(name)")
            case .left: context.trace.write(.message, step: title, "the directory is not empty and stays")
            case .lost:
                throw .failed(
                    step: nil, .irreversible,
                    "cannot undo \"\(step.planned.path)\": its original is not in \(swap.area.slots.path) any more; "
                        + "put the file back from a backup, then resume the job")
            }
        }
        try working("make the undo of \(open.count) files durable") { () throws(FileError) in try areas.sync() }
        try context.record(.undone(job: job.job, steps: open.map(\.step)))
        for slot in open {
            if let step = job.plan.step(slot.step) { context.trace.write(.finished, step: "undo \(step.title)") }
        }
    }

    private func run(downgrade number: Int, of job: UndoneJob, in areas: WorkAreas) throws(WorkerError) {
        guard context.state.undone[job.job]?.contains(number) != true,
            let step = job.plan.step(number)?.step(number) as? any RunStep,
            let slot = job.slots.first(where: { $0.step == number })
        else { return }
        if try database.leftNothing(step.planned) {
            context.trace.write(
                .message, step: "downgrade \(step.planned.path)", "not run: nothing of the migration took effect")
            return try context.record(.undone(job: job.job, steps: [number]))
        }
        try StepRunner(context: context, database: database).run(downgrade: step, slot, of: job, in: areas)
    }
}

extension FolderContext {
    /// What is undone: newest first.
    var undoneJobs: [UndoneJob] {
        guard order.undo.isEmpty else { return order.undo }
        // The folder is still locked: nothing was written since the copy but by this job.
        guard var own = order.undoneJob(state) else { return [] }
        own.restoresDatabase = own.backup != nil
        own.halfRun = state.ran.subtracting(state.finished).max()
        return [own]
    }
}
