import Glibc
import PatchFiles
import PatchModel

/// The place of a file or directory in the folder and the slot that it changes places with. After a crash the inodes at
/// the place and in the slot show which of the two is live, so each call is safe to repeat. What the kinds of step do
/// differently stands with them (``SwapStep``).
struct FileSwap {
    let area: WorkArea
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

    /// Whether an undo would succeed.
    enum UndoOutlook: Hashable {
        case open
        /// It would, and would save a changed file.
        case changed
        /// The original is gone.
        case lost
        /// The rights are missing, or the file is immutable.
        case forbidden(String)
    }

    /// Whether what was found, in a directory under a name, is other than what the step brought.
    typealias ChangeTest = (FileStatus, borrowing Directory, String) throws(FileError) -> Bool

    private var slotName: String { WorkArea.slot(slot.step) }
    private var name: String { Directory.split(slot.place).name }

    // MARK: Looking

    /// What is live at the place.
    func live() throws(FileError) -> FileStatus? { try parent()?.status(name) }

    /// What lies in the slot.
    func kept() throws(FileError) -> FileStatus? { try area.slots.status(slotName) }

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

    /// The same where something is about to be changed in it.
    private func requiredParent() throws(FileError) -> Directory {
        try area.top.directory(Directory.split(area.inside(slot.place)).parent ?? ".", stayOnMount: true)
    }

    // MARK: Switching

    /// Brings the new file to its place; what was there is in the slot afterwards.
    func bringIn() throws(FileError) {
        let directory = try requiredParent()
        if try directory.status(name) == nil {
            try area.slots.renameNew(slotName, to: directory, name)
        } else {
            try area.slots.exchange(slotName, with: directory, name)
        }
    }

    /// Moves what is live into the slot.
    func takeAway() throws(FileError) {
        try requiredParent().renameNew(name, to: area.slots, slotName)
    }

    // MARK: Undoing

    /// Brings the original back, or takes away what was brought where there was none. What was live is in the slot
    /// afterwards, or beside its place where somebody changed it since; a file that somebody removed since is no error.
    func restore(isChanged: ChangeTest) throws(FileError) -> Undone {
        guard let directory = try parent(makingIt: slot.replaces != nil) else { return .plain }
        let live = try directory.status(name)
        var kept = try kept()
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
            try directory.renameNew(name, to: area.slots, slotName)
            kept = live
        }
        guard let kept, try isChanged(kept, area.slots, slotName) else { return .plain }
        return .saved(try save(to: directory))
    }

    /// Removes the directory at the place where it is empty.
    ///
    /// - Returns: false when something is in it.
    func removeEmptyDirectory() throws(FileError) -> Bool { try requiredParent().removeDirectory(name) }

    /// The directory that the place is in; made where somebody removed it and an original has to come back.
    private func parent(makingIt make: Bool) throws(FileError) -> Directory? {
        if let found = try parent() { return found }
        guard make, try kept()?.inode == slot.replaces else { return nil }
        var above = try area.top.duplicate()
        for component in ExactText(area.inside(slot.place)).components.dropLast() {
            above = try above.ensureDirectory(String(decoding: component, as: UTF8.self), mode: 0o755)
        }
        return try parent()
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

    /// Looks whether ``restore(isChanged:)`` would succeed. Changes nothing.
    ///
    /// - Parameter isNewest: whether no newer step that is undone before has switched the same place; else what is live
    ///   now says nothing about this step.
    func undoOutlook(isNewest: Bool, isChanged: ChangeTest) throws(FileError) -> UndoOutlook {
        let kept = try kept()
        let isSwitched = slot.replaces == nil ? kept == nil : kept?.inode == slot.replaces
        if let original = slot.replaces, !isSwitched, kept?.inode != slot.inode {
            // Undone already, by an earlier run.
            guard isNewest, try live()?.inode == original else { return .lost }
        }
        guard isSwitched, isNewest, let directory = try parent() else { return .open }
        if let why = DirectoryCheck.obstacle(to: directory) { return .forbidden(why) }
        guard let live = try directory.status(name) else { return .open }
        if live.kind == .file, try directory.file(name).isImmutable {
            return .forbidden("\"\(slot.place)\" is immutable or append-only; chattr -ia removes the flag")
        }
        return try isChanged(live, directory, name) ? .changed : .open
    }

    /// A path with something behind its name, which is cut so that a file system takes it.
    static func beside(_ path: String, _ suffix: String) -> String {
        let (parent, name) = Directory.split(path)
        var start = Substring(name)
        while start.utf8.count + suffix.utf8.count > EntryName.maximumComponent { start = start.dropLast() }
        return (parent.map { $0 + "/" } ?? "") + start + suffix
    }
}
