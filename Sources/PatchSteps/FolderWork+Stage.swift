import Glibc
import PatchFiles
import PatchLedger
import PatchModel

extension FolderWork {
    /// Brings all new content beside its place and makes it durable. Nothing live is touched. Done already: nothing
    /// happens; half done: begins anew. A rollback has nothing to stage.
    public mutating func stage() throws(WorkerError) {
        if state.isPrepared { return }
        if !order.undo.isEmpty { return try record(.prepared) }
        trace.write(.message, "staging \(order.update) \(order.plan.to)")
        let areas = try areas(ofJob: order.job)
        do throws(WorkerError) {
            try stage(in: areas)
        } catch {
            // What is half there only takes room, maybe the very room that was missing.
            if case .failed = error { areas.discard() }
            throw error
        }
    }

    private mutating func stage(in areas: WorkAreas) throws(WorkerError) {
        let own = try area("", in: areas)
        var staging = try working("look at folder \(order.plan.folder)") { () throws(FileError) in
            Staging(
                own: own, areas: areas, places: try PathResolver(folder, order: order),
                registry: try Registry(folder, order: order))
        }
        for (index, step) in order.plan.steps.enumerated() {
            if state.equal.contains(index) {
                if step.kind.isRun { continue }
                try list(step, index, at: place(of: step, index, staging.places).path, &staging)
            } else {
                try stage(step, index, &staging)
            }
        }
        // A later undo has to find its scripts, whatever became of the archive by then.
        for (offset, step) in order.plan.downgrades.enumerated() {
            try stage(step, order.plan.steps.count + offset, &staging)
        }
        try working("list what was staged") { () throws(FileError) in try Registry.prepare(staging.brought, in: own) }
        try working("make what was staged durable") { () throws(FileError) in try areas.sync() }
        try record(.staged(staging.slots))
        try record(.prepared)
        let count = staging.slots.count - order.plan.downgrades.count
        let total = order.plan.steps.count { $0.kind != .hook }
        trace.write(.message, "staged \(count) of \(total) steps, \(state.equal.count) already up to date")
    }

    /// What staging knows while it goes through the steps.
    private struct Staging {
        let own: WorkArea
        let areas: WorkAreas
        let places: PathResolver
        let registry: Registry
        /// What the registry is to say of this job.
        var brought: [ExactText: Registry.Entry] = [:]
        var slots: [StepSlot] = []
        /// What an earlier step of the plan will have put at a place.
        var coming: [ExactText: (inode: UInt64?, mode: UInt16?)] = [:]
    }

    private func area(_ mount: String, in areas: WorkAreas) throws(WorkerError) -> WorkArea {
        let place = mount.isEmpty ? folder.path : folder.path + "/" + mount
        return try working("make room in \(place)/\(WorkArea.name)") { () throws(FileError) in
            try areas.new(mount)
        }
    }

    private func stage(_ step: PlannedStep, _ index: Int, _ staging: inout Staging) throws(WorkerError) {
        if step.kind == .hook { return }
        if step.kind.isRun {
            if step.kind == .handler {
                try stage(handed: step, index, to: staging.own)
            } else {
                let mode: UInt16 = step.kind == .script ? 0o700 : 0o600
                try copy(step, index, to: staging.own, mode: mode, live: nil, place: "")
            }
            let inode = try inode(index, in: staging.own)
            staging.slots.append(StepSlot(step: index, inode: inode, replaces: nil, place: ""))
            return
        }
        let place = try self.place(of: step, index, staging.places)
        let area = try area(place.mount, in: staging.areas)
        let live = try live(at: place.path, step, index)
        let before = staging.coming[ExactText(place.path)]
        try list(step, index, at: place.path, &staging)
        if step.kind == .directory, before == nil, live?.kind == .directory { return }
        var slot = StepSlot(
            step: index, inode: 0, replaces: before == nil ? live?.inode : before?.inode, place: place.path,
            mount: place.mount)
        var mode = step.mode
        switch step.kind {
        case .directory:
            try working("stage directory \"\(step.path)\" for \(target)", step: index) { () throws(FileError) in
                // Without its owner's right to write, it could neither be moved to its place nor filled.
                _ = try area.slots.makeDirectory(WorkArea.slot(index), mode: (step.mode ?? 0o755) | 0o700)
            }
        case .file, .registry, .script, .rows, .handler, .hook:
            let known = before?.mode ?? (live?.kind == .file ? live.map { $0.mode & 0o777 } : nil)
            mode = step.mode ?? known ?? 0o644
            try copy(step, index, to: area, mode: mode ?? 0o644, live: live, place: place.path)
            let isAdmins = try working("look at \"\(step.path)\"", step: index) { () throws(FileError) in
                guard before == nil else { return false }
                return try staging.registry.isAdmins(step, at: place.path, live)
            }
            if isAdmins {
                slot.place = Switch.beside(place.path, Registry.newSuffix)
                let other = staging.coming[ExactText(slot.place)]
                slot.replaces = try other == nil ? self.live(at: slot.place, step, index)?.inode : other?.inode
            }
        case .remove:
            staging.coming[ExactText(place.path)] = (nil, nil)
            staging.slots.append(slot)
            return
        }
        slot.inode = try inode(index, in: area)
        staging.coming[ExactText(slot.place)] = (slot.inode, mode)
        staging.slots.append(slot)
    }

    /// False also below a file that an earlier step of this plan replaces by a directory.
    private func isDirectory(_ place: String) throws(FileError) -> Bool {
        do throws(FileError) { return try folder.status(place)?.kind == .directory } catch {
            if error.number == ENOTDIR { return false }
            throw error
        }
    }

    private func live(at place: String, _ step: PlannedStep, _ index: Int) throws(WorkerError) -> FileStatus? {
        try working("look at \"\(step.path)\"", step: index) { () throws(FileError) in
            do throws(FileError) { return try folder.status(place) } catch {
                // A file in the way of a directory: an earlier step of this plan replaces it.
                if error.number == ENOTDIR { return nil }
                throw error
            }
        }
    }

    /// Notes for the registry what the folder will have of patchd at a place. Of a directory that a file replaces, what
    /// was in it is gone.
    private func list(
        _ step: PlannedStep, _ index: Int, at place: String, _ staging: inout Staging
    ) throws(WorkerError) {
        let key = ExactText(place)
        switch step.kind {
        case .directory: staging.brought[key] = .directory
        case .remove: staging.brought[key] = .removed
        case .script, .rows, .handler, .hook: break
        case .file, .registry:
            let live = try live(at: place, step, index)
            if staging.brought[key] == .directory || live?.kind == .directory {
                let known = try working("read what was brought", step: index) { () throws(FileError) in
                    try staging.registry.entries().keys
                }
                for other in Array(staging.brought.keys) + known where other.isBelow(key) {
                    staging.brought[other] = .removed
                }
            }
            staging.brought[key] = .file(sha256: step.sum)
        }
    }

    private var target: String { "\(order.endpoint)/\(order.plan.folder)" }

    /// Where a step's path leads.
    func place(of step: PlannedStep, _ index: Int, _ places: PathResolver) throws(WorkerError) -> PathResolver.Place {
        do throws(PathResolver.Obstacle) {
            return try places.place(of: step)
        } catch {
            switch error {
            case .link(let why): throw .failed(step: index, .ownership, "cannot write \"\(step.path)\": \(why)")
            case .file(let error): throw .failed(step: index, .io, "cannot look at \"\(step.path)\": \(error)")
            }
        }
    }

    private func inode(_ index: Int, in area: WorkArea) throws(WorkerError) -> UInt64 {
        try working("look at what was staged", step: index) { () throws(FileError) in
            try area.slots.status(WorkArea.slot(index))?.inode ?? 0
        }
    }

    /// Copies a file of the checked tree, or a text of the plan, into its slot, with the attributes that it is to have at its place.
    func copy(
        _ step: PlannedStep, _ index: Int, to area: WorkArea, mode: UInt16, live: FileStatus?, place: String
    ) throws(WorkerError) {
        let sum = try working("stage \"\(step.path)\" for \(target)", step: index) { () throws(FileError) in
            let file = try area.slots.createFile(WorkArea.slot(of: step, index), mode: 0o600)
            try file.allocate(Int64(step.size))
            var sum = step.sum
            if let registry = step.registry {
                try file.write(Array(registry.text.utf8))
            } else {
                sum = try tree.file(step.source).copy(to: file)
            }
            if let live, live.kind == .file {
                if try file.status().gid != live.gid { try file.setOwner(uid: live.uid, gid: live.gid) }
                try file.copyAttributes(from: folder.file(place))
            } else if !step.kind.isRun {
                // A directory that this update brings is not there yet and has nothing to give.
                let parent = Directory.split(place).parent ?? "."
                if try isDirectory(parent) { try file.inherit(from: folder.directory(parent)) }
            }
            try file.setMode(mode)
            return sum
        }
        guard sum == step.sum else {
            throw .failed(
                step: index, .io,
                """
                cannot stage "\(step.path)": its content in the checked tree is not what was checked (SHA-256 \(sum) \
                instead of \(step.sha256)); the disk or somebody changed it. Drop the archive again
                """)
        }
    }
}
