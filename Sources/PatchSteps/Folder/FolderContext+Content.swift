import Glibc
import PatchFiles
import PatchModel

extension FolderContext {
    /// Copies a file of the checked tree, or a text of the plan, into a slot.
    ///
    /// - Parameters:
    ///   - name: relative to the slots; nil: the step's own slot.
    ///   - create: makes the empty file of that name.
    ///   - finish: gives it what it is to have besides its content.
    /// - Throws: also when the content is not what was checked.
    func copyContent(
        of step: some Step, to area: WorkArea, as name: String? = nil, create: (String) throws(FileError) -> Void,
        finish: (borrowing File) throws(FileError) -> Void
    ) throws(WorkerError) {
        let planned = step.planned
        let sum = try working("stage \"\(planned.path)\" for \(target)", step: step.index) { () throws(FileError) in
            let name = name ?? WorkArea.slot(of: planned, step.index)
            try create(name)
            let file = try area.slots.file(name, O_RDWR)
            try file.allocate(Int64(planned.size))
            var sum = planned.sum
            if let registry = planned.registry {
                try file.write(Array(registry.text.utf8))
            } else {
                sum = try tree.file(planned.source).copy(to: file)
            }
            try finish(file)
            return sum
        }
        guard sum == planned.sum else {
            throw .failed(
                step: step.index, .io,
                """
                cannot stage "\(planned.path)": its content in the checked tree is not what was checked (SHA-256 \(sum) \
                instead of \(planned.sha256)); the disk or somebody changed it. Drop the archive again
                """)
        }
    }

    /// The same for what stays in its slot.
    func copyContent(
        of step: some RunStep, to area: WorkArea, as name: String? = nil, mode: UInt16
    ) throws(WorkerError) {
        try copyContent(of: step, to: area, as: name) { (name) throws(FileError) in
            _ = try area.slots.createFile(name, mode: 0o600)
        } finish: { (file) throws(FileError) in
            try file.setMode(mode)
        }
    }
}
