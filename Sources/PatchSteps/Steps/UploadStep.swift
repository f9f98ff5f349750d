import PatchFiles
import PatchModel

/// Puts a file where the scripts of its patch find it, in the directory that `PATCHD_UPLOADS` names. Nothing of it comes
/// into the folder; it goes with the job's originals.
struct UploadStep: RunStep {
    let index: Int
    let planned: PlannedStep

    func survey(_ survey: FolderSurvey) throws(FileError) { try survey.need(planned.size, on: "") }

    func stage(_ staging: FolderStaging) throws(WorkerError) {
        let first = staging.uploads[planned.patch] ?? index
        staging.uploads[planned.patch] = first
        let name = WorkArea.uploads(first) + "/" + planned.path
        let isNew = try working("stage \"\(planned.path)\" for scripts", step: index) { () throws(FileError) in
            var above = try staging.own.slots.duplicate()
            for component in ExactText(name).components.dropLast() {
                above = try above.ensureDirectory(String(decoding: component, as: UTF8.self))
            }
            return try staging.own.slots.status(name) == nil
        }
        // A patch may say it twice.
        if isNew {
            try staging.context.copyContent(
                of: self, to: staging.own, as: name, mode: (planned.mode ?? 0o644) | 0o400)
        }
        staging.slots.append(StepSlot(step: index, inode: 0, replaces: nil, place: ""))
    }

    func apply(_ run: StepRun, _ slot: StepSlot?, in areas: WorkAreas) throws(WorkerError) { run.traceStart() }
}
