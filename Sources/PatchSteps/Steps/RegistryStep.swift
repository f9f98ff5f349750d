import PatchFiles
import PatchModel

/// Replaces the folder's `registry.json`. It was made from the one that the plan found; whatever another one says would be
/// lost, so that is checked before the switch.
struct RegistryStep: SwapStep {
    let index: Int
    let planned: PlannedStep

    /// Its content comes from the plan; but for that it is a file like others.
    private var file: FileStep { FileStep(index: index, planned: planned) }

    var installed: InstalledFiles.Entry? { file.installed }

    func survey(_ survey: FolderSurvey) throws(FileError) {
        guard let place = try survey.resolve(planned) else { return }
        let live = try survey.live(place.path)
        guard try survey.isFree(place, live, for: planned) else { return }
        if survey.coming[ExactText(place.path)] == nil, survey.isReadable(place, for: planned) {
            let now = live?.kind == .file ? try survey.context.folder.file(place.path).sha256() : nil
            if now != survey.order.registryBefore(index) {
                survey.fault(
                    .io,
                    """
                    "\(place.path)" was changed while the job was planned; look what changes it, then drop the archive again
                    """)
            }
        }
        try file.survey(survey, place, live)
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) { try file.stage(staging) }

    func renew(_ swap: inout FileSwap, at place: String, in apply: FolderApply) throws(WorkerError) {
        let final = swap
        let now = try apply.looking(at: self) { () throws(FileError) in
            try final.live()?.kind == .file ? apply.context.folder.file(final.slot.place).sha256() : nil
        }
        guard now == apply.context.order.registryBefore(index) else {
            throw .failed(
                step: index, .io,
                """
                cannot switch "\(planned.path)": it was changed since the job was planned, and the new one was made from \
                what it said then; put it back as it was and resume the job, or roll the folder back and drop the archive \
                again
                """)
        }
        try file.renew(&swap, at: place, in: apply)
    }

    func apply(_ swap: FileSwap) throws(FileError) { try file.apply(swap) }

    func undo(_ swap: FileSwap) throws(FileError) -> FileSwap.Undone { try file.undo(swap) }

    func undoOutlook(_ swap: FileSwap, isNewest: Bool) throws(FileError) -> FileSwap.UndoOutlook {
        try file.undoOutlook(swap, isNewest: isNewest)
    }
}

extension WorkOrder {
    /// The SHA-256 that a folder's `registry.json` must have when a step of that kind is switched. Nil: none is there.
    func registryBefore(_ step: Int) -> String? {
        let before = plan.steps[..<step].last { $0.kind == .registry }
        return before?.sum ?? plan.steps[step].registry?.was
    }
}
