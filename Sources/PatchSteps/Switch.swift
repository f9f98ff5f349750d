import Glibc
import PatchFiles
import PatchModel

/// A file or directory that changes places with its slot. `do` and `undo` are each safe to repeat: after a
/// crash the inodes at the place and in the slot tell which of the two is live.
struct Switch {
    let area: WorkArea
    let step: PlannedStep
    var slot: StepSlot

    /// What became of the live file when its original came back.
    enum Undone: Hashable {
        /// Nothing that anybody would miss went away.
        case plain
        /// It had been changed since; it lies under this name beside its place now.
        case saved(String)
        /// A directory that the job made and that is not empty: it stays.
        case left
        /// Neither at the place nor in the slot lies what was there before; nothing was touched.
        case lost
    }

    private var slotName: String { WorkArea.slot(slot.step) }

    /// The directory that the place is in, on the mount of its slot. Nil where it is gone or not there yet.
    private func parent() throws(FileError) -> Directory? {
        let parent = Directory.split(area.inside(slot.place)).parent ?? "."
        do throws(FileError) {
            return try area.top.directory(parent, stayOnMount: true)
        } catch {
            if error.number == ENOENT || error.number == ENOTDIR { return nil }
            throw error
        }
    }

    private var name: String { Directory.split(slot.place).name }

    /// What is live at the place.
    func live() throws(FileError) -> FileStatus? { try parent()?.status(name) }

    /// Whether the step is still to be done: its new file lies in the slot, or the slot that a removed one goes to is
    /// empty. What is live says less, because a later step of the plan may have replaced it.
    func isWaiting() throws(FileError) -> Bool {
        let kept = try area.slots.status(slotName)?.inode
        return step.kind == .remove ? kept == nil : kept == slot.inode
    }

    /// Brings the new file to its place; the one that was there is in the slot afterwards.
    func `do`() throws(FileError) {
        guard try isWaiting() else { return }
        if step.kind == .remove, try live() == nil { return }
        let directory = try area.top.directory(
            Directory.split(area.inside(slot.place)).parent ?? ".", stayOnMount: true)
        let live = try directory.status(name)
        // A directory that somebody made meanwhile is as good as ours, and never exchanged for an empty one.
        if step.kind == .directory, live?.kind == .directory { return }
        if step.kind == .remove {
            try directory.renameNew(name, to: area.slots, slotName)
        } else if live == nil {
            try area.slots.renameNew(slotName, to: directory, name)
        } else {
            try area.slots.exchange(slotName, with: directory, name)
        }
    }

    /// Brings the original back. What was live is in the slot afterwards, or beside its place where somebody changed it
    /// since; a file that somebody removed since is no error.
    func undo() throws(FileError) -> Undone {
        if step.kind == .remove, slot.replaces == nil { return .plain }
        guard let directory = try parent(makingIt: slot.replaces != nil) else { return .plain }
        let live = try directory.status(name)
        var kept = try area.slots.status(slotName)
        if let original = slot.replaces {
            if kept?.inode == original {
                if live == nil {
                    try area.slots.renameNew(slotName, to: directory, name)
                } else {
                    try area.slots.exchange(slotName, with: directory, name)
                }
                kept = live
            } else if live?.inode != original {
                // Never switched: what was there at staging is not there any more, and is none of this job's business.
                return kept?.inode == slot.inode ? .plain : .lost
            }
        } else if kept == nil, let live {
            if step.kind == .directory, live.kind == .directory {
                return try directory.removeDirectory(name) ? .plain : .left
            }
            try directory.renameNew(name, to: area.slots, slotName)
            kept = live
        }
        guard let kept, try isChanged(kept) else { return .plain }
        return .saved(try save(to: directory))
    }

    /// The directory that the place is in; made where somebody removed it and an original has to come back.
    private func parent(makingIt make: Bool) throws(FileError) -> Directory? {
        if let found = try parent() { return found }
        guard make, try area.slots.status(slotName)?.inode == slot.replaces else { return nil }
        var above = try area.top.duplicate()
        for component in ExactText(area.inside(slot.place)).components.dropLast() {
            above = try above.ensureDirectory(String(decoding: component, as: UTF8.self), mode: 0o755)
        }
        return try parent()
    }

    /// Whether what lies in the slot is other than what the step brought.
    func isChanged(_ found: FileStatus) throws(FileError) -> Bool {
        try isChanged(found, in: area.slots, slotName)
    }

    private func isChanged(
        _ found: FileStatus, in directory: borrowing Directory, _ name: String
    ) throws(FileError) -> Bool {
        switch step.kind {
        case .directory:
            guard found.kind == .directory else { return true }
            return try directory.directory(name).count() > 0
        case .remove: return true
        case .file, .registry, .script, .rows, .handler, .hook:
            guard found.kind == .file, found.size == Int64(step.size) else { return true }
            return try directory.file(name).sha256() != step.sum
        }
    }

    /// Moves what lies in the slot beside its place, under a name that nothing has.
    private func save(to directory: borrowing Directory) throws(FileError) -> String {
        var number = 0
        while true {
            let beside = Self.beside(name, ".patchd-old" + (number == 0 ? "" : ".\(number)"))
            do throws(FileError) {
                try area.slots.renameNew(slotName, to: directory, beside)
                return beside
            } catch {
                guard error.number == EEXIST else { throw error }
                number += 1
            }
        }
    }

    /// A path with something behind its name, which is cut so that a file system takes it.
    static func beside(_ path: String, _ suffix: String) -> String {
        let (parent, name) = Directory.split(path)
        var start = Substring(name)
        while start.utf8.count + suffix.utf8.count > EntryName.maximumComponent { start = start.dropLast() }
        return (parent.map { $0 + "/" } ?? "") + start + suffix
    }
}

extension Switch {
    /// Whether ``undo()`` would succeed.
    enum Way: Hashable {
        case open
        /// It would, and would save a changed file.
        case changed
        /// The original is gone.
        case lost
        /// The rights are missing, or the file is immutable.
        case forbidden(String)
    }

    /// Looks at the way back without going it.
    ///
    /// - Parameter isNewest: whether no newer step that is undone before has switched the same place; else what is live
    ///   now says nothing about this step.
    func way(isNewest: Bool) throws(FileError) -> Way {
        let kept = try area.slots.status(slotName)
        let isSwitched = slot.replaces == nil ? kept == nil : kept?.inode == slot.replaces
        if let original = slot.replaces, !isSwitched, kept?.inode != slot.inode {
            // Undone already, by an earlier run.
            guard isNewest, try live()?.inode == original else { return .lost }
        }
        if step.kind == .remove, slot.replaces == nil { return .open }
        guard isSwitched, isNewest, let directory = try parent() else { return .open }
        if faccessat(directory.descriptor, ".", W_OK | X_OK, 0) != 0 {
            return .forbidden("\(directory.path) is not writable; its owner needs write permission")
        }
        guard let live = try directory.status(name) else { return .open }
        if live.kind == .file, try directory.file(name).isImmutable {
            return .forbidden("\"\(slot.place)\" is immutable or append-only; chattr -ia makes it free")
        }
        if step.kind == .directory, live.kind == .directory { return .open }
        return try isChanged(live, in: directory, name) ? .changed : .open
    }
}
