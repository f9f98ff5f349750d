import PatchFiles
import PatchModel

/// Makes a directory where there is none.
struct DirectoryStep: SwapStep {
    let index: Int
    let planned: PlannedStep

    var installed: InstalledFiles.Entry? { .directory }

    func survey(_ survey: FolderSurvey) throws(FileError) {
        guard let place = try survey.resolve(planned) else { return }
        let live = try survey.live(place.path)
        guard try survey.isFree(place, live, for: planned) else { return }
        let before = survey.coming.updateValue(planned, forKey: ExactText(place.path))
        guard live?.kind == .directory, before == nil || before?.kind == .directory else {
            try survey.checkDirectory(of: place)
            if let live { try survey.checkRights(live, place, for: planned) }
            return
        }
        survey.equal.append(index)
        if let live, !survey.isOwn(live) { try survey.checkDirectory(place.path) }
    }

    func stage(_ staging: FolderStaging) throws(WorkerError) {
        let place = try staging.resolve(self)
        let area = try staging.area(place.mount, for: self)
        let live = try staging.live(at: place.path, for: self)
        let before = staging.coming[ExactText(place.path)]
        try staging.list(self, at: place.path)
        if before == nil, live?.kind == .directory { return }
        // Without its owner's right to write, it could neither be moved to its place nor filled.
        try staging.createDirectory(for: self, in: area, mode: planned.mode.map { $0 | 0o700 }, at: place.path)
        let inode = try staging.inode(of: self, in: area)
        staging.slots.append(
            StepSlot(
                step: index, inode: inode, replaces: before == nil ? live?.inode : before?.inode, place: place.path,
                mount: place.mount))
        staging.coming[ExactText(place.path)] = .init(inode: inode, mode: planned.mode)
        staging.directories[ExactText(place.path)] = index
    }

    func renew(_ swap: inout FileSwap, at place: String, in apply: FolderApply) throws(WorkerError) {
        let final = swap
        swap.slot.replaces = try apply.looking(at: self) { () throws(FileError) in try final.live() }?.inode
    }

    /// A directory that somebody made meanwhile is as good as ours, and never exchanged for an empty one.
    func apply(_ swap: FileSwap) throws(FileError) {
        guard try !isDone(swap), try swap.live()?.kind != .directory else { return }
        try swap.bringIn()
    }

    func undo(_ swap: FileSwap) throws(FileError) -> FileSwap.Undone {
        if swap.slot.replaces == nil, try swap.kept() == nil, try swap.live()?.kind == .directory {
            return try swap.removeEmptyDirectory() ? .plain : .left
        }
        return try swap.restore { (found, directory, name) throws(FileError) in
            guard found.kind == .directory else { return true }
            return try directory.directory(name).count() > 0
        }
    }

    func undoOutlook(_ swap: FileSwap, isNewest: Bool) throws(FileError) -> FileSwap.UndoOutlook {
        // One with something in it stays, which is no change of ours to save.
        try swap.undoOutlook(isNewest: isNewest) { (found, _, _) throws(FileError) in found.kind != .directory }
    }
}
