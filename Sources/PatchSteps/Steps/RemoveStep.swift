import PatchFiles
import PatchModel

/// Takes a file away, or a directory in which patchd brought everything; nothing there is no error.
struct RemoveStep: SwapStep {
    let index: Int
    let planned: PlannedStep

    var installed: InstalledFiles.Entry? { .removed }

    func survey(_ survey: FolderSurvey) throws(FileError) {
        guard let place = try survey.resolve(planned) else { return }
        let live = try survey.live(place.path)
        guard try survey.isFree(place, live, for: planned) else { return }
        let isForeign = try surveyDirectory(survey, place, live)
        let before = survey.coming.updateValue(planned, forKey: ExactText(place.path))
        if before.map({ $0.kind == .remove }) ?? (live == nil) {
            survey.equal.append(index)
        } else if before.map({ $0.kind == .directory }) ?? (live?.kind == .directory) {
            guard !isForeign else { return }
            survey.clear(place.path)
            guard let live else { return }
            try survey.checkDirectory(of: place)
            try survey.checkRights(live, place, for: planned)
            // It is moved to another directory, which writes to its "..".
            try survey.checkDirectory(place.path)
        } else if let live {
            try survey.checkDirectory(of: place)
            try survey.checkRights(live, place, for: planned)
            guard planned.keep, live.kind == .file, survey.isReadable(place, for: planned) else { return }
            let sum = try survey.context.folder.file(place.path).sha256()
            if try survey.installed.entry(place.path) != .file(sha256: sum) {
                survey.warn("\"\(planned.path)\" was changed here and is removed; a rollback brings it back")
            }
        }
    }

    /// Whether a directory is there that stays: a fault.
    private func surveyDirectory(
        _ survey: FolderSurvey, _ place: PathResolver.Resolved, _ live: FileStatus?
    ) throws(FileError) -> Bool {
        let before = survey.coming[ExactText(place.path)]
        guard before.map({ $0.kind == .directory }) ?? (live?.kind == .directory) else { return false }
        guard planned.mayBeDirectory == true else {
            survey.fault(
                .exists, "cannot remove the file \"\(planned.path)\": a directory is there; move it away, then resume")
            return true
        }
        guard live?.kind == .directory,
            let foreign = try survey.installed.foreign(in: place.path, isComing: survey.changes)
        else { return false }
        survey.fault(
            .exists,
            """
            cannot remove the directory "\(planned.path)": patchd did not bring "\(foreign)", or it was changed since; move \
            that away, then drop the archive again
            """)
        return true
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) {
        let place = try staging.resolve(self)
        _ = try staging.area(place.mount, for: self)
        let live = try staging.live(at: place.path, for: self)
        let before = staging.coming[ExactText(place.path)]
        try staging.list(self, at: place.path)
        staging.slots.append(
            StepSlot(
                step: index, inode: 0, replaces: before == nil ? live?.inode : before?.inode, place: place.path,
                mount: place.mount))
        staging.coming[ExactText(place.path)] = .init(inode: nil, mode: nil)
    }

    func renew(_ swap: inout FileSwap, at place: String, in apply: FolderApply) throws(WorkerError) {
        let final = swap
        let live = try apply.looking(at: self) { () throws(FileError) in try final.live() }
        swap.slot.replaces = live?.inode
        guard live?.kind == .directory else { return }
        guard planned.mayBeDirectory == true else { throw apply.directoryInTheWay(of: self, swap.slot.place) }
        try apply.noteInstalled(before: index)
        let foreign = try apply.looking(at: self) { () throws(FileError) in
            try apply.installed.foreign(in: final.slot.place, isComing: { _ in false })
        }
        if let foreign { throw apply.directoryInTheWay(of: self, foreign) }
    }

    /// The slot that the removed file goes to is no longer empty.
    func isDone(_ swap: FileSwap) throws(FileError) -> Bool { try swap.kept() != nil }

    func apply(_ swap: FileSwap) throws(FileError) {
        if try !isDone(swap), try swap.live() != nil { try swap.takeAway() }
    }

    func undo(_ swap: FileSwap) throws(FileError) -> FileSwap.Undone {
        if swap.slot.replaces == nil { return .plain }
        // Whatever took the place of the removed file is somebody else's.
        return try swap.restore { (_, _, _) throws(FileError) in true }
    }

    func undoOutlook(_ swap: FileSwap, isNewest: Bool) throws(FileError) -> FileSwap.UndoOutlook {
        if swap.slot.replaces == nil { return .open }
        return try swap.undoOutlook(isNewest: isNewest) { (_, _, _) throws(FileError) in true }
    }
}
