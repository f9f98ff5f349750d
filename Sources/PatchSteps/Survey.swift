import Glibc
import PatchFiles
import PatchModel

/// Looks at a folder before anything is touched: what is in the way, and what is there already. Changes nothing.
final class Survey {
    private(set) var faults: [Fault] = []
    private(set) var warnings: [String] = []
    private(set) var equal: [Int] = []

    private let folder: Directory
    private let order: WorkOrder
    private let places: PathResolver
    private let registry: Registry
    /// What earlier steps of the plan will have put at a place.
    private var coming: [ExactText: PlannedStep] = [:]
    /// By file system, what is to be staged on it.
    private var needs: [UInt64: (mount: String, bytes: UInt64)] = [:]
    private var mounts: [String: UInt64] = [:]

    init(_ folder: borrowing Directory, tree: borrowing Directory, order: WorkOrder) throws(FileError) {
        let copy = try folder.duplicate()
        let places = try PathResolver(folder, order: order)
        let registry = try Registry(folder, order: order)
        self.folder = copy
        self.places = places
        self.registry = registry
        self.order = order
        try look(atMount: "")
        for (index, step) in order.plan.steps.enumerated() {
            if step.kind == .script {
                try need(step.size, on: "")
            } else if step.kind == .handler {
                try look(atHandler: step)
            } else if step.kind == .rows {
                try need(step.size, on: "")
            } else if step.kind != .hook, let place = try place(of: step) {
                try look(at: step, index, place)
            }
        }
        for script in order.plan.downgrades { try need(script.size, on: "") }
        for (_, need) in needs.sorted(by: { $0.key < $1.key }) where need.bytes > 0 { try checkSpace(need) }
    }

    private func fault(_ code: FaultCode, _ message: String) {
        faults.append(Fault(folder: order.plan.folder, code, message))
    }

    // MARK: Mounts

    private func path(_ mount: String) -> String { mount.isEmpty ? order.plan.path : order.plan.path + "/" + mount }

    /// `.patchd` is made at the top of each mount that holds a target.
    private func look(atMount mount: String) throws(FileError) {
        if mounts[mount] != nil { return }
        let top = mount.isEmpty ? try folder.duplicate() : try folder.directory(mount)
        mounts[mount] = try top.status().device
        if faccessat(top.descriptor, ".", W_OK | X_OK, 0) != 0 {
            let why = errno == EROFS ? "it is mounted read-only" : "its owner needs write permission"
            fault(.ownership, "cannot write to \(path(mount)); \(why)")
        }
    }

    private func need(_ bytes: UInt64, on mount: String) throws(FileError) {
        try look(atMount: mount)
        needs[mounts[mount] ?? 0, default: (mount, 0)].bytes += bytes
    }

    /// New files and a little more; the originals stay in their blocks.
    private func checkSpace(_ need: (mount: String, bytes: UInt64)) throws(FileError) {
        let needed = need.bytes + need.bytes / 50 + (1 << 20)
        let top = need.mount.isEmpty ? try folder.duplicate() : try folder.directory(need.mount)
        let free = try top.availableSpace()
        if free < needed {
            fault(
                .space,
                "cannot stage \(order.update): \(Self.size(needed)) needed, \(Self.size(free)) free on \(path(need.mount))"
            )
        }
    }

    /// `312 MB`.
    static func size(_ bytes: UInt64) -> String {
        bytes < 10_000_000 ? "\((bytes + 999) / 1000) kB" : "\((bytes + 999_999) / 1_000_000) MB"
    }

    // MARK: Steps

    private func place(of step: PlannedStep) throws(FileError) -> PathResolver.Place? {
        do throws(PathResolver.Obstacle) {
            return try places.place(of: step)
        } catch {
            switch error {
            case .link(let why):
                fault(.ownership, "cannot write \"\(step.path)\": \(why)")
                return nil
            case .file(let error): throw error
            }
        }
    }

    private func look(at step: PlannedStep, _ index: Int, _ place: PathResolver.Place) throws(FileError) {
        try look(atMount: place.mount)
        let live = try live(place.path)
        if let live, live.kind != .directory || step.kind != .directory, try folder.isMountPoint(place.path) {
            return fault(
                .io, "cannot \(step.title): something is mounted at that very place; unmount it, or exclude the folder")
        }
        switch step.kind {
        case .directory: try look(atDirectory: step, index, place, live)
        case .file: try look(atFile: step, index, place, live)
        case .registry:
            try look(atRegistry: index, place.path, live)
            try look(atFile: step, index, place, live)
        case .remove: try look(atRemoved: step, index, place, live)
        case .script, .rows, .handler, .hook: break
        }
    }

    /// What lies at a place, or nil.
    private func live(_ place: String) throws(FileError) -> FileStatus? {
        do throws(FileError) { return try folder.status(place) } catch {
            // A file in the way of a directory is replaced by an earlier step of the plan.
            if error.number == ENOTDIR { return nil }
            throw error
        }
    }

    private func look(
        atDirectory step: PlannedStep, _ index: Int, _ place: PathResolver.Place, _ live: FileStatus?
    ) throws(FileError) {
        let before = coming.updateValue(step, forKey: ExactText(place.path))
        guard live?.kind == .directory, before == nil || before?.kind == .directory else {
            if let live { try checkRights(live, step, place) }
            return
        }
        equal.append(index)
        if geteuid() != 0, live?.uid != geteuid(), faccessat(folder.descriptor, place.path, W_OK, 0) != 0 {
            fault(.ownership, "cannot write to directory \"\(step.path)\", which belongs to uid \(live?.uid ?? 0)")
        }
    }

    private func look(
        atFile step: PlannedStep, _ index: Int, _ place: PathResolver.Place, _ live: FileStatus?
    ) throws(FileError) {
        let before = coming[ExactText(place.path)]
        let isAdmins = before == nil ? try registry.isAdmins(step, at: place.path, live) : false
        if !isAdmins { coming[ExactText(place.path)] = step }
        if let before {
            if before.kind == step.kind, before.sum == step.sum, step.mode == nil || step.mode == before.mode {
                return equal.append(index)
            }
        } else if isAdmins {
            let beside = Switch.beside(place.path, Registry.newSuffix)
            warnings.append("\"\(step.path)\" was changed here and stays; the new one will be \"\(beside)\"")
            if try folder.status(beside)?.kind == .directory {
                fault(.exists, "cannot put a file at \"\(beside)\": a directory is there; move it away, then resume")
            }
        } else if let live, try isEqual(live, step, place.path) {
            return equal.append(index)
        }
        try need(step.size, on: place.mount)
        guard let live, !isAdmins else { return }
        if live.kind == .directory { return try look(atDirectoryInTheWay: place.path, of: step) }
        try checkRights(live, step, place)
        if live.kind == .link {
            warnings.append("\"\(step.path)\" is a symbolic link, which the new file replaces")
        }
        if live.kind == .file, live.mode & 0o7000 != 0 {
            fault(
                .ownership,
                "cannot replace \"\(step.path)\": it is setuid, setgid or sticky, which no update brings; clear the bit"
            )
        }
        if live.kind == .file, !mayGive(group: live.gid) {
            fault(
                .ownership,
                """
                cannot replace "\(step.path)": it has group \(live.gid), which the folder's owner is no member of and \
                could not give to the new file; chgrp it, or make the owner a member
                """)
        }
        if live.kind == .file, live.links > 1 {
            warnings.append("\"\(step.path)\" has \(live.links) hard links; the others keep the old content")
        }
    }

    private func look(atRegistry index: Int, _ place: String, _ live: FileStatus?) throws(FileError) {
        guard coming[ExactText(place)] == nil else { return }
        let now = live?.kind == .file ? try folder.file(place).sha256() : nil
        if now == order.registryBefore(index) { return }
        fault(
            .io, "\"\(place)\" was changed while the job was planned; look what changes it, then drop the archive again"
        )
    }

    private func look(atDirectoryInTheWay place: String, of step: PlannedStep) throws(FileError) {
        let known = coming
        guard let foreign = try registry.foreign(in: place, isComing: { known[$0] != nil }) else { return }
        fault(
            .exists,
            """
            cannot put a file at "\(step.path)": a directory is there, and patchd did not bring "\(foreign)", or it was \
            changed since; move the directory away, then resume
            """)
    }

    private func look(
        atRemoved step: PlannedStep, _ index: Int, _ place: PathResolver.Place, _ live: FileStatus?
    ) throws(FileError) {
        let before = coming.updateValue(step, forKey: ExactText(place.path))
        if before.map({ $0.kind == .remove }) ?? (live == nil) {
            equal.append(index)
        } else if before.map({ $0.kind == .directory }) ?? (live?.kind == .directory) {
            fault(.exists, "cannot remove the file \"\(step.path)\": a directory is there; move it away, then resume")
        } else if let live {
            try checkRights(live, step, place)
        }
    }

    /// Whether what is live may be moved away.
    private func checkRights(
        _ live: FileStatus, _ step: PlannedStep, _ place: PathResolver.Place
    ) throws(FileError) {
        let what = step.kind == .remove ? "remove" : "replace"
        if live.kind == .file, try folder.file(place.path).isImmutable {
            fault(
                .ownership,
                "cannot \(what) \"\(step.path)\": it is immutable or append-only; chattr -ia makes it free")
        }
        if live.uid != geteuid(), geteuid() != 0 {
            fault(
                .ownership,
                """
                cannot \(what) "\(step.path)": it belongs to uid \(live.uid), not to the folder's owner; chown it, or \
                name the right owner in the configuration
                """)
        }
    }

    /// chown(2): others than root give their files to groups of their own only.
    private func mayGive(group: UInt32) -> Bool {
        if geteuid() == 0 || group == getegid() { return true }
        var groups = [gid_t](repeating: 0, count: 1024)
        let count = getgroups(Int32(groups.count), &groups)
        return groups.prefix(Int(max(0, count))).contains(group)
    }

    private func isEqual(_ live: FileStatus, _ step: PlannedStep, _ place: String) throws(FileError) -> Bool {
        guard live.kind == .file, live.size == Int64(step.size), step.mode == nil || step.mode == live.mode else {
            return false
        }
        return try folder.file(place).sha256() == step.sum
    }

    private func look(atHandler step: PlannedStep) throws(FileError) {
        if let why = step.handlerFault { fault(.interpreter, why) }
        try need(step.size, on: "")
    }
}
