import Glibc
import PatchFiles
import PatchModel
import PatchSQL

/// `.patchd/rehearsal`: where copies lie while scripts are tried on them. It is there before the first copy, on whatever
/// server, and goes after the last: as long as it is there something may be left, and a flock(2) on it says that somebody
/// still works.
struct RehearsalPlace: ~Copyable {
    static let name = "rehearsal"
    /// The folder's copy, below it.
    static let folder = "folder"

    /// It itself.
    let root: Directory
    /// What is a folder to the scripts.
    let copy: Directory

    /// Makes it, for who has removed what was left.
    ///
    /// - Throws: also where somebody else rehearses in this folder now.
    init(in folder: borrowing Directory) throws(FileError) {
        let area = try folder.ensureDirectory(WorkArea.name, mode: 0o700)
        let own = try area.ensureDirectory(Self.name, mode: 0o700)
        guard flock(own.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw FileError("lock", own.path) }
        let copy = try own.ensureDirectory(Self.folder, mode: 0o700)
        root = own
        self.copy = copy
    }

    /// What an earlier rehearsal left, if nobody works there; locked.
    static func leftover(in folder: borrowing Directory) throws(FileError) -> Directory? {
        let path = WorkArea.name + "/" + name
        guard try folder.status(path)?.kind == .directory else { return nil }
        let root = try folder.directory(path)
        guard flock(root.descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        return root
    }

    /// Removes all files of it, and the folder's `.patchd` where nothing else is in it.
    static func remove(in folder: borrowing Directory) throws(FileError) {
        try folder.directory(WorkArea.name).removeTree(name)
        _ = try? folder.removeDirectory(WorkArea.name)
    }
}
