import Glibc
import PatchFiles
import PatchModel

/// Brings a file to its place.
struct FileStep: SwapStep {
    let index: Int
    let planned: PlannedStep

    var installed: InstalledFiles.Entry? { .file(sha256: planned.sum) }

    // MARK: Survey

    func survey(_ survey: FolderSurvey) throws(FileError) {
        guard let place = try survey.resolve(planned) else { return }
        let live = try survey.live(place.path)
        guard try survey.isFree(place, live, for: planned) else { return }
        try self.survey(survey, place, live)
    }

    /// The same for a place that was looked at.
    func survey(
        _ survey: FolderSurvey, _ place: PathResolver.Resolved, _ live: FileStatus?
    ) throws(FileError) {
        let before = survey.coming[ExactText(place.path)]
        if before?.kind == .directory { survey.clear(place.path) }
        guard before != nil || live?.kind != .file || survey.isReadable(place, for: planned) else { return }
        let isAdmins = before == nil ? try survey.installed.isAdmins(planned, at: place.path, live) : false
        if !isAdmins { survey.coming[ExactText(place.path)] = planned }
        if let before {
            if before.kind == planned.kind, before.sum == planned.sum,
                planned.mode == nil || planned.mode == before.mode
            {
                return survey.equal.append(index)
            }
        } else if isAdmins {
            let beside = FileSwap.beside(place.path, InstalledFiles.newSuffix)
            survey.warn("\"\(planned.path)\" was changed here and stays; the new one will be \"\(beside)\"")
            if try survey.context.folder.status(beside)?.kind == .directory {
                survey.fault(
                    .exists, "cannot put a file at \"\(beside)\": a directory is there; move it away, then resume")
            }
        } else if let live, try isEqual(live, at: place.path, in: survey.context.folder) {
            return survey.equal.append(index)
        }
        try survey.need(planned.size, on: place.mount)
        try survey.checkDirectory(of: place)
        guard let live, !isAdmins else { return }
        if live.kind == .directory { return try surveyDirectoryInTheWay(survey, place) }
        try survey.checkRights(live, place, for: planned)
        if live.kind == .link {
            survey.warn("\"\(planned.path)\" is a symbolic link, which the new file replaces")
        }
        if live.kind == .file { try surveyAttributes(survey, place, live) }
    }

    /// What the new file has to get from the one that it replaces.
    private func surveyAttributes(
        _ survey: FolderSurvey, _ place: PathResolver.Resolved, _ live: FileStatus
    ) throws(FileError) {
        if live.mode & 0o7000 != 0 {
            survey.fault(
                .ownership,
                """
                cannot replace "\(planned.path)": it is setuid, setgid or sticky, which no update brings; clear the bit
                """)
        }
        let (parent, name) = Directory.split(place.path)
        if !ProcessGroups.mayGive(live.gid), try !survey.inherits(group: live.gid, in: parent) {
            survey.fault(
                .ownership,
                """
                cannot replace "\(planned.path)": it has group \(live.gid), which the folder's owner is no member of and \
                could not give to the new file; chgrp it, or make the owner a member
                """)
        }
        if let why = try survey.directories.obstacle(toAttributesOf: name, in: parent ?? "") {
            survey.fault(
                .ownership,
                """
                cannot replace "\(planned.path)": the folder's owner may not give its extended attributes (file \
                capabilities, security labels) to the new file: \(why); remove them (setcap -r, setfattr -x) and set them \
                again after the update, or exclude the folder
                """)
        }
        if live.links > 1 {
            survey.warn("\"\(planned.path)\" has \(live.links) hard links; the others keep the old content")
        }
    }

    private func surveyDirectoryInTheWay(
        _ survey: FolderSurvey, _ place: PathResolver.Resolved
    ) throws(FileError) {
        if let foreign = try survey.installed.foreign(in: place.path, isComing: survey.changes) {
            return survey.fault(
                .exists,
                """
                cannot put a file at "\(planned.path)": a directory is there, and patchd did not bring "\(foreign)", or it \
                was changed since; move the directory away, then resume
                """)
        }
        survey.clear(place.path)
        // It is moved to another directory, which writes to its "..".
        try survey.checkDirectory(place.path)
    }

    private func isEqual(
        _ live: FileStatus, at place: String, in folder: borrowing Directory
    ) throws(FileError) -> Bool {
        guard live.kind == .file, live.size == Int64(planned.size),
            planned.mode == nil || planned.mode == live.mode
        else { return false }
        return try folder.file(place).sha256() == planned.sum
    }

    // MARK: Stage

    func stage(_ staging: FolderStaging) throws(WorkerError) {
        let place = try staging.resolve(self)
        let area = try staging.area(place.mount, for: self)
        let live = try staging.live(at: place.path, for: self)
        let before = staging.coming[ExactText(place.path)]
        try staging.list(self, at: place.path)
        var slot = StepSlot(
            step: index, inode: 0, replaces: before == nil ? live?.inode : before?.inode, place: place.path,
            mount: place.mount)
        let known = before?.mode ?? (live?.kind == .file ? live.map { $0.mode & 0o777 } : nil)
        let mode = planned.mode ?? known ?? 0o644
        try staging.copy(self, to: area, mode: mode, replacing: live, at: place.path)
        let isAdmins = try working("look at \"\(planned.path)\"", step: index) { () throws(FileError) in
            guard before == nil else { return false }
            return try staging.installed.isAdmins(planned, at: place.path, live)
        }
        if isAdmins {
            slot.place = FileSwap.beside(place.path, InstalledFiles.newSuffix)
            let other = staging.coming[ExactText(slot.place)]
            slot.replaces = try other == nil ? staging.live(at: slot.place, for: self)?.inode : other?.inode
        }
        slot.inode = try staging.inode(of: self, in: area)
        staging.coming[ExactText(slot.place)] = .init(inode: slot.inode, mode: mode)
        staging.slots.append(slot)
    }

    // MARK: Switch

    func renew(_ swap: inout FileSwap, at place: String, in apply: FolderApply) throws(WorkerError) {
        if planned.keep, swap.slot.place == place {
            let before = swap
            try apply.noteInstalled(before: index)
            let isAdmins = try apply.looking(at: self) { () throws(FileError) in
                try apply.installed.isAdmins(planned, at: before.slot.place, before.live())
            }
            if isAdmins { swap.slot.place = FileSwap.beside(before.slot.place, InstalledFiles.newSuffix) }
        }
        let final = swap
        let live = try apply.looking(at: self) { () throws(FileError) in try final.live() }
        swap.slot.replaces = live?.inode
        guard live?.kind == .directory else { return }
        try apply.noteInstalled(before: index)
        let foreign = try apply.looking(at: self) { () throws(FileError) in
            try apply.installed.foreign(in: final.slot.place, isComing: { _ in false })
        }
        if let foreign { throw apply.directoryInTheWay(of: self, foreign) }
    }

    func apply(_ swap: FileSwap) throws(FileError) {
        if try !isDone(swap) { try swap.bringIn() }
    }

    // MARK: Undo

    func undo(_ swap: FileSwap) throws(FileError) -> FileSwap.Undone {
        try swap.restore(isChanged: isChanged)
    }

    func undoOutlook(_ swap: FileSwap, isNewest: Bool) throws(FileError) -> FileSwap.UndoOutlook {
        try swap.undoOutlook(isNewest: isNewest, isChanged: isChanged)
    }

    private func isChanged(
        _ found: FileStatus, in directory: borrowing Directory, _ name: String
    ) throws(FileError) -> Bool {
        guard found.kind == .file, found.size == Int64(planned.size) else { return true }
        return try directory.file(name).sha256() != planned.sum
    }
}
