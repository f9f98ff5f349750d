import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Compares what patchd installed with what is there now. Changes nothing. A file that is no plain file any more counts
/// as changed, and so does one whose mode is not that of its step in the plan.
struct FolderVerification {
    let context: FolderContext

    func run() throws(WorkerError) {
        var changed: [String] = []
        var missing: [String] = []
        let folder = context.order.plan.folder
        let modes = Dictionary(
            context.order.plan.steps.filter { $0.kind == .file }.compactMap { step in
                step.mode.map { (ExactText(step.path), $0) }
            }
        ) { _, last in last }
        try working("compare folder \(folder) with what was installed") { () throws(FileError) in
            for (place, entry) in try InstalledFiles(context.folder, order: context.order).entries() {
                guard case .file(let sha256) = entry else { continue }
                switch try kind(of: place.description) {
                case .file:
                    let file = try context.folder.file(place.description)
                    let mode = try file.status().mode & 0o7777
                    let sum = try file.sha256()
                    if sum != sha256 || mode != modes[place] ?? mode { changed.append(place.description) }
                case nil: missing.append(place.description)
                default: changed.append(place.description)
                }
            }
        }
        try context.record(.verified(changed: changed.sorted(), missing: missing.sorted()))
    }

    /// What lies at a place; nil also where something on the way to it is no directory any more, or a link.
    private func kind(of place: String) throws(FileError) -> FileStatus.Kind? {
        do throws(FileError) { return try context.folder.status(place)?.kind } catch {
            if error.number == ENOTDIR || error.number == ELOOP { return nil }
            throw error
        }
    }
}
