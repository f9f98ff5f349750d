import Glibc
import PatchFiles
import PatchModel

/// Looks at a folder before anything is touched: what is in the way, and what is there already. Changes nothing.
struct Survey {
    private(set) var faults: [Fault] = []
    private(set) var warnings: [String] = []
    private(set) var equal: [Int] = []
    private var bytesNeeded: UInt64 = 0

    private let order: WorkOrder
    private let ownDevice: UInt64
    /// What earlier steps of the plan will have put at a path.
    private var coming: [ExactText: PlannedStep] = [:]

    init(_ folder: borrowing Directory, tree: borrowing Directory, order: WorkOrder) throws(FileError) {
        self.order = order
        let own = try folder.status()
        ownDevice = own.device
        if access(folder.path, W_OK) != 0 {
            fault(.ownership, "cannot write to \(folder.path); its owner needs write permission")
        }
        for (index, step) in order.plan.steps.enumerated() {
            switch step.kind {
            case .directory: try look(atDirectory: step, index, in: folder)
            case .file: try look(atFile: step, index, in: folder)
            case .remove: try look(atRemoved: step, index, in: folder)
            case .script: try look(atScript: step, in: tree)
            }
        }
        // New files and a little more; the originals stay in their blocks.
        let needed = bytesNeeded + bytesNeeded / 50 + (1 << 20)
        let free = try folder.availableSpace()
        if bytesNeeded > 0, free < needed {
            fault(
                .space,
                "cannot stage \(order.update): \(Self.size(needed)) needed, \(Self.size(free)) free on \(folder.path)")
        }
    }

    private mutating func fault(_ code: FaultCode, _ message: String) {
        faults.append(Fault(folder: order.plan.folder, code, message))
    }

    /// `312 MB`.
    static func size(_ bytes: UInt64) -> String {
        bytes < 10_000_000 ? "\((bytes + 999) / 1000) kB" : "\((bytes + 999_999) / 1_000_000) MB"
    }

    /// What lies at a place, or nil; a link or a file on the way to it is a fault or will be a directory.
    private mutating func live(_ path: String, in folder: borrowing Directory) throws(FileError) -> FileStatus? {
        do throws(FileError) {
            let found = try folder.status(path)
            if let found, found.device != ownDevice {
                fault(
                    .io,
                    """
                    cannot replace "\(path)": it lies on another file system than \(folder.path), where a switch cannot \
                    be one rename; make it a folder of its own or unmount it
                    """)
            }
            return found
        } catch {
            // A file in the way of a directory is replaced by an earlier step of the plan.
            if error.number == ENOTDIR { return nil }
            guard error.number == ELOOP else { throw error }
            fault(
                .ownership,
                "cannot write \"\(path)\" through a symbolic link on its way; replace the link by what it points to")
            return nil
        }
    }

    private mutating func look(
        atDirectory step: PlannedStep, _ index: Int, in folder: borrowing Directory
    ) throws(FileError) {
        guard let found = try live(step.path, in: folder) else { return }
        switch found.kind {
        case .directory:
            equal.append(index)
            if geteuid() != 0, found.uid != geteuid(), faccessat(folder.descriptor, step.path, W_OK, 0) != 0 {
                fault(.ownership, "cannot write to directory \"\(step.path)\", which belongs to uid \(found.uid)")
            }
        case .link:
            fault(
                .ownership,
                "cannot write through the symbolic link \"\(step.path)\"; replace the link by what it points to")
        case .file, .other: break
        }
    }

    private mutating func look(
        atFile step: PlannedStep, _ index: Int, in folder: borrowing Directory
    ) throws(FileError) {
        defer { coming[ExactText(step.path)] = step }
        let found = try live(step.path, in: folder)
        if found?.kind == .directory {
            fault(
                .exists,
                "cannot put a file at \"\(step.path)\": a directory is there; move it away, then resume")
            return
        }
        if let before = coming[ExactText(step.path)] {
            if before.kind == .file, before.sha256 == step.sha256, step.mode == nil || step.mode == before.mode {
                equal.append(index)
            }
        } else if let found, try isEqual(found, step, in: folder) {
            equal.append(index)
            return
        }
        bytesNeeded += step.size
        guard let found, found.kind == .file else { return }
        try checkRights(found, step, in: folder)
        if found.mode & 0o7000 != 0 {
            fault(
                .ownership,
                "cannot replace \"\(step.path)\": it is setuid, setgid or sticky, which no update brings; clear the bit"
            )
        }
        if found.links > 1 {
            warnings.append("\"\(step.path)\" has \(found.links) hard links; the others keep the old content")
        }
    }

    private mutating func look(
        atRemoved step: PlannedStep, _ index: Int, in folder: borrowing Directory
    ) throws(FileError) {
        let before = coming[ExactText(step.path)]
        coming[ExactText(step.path)] = step
        let found = try live(step.path, in: folder)
        if before.map({ $0.kind == .remove }) ?? (found == nil) {
            equal.append(index)
        } else if found?.kind == .directory {
            fault(.exists, "cannot remove the file \"\(step.path)\": a directory is there; move it away, then resume")
        } else if let found, found.kind == .file {
            try checkRights(found, step, in: folder)
        }
    }

    /// Whether a live file may be moved away.
    private mutating func checkRights(
        _ found: FileStatus, _ step: PlannedStep, in folder: borrowing Directory
    ) throws(FileError) {
        let what = step.kind == .remove ? "remove" : "replace"
        if try folder.file(step.path).isImmutable {
            fault(
                .ownership,
                "cannot \(what) \"\(step.path)\": it is immutable or append-only; chattr -ia makes it free")
        }
        if found.uid != geteuid(), geteuid() != 0 {
            fault(
                .ownership,
                """
                cannot \(what) "\(step.path)": it belongs to uid \(found.uid), not to the folder's owner; chown it, or \
                name the right owner in the configuration
                """)
        }
    }

    private func isEqual(
        _ found: FileStatus, _ step: PlannedStep, in folder: borrowing Directory
    ) throws(FileError) -> Bool {
        guard found.kind == .file, found.size == Int64(step.size), step.mode == nil || step.mode == found.mode else {
            return false
        }
        return try folder.file(step.path).sha256() == step.sha256
    }

    private mutating func look(atScript step: PlannedStep, in tree: borrowing Directory) throws(FileError) {
        let interpreter = try Script.interpreter(of: tree.file(step.source))
        if access(interpreter[0], X_OK) != 0 {
            fault(
                .interpreter,
                "cannot run script \"\(step.path)\": its interpreter \(interpreter[0]) is not there; install it")
        }
        bytesNeeded += step.size
    }
}
