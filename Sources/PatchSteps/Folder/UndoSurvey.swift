import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Looks at a folder before anything is undone: what cannot be. Changes nothing. An undo writes no content, so it needs
/// no space.
struct UndoSurvey {
    private(set) var faults: [Fault] = []
    private(set) var warnings: [String] = []

    private let context: FolderContext
    /// Places that a newer one of the jobs has switched: what is live there is no concern of an older one.
    private var seen: Set<ExactText> = []

    private var order: WorkOrder { context.order }

    init(_ context: FolderContext, jobs: [UndoneJob]) throws(FileError) {
        self.context = context
        for job in jobs { try look(at: job) }
    }

    /// Looks at the folder and its database, and records what keeps the jobs from being undone.
    static func run(_ context: FolderContext) throws(WorkerError) {
        let jobs = context.undoneJobs
        let found = try working("look at folder \(context.order.plan.folder)") { () throws(FileError) in
            try UndoSurvey(context, jobs: jobs)
        }
        let database = try FolderDatabase(context).survey()
        try context.record(
            .surveyed(
                faults: found.faults + database.faults, warnings: found.warnings + database.warnings, equal: []))
    }

    private mutating func fault(_ code: FaultCode, _ message: String) {
        faults.append(Fault(folder: order.plan.folder, code, message))
    }

    private mutating func look(at job: UndoneJob) throws(FileError) {
        for step in job.irreversible {
            fault(.irreversible, "cannot undo job \(job.job), which ran what has no way back: \(step.whyIrreversible)")
        }
        // Nothing live was changed before this mark; without it, what lies in the slots proves nothing.
        guard job.isPrepared else {
            if !job.ran.isEmpty || job.isDone {
                fault(.irreversible, "cannot undo job \(job.job): its originals were never marked complete")
            }
            return
        }
        let areas = try WorkAreas(context.folder, order: order, job: job.job)
        for part in job.parts {
            switch part {
            case .downgrade(let number): try look(atDowngrade: number, of: job, in: areas)
            case .files(let slots): for slot in slots { try look(at: slot, of: job, in: areas) }
            case .database: try look(atBackupOf: job, in: areas)
            }
        }
    }

    private mutating func look(
        atDowngrade number: Int, of job: UndoneJob, in areas: WorkAreas
    ) throws(FileError) {
        guard let step = job.plan.step(number) else { return }
        let name = step.scriptPlace(isWayBack: true)
        let kind = step.scriptKind ?? .sh
        if kind == .sql, order.database == nil {
            return fault(
                .database, "cannot undo job \(job.job): \(name) needs a database, and the folder has none any more")
        }
        guard job.slots.contains(where: { $0.step == number }), let area = try areas.existing(""),
            try area.slots.status(WorkArea.slot(number))?.kind == .file,
            try area.slots.file(WorkArea.slot(number)).sha256() == step.sha256
        else {
            return fault(
                .irreversible, "cannot undo job \(job.job): \(name) is not kept in \(order.plan.path)/.patchd any more")
        }
        if kind == .sql { return }
        let interpreter = try Interpreter(of: area.slots.file(WorkArea.slot(number)), kind)
        if let why = interpreter.obstacle { fault(.interpreter, "cannot run script \(name): \(why)") }
    }

    private mutating func look(atBackupOf job: UndoneJob, in areas: WorkAreas) throws(FileError) {
        if order.database?.backup == "auto", try areas.existing("")?.slots.status(WorkArea.backup)?.kind != .file {
            fault(.irreversible, "cannot undo job \(job.job): the copy of its database is not kept any more")
        }
    }

    private mutating func look(at slot: StepSlot, of job: UndoneJob, in areas: WorkAreas) throws(FileError) {
        guard let planned = job.plan.step(slot.step), let step = planned.step(slot.step) as? any SwapStep else {
            return
        }
        guard let area = try areas.existing(slot.mount) else {
            let place = slot.mount.isEmpty ? order.plan.path : order.plan.path + "/" + slot.mount
            return fault(
                .irreversible,
                """
                cannot undo \(planned.title) of job \(job.job): \(place)/.patchd/jobs/\(job.job) is not there or not this \
                folder's; mount what belongs at \(place), or restore the folder from a backup
                """)
        }
        let swap = FileSwap(area: area, slot: slot)
        let isNewest = seen.insert(ExactText(slot.place)).inserted
        do throws(FileError) {
            switch try step.undoOutlook(swap, isNewest: isNewest) {
            case .open: break
            case .changed: warnings.append("\"\(slot.place)\" was changed since; an undo keeps it as NAME.patchd-old")
            case .lost:
                fault(
                    .irreversible,
                    "cannot undo \(planned.title) of job \(job.job): its original is not in \(area.slots.path) any more"
                )
            case .forbidden(let why): fault(.ownership, "cannot undo \(planned.title) of job \(job.job): \(why)")
            }
        } catch {
            fault(error.code, "cannot undo \(planned.title) of job \(job.job): \(error)\(error.wayOut)")
        }
    }
}
