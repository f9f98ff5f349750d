import PatchFiles
import PatchLedger
import PatchModel

/// Runs the steps that are run at their place, and records it: that one begins, for which time, and that it is done.
struct StepRunner {
    let context: FolderContext
    let database: FolderDatabase

    /// Three attempts after the first one: a vendor's script that ends the worker itself must not do so for ever.
    private static let attempts = 4

    /// Runs a step of the job to a good end.
    ///
    /// - Parameter isLast: whether nothing is done afterwards, so that nobody starts the worker again once it is recorded:
    ///   the trace has to be durable before.
    func run(_ step: any RunStep, in areas: WorkAreas, isLast: Bool = false) throws(WorkerError) {
        let (index, plan, state) = (step.index, context.order.plan, context.state)
        var attempt = 1
        if let started = state.started, started.step == index { attempt = started.attempt + 1 }
        let run = StepRun(
            context: context, database: database, step: step.planned, index: index, title: step.planned.title,
            attempt: attempt, isAgain: state.ran.contains(index), from: plan.scriptsFrom ?? plan.from, to: plan.to,
            key: context.order.key(of: step.planned))
        try self.run(step, run, state.slots[index], in: areas) { .started(step: index, attempt: $0) }
        if isLast {
            context.trace.write(.finished, step: run.title)
            context.trace.sync()
        }
        try context.record(.finished(steps: [index]))
        if !isLast { context.trace.write(.finished, step: run.title) }
    }

    /// Runs a downgrade of a job that is undone.
    func run(
        downgrade step: any RunStep, _ slot: StepSlot, of job: UndoneJob, in areas: WorkAreas
    ) throws(WorkerError) {
        let index = step.index
        var attempt = 1
        if let undoing = context.state.undoing, undoing.job == job.job, undoing.step == index {
            attempt = undoing.attempt + 1
        }
        let run = StepRun(
            context: context, database: database, step: step.planned, index: index,
            title: "downgrade \(step.planned.path)", attempt: attempt, isAgain: attempt > 1, from: job.plan.to,
            to: job.plan.scriptsFrom ?? job.plan.from, key: job.key(ofWayBack: step.planned))
        try self.run(step, run, slot, in: areas) { .undoing(job: job.job, step: index, attempt: $0) }
        try context.record(.undone(job: job.job, steps: [index]))
        context.trace.write(.finished, step: run.title)
    }

    private func run(
        _ step: any RunStep, _ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas,
        begun: (Int) -> LedgerRecord
    ) throws(WorkerError) {
        guard run.attempt <= Self.attempts else {
            throw .failed(
                step: step.index, step.planned.failure,
                """
                \(step.planned.name) was cut off \(Self.attempts) times; look at the trace for what ends it, then resume \
                the job
                """)
        }
        try context.record(begun(run.attempt))
        context.recorder?.begin(step.planned)
        do throws(WorkerError) {
            try step.apply(run, slot, in: areas)
            context.recorder?.end(step.planned)
        } catch {
            // A worker that was asked to stop was not cut off: this attempt does not count.
            if case .stopped = error { try context.record(begun(run.attempt - 1)) }
            throw error
        }
    }
}
