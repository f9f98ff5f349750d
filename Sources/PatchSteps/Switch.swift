import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// A file or directory that changes places with its slot. `do`, `undo` and `isDone` are each safe to repeat: after a
/// crash the inode at the place tells which of the two files is live.
struct Switch: ~Copyable {
    let folder: Directory
    let slots: Directory
    let path: String
    let slot: LedgerRecord.Slot

    private var slotName: String { WorkArea.slot(slot.step) }

    /// Whether the new file is live.
    func isDone() throws(FileError) -> Bool { try folder.status(path)?.inode == slot.inode }

    /// Brings the new file to its place; the one that was there is in the slot afterwards.
    func `do`() throws(FileError) {
        if try isDone() { return }
        let (parent, name) = Directory.split(path)
        let directory = try folder.directory(parent ?? ".", stayOnMount: true)
        if try directory.status(name) == nil {
            try slots.renameNew(slotName, to: directory, name)
        } else {
            try slots.exchange(slotName, with: directory, name)
        }
    }

    /// Brings the original back; the new file is in the slot afterwards.
    func undo() throws(FileError) {
        guard try isDone() else { return }
        let (parent, name) = Directory.split(path)
        let directory = try folder.directory(parent ?? ".", stayOnMount: true)
        if try slots.status(slotName) == nil {
            try directory.renameNew(name, to: slots, slotName)
        } else {
            try slots.exchange(slotName, with: directory, name)
        }
    }
}
