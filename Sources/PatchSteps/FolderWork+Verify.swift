import Glibc
import PatchFiles
import PatchLedger
import PatchModel

extension FolderWork {
    /// Compares what patchd brought with what is there now, and records the difference. Nothing is changed. A file that
    /// is no plain file any more counts as changed, and so does one whose mode is not that of its step in the plan.
    public mutating func verify() throws(WorkerError) {
        var changed: [String] = []
        var missing: [String] = []
        let modes = Dictionary(
            order.plan.steps.filter { $0.kind == .file }.compactMap { step in
                step.mode.map { (ExactText(step.path), $0) }
            }
        ) { _, last in last }
        try working("compare folder \(order.plan.folder) with what was brought") { () throws(FileError) in
            for (place, entry) in try Registry(folder, order: order).entries() {
                guard case .file(let sha256) = entry else { continue }
                switch try kind(of: place.description) {
                case .file:
                    let file = try folder.file(place.description)
                    let mode = try file.status().mode & 0o7777
                    let sum = try file.sha256()
                    if sum != sha256 || mode != modes[place] ?? mode { changed.append(place.description) }
                case nil: missing.append(place.description)
                default: changed.append(place.description)
                }
            }
        }
        try record(.verified(changed: changed.sorted(), missing: missing.sorted()))
    }

    /// What is at a place; nil also where something on the way to it is no directory.
    func kind(of place: String) throws(FileError) -> FileStatus.Kind? {
        do throws(FileError) { return try folder.status(place)?.kind } catch {
            // Something on the way is no directory any more, or a link.
            if error.number == ENOTDIR || error.number == ELOOP { return nil }
            throw error
        }
    }

    /// Removes what was kept for an undo of the job that the order names. Other jobs' slots and the registry stay.
    public mutating func forget() throws(WorkerError) {
        let job = order.job
        let missing = try working("forget job \(job) in folder \(order.plan.folder)") { () throws(FileError) in
            try WorkArea.forget(job: job, in: folder, order: order)
        }
        for mount in missing {
            trace.write(
                .message, "what was kept below \(order.plan.path)/\(mount) stays: nothing of this folder is there")
        }
        try record(.forgotten)
    }
}
