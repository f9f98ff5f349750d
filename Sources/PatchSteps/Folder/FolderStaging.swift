import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Brings all new content of a job beside its place and makes it durable. The steps stage themselves; what they know of
/// each other and have in common is here.
final class FolderStaging {
    /// What an earlier step of the plan will have put at a place.
    struct Coming {
        /// Nil for nothing.
        var inode: UInt64?
        var mode: UInt16?
    }

    let context: FolderContext
    let installed: InstalledFiles
    /// The folder's own.
    let own: WorkArea
    var slots: [StepSlot] = []
    var coming: [ExactText: Coming] = [:]
    /// By place, the step of a directory that is in its slot yet.
    var directories: [ExactText: Int] = [:]
    /// Directories that earlier steps of the plan take away, with what is in them.
    private var cleared: Set<ExactText> = []
    /// By patch, the first of its uploads.
    var uploads: [String: Int] = [:]
    private let areas: WorkAreas
    private let resolver: PathResolver
    /// What the list of installed files is to say of this job.
    private var brought: [ExactText: InstalledFiles.Entry] = [:]

    var order: WorkOrder { context.order }

    private init(_ context: FolderContext, _ areas: WorkAreas) throws(WorkerError) {
        self.context = context
        self.areas = areas
        resolver = try context.resolver()
        installed = try context.installedFiles()
        own = try Self.area("", in: areas, context)
    }

    /// Stages everything. Done already: nothing happens; half done: starts again. A rollback has nothing to stage.
    static func run(_ context: FolderContext) throws(WorkerError) {
        let (state, order) = (context.state, context.order)
        if state.isPrepared { return }
        if !order.undo.isEmpty { return try context.record(.prepared) }
        context.trace.write(.message, "staging \(order.update) \(order.plan.to)")
        let areas = try context.areas(ofJob: order.job)
        do throws(WorkerError) {
            try FolderStaging(context, areas).stage()
        } catch {
            // What is half there only takes room, maybe the very room that was missing.
            if case .failed = error { areas.discard() }
            throw error
        }
    }

    private func stage() throws(WorkerError) {
        let (plan, equal) = (order.plan, context.state.equal)
        for (index, step) in plan.steps.enumerated() {
            let own = step.step(index)
            if !equal.contains(index) {
                try own.stage(self)
            } else if let own = own as? any SwapStep {
                try list(own, at: resolve(own).path)
            }
        }
        // A later undo has to find its scripts, whatever became of the archive by then.
        for (offset, step) in plan.downgrades.enumerated() {
            try step.step(plan.steps.count + offset).stage(self)
        }
        try working("list what was staged") { () throws(FileError) in try InstalledFiles.prepare(brought, in: own) }
        try working("make what was staged durable") { () throws(FileError) in try areas.sync() }
        try context.record(.staged(slots))
        try context.record(.prepared)
        let count = slots.count - plan.downgrades.count
        let total = plan.steps.count { $0.kind != .hook }
        context.trace.write(.message, "staged \(count) of \(total) steps, \(equal.count) already up to date")
        context.trace.write(.message, equal.sorted().map { "already up to date: \(plan.steps[$0].title)" })
    }

    // MARK: Places

    func resolve(_ step: some Step) throws(WorkerError) -> PathResolver.Resolved {
        try context.resolve(step.planned, step.index, with: resolver)
    }

    func area(_ mount: String, for step: some Step) throws(WorkerError) -> WorkArea {
        try Self.area(mount, in: areas, context)
    }

    private static func area(
        _ mount: String, in areas: WorkAreas, _ context: FolderContext
    ) throws(WorkerError) -> WorkArea {
        let place = mount.isEmpty ? context.folder.path : context.folder.path + "/" + mount
        return try working("make room in \(place)/\(WorkArea.name)") { () throws(FileError) in
            try areas.new(mount)
        }
    }

    func live(at place: String, for step: some Step) throws(WorkerError) -> FileStatus? {
        if !cleared.isEmpty, ExactText(place).parents.contains(where: cleared.contains) { return nil }
        return try working("look at \"\(step.planned.path)\"", step: step.index) { () throws(FileError) in
            do throws(FileError) { return try context.folder.status(place) } catch {
                // A file in the way of a directory: an earlier step of this plan replaces it.
                if error.number == ENOTDIR { return nil }
                throw error
            }
        }
    }

    func inode(of step: some Step, in area: WorkArea) throws(WorkerError) -> UInt64 {
        try working("look at what was staged", step: step.index) { () throws(FileError) in
            try area.slots.status(WorkArea.slot(step.index))?.inode ?? 0
        }
    }

    /// Notes what the folder will have of patchd at a place. Of a directory that is replaced or removed, what was in it is
    /// gone.
    func list(_ step: some SwapStep, at place: String) throws(WorkerError) {
        guard let entry = step.installed else { return }
        let key = ExactText(place)
        if entry != .directory {
            let live = try live(at: place, for: step)
            if brought[key] == .directory || live?.kind == .directory {
                let known = try working("read what was installed", step: step.index) { () throws(FileError) in
                    try installed.entries().keys
                }
                for other in Array(brought.keys) + known where other.isBelow(key) { brought[other] = .removed }
                cleared.insert(key)
                coming = coming.filter { !$0.key.isBelow(key) }
                directories = directories.filter { $0.key != key && !$0.key.isBelow(key) }
            }
        }
        brought[key] = entry
    }

    // MARK: Content

    /// Creates a directory in a step's slot, with what its place gives it.
    ///
    /// - Parameter mode: nil: what mkdir(1) would ask for.
    func createDirectory(
        for step: some Step, in area: WorkArea, mode: UInt16?, at place: String
    ) throws(WorkerError) {
        try working("stage directory \"\(step.planned.path)\" for \(context.target)", step: step.index) {
            () throws(FileError) in
            let slot = WorkArea.slot(step.index)
            if let parent = try parent(of: place, in: area), try parent.hasInheritance() {
                try area.slots.createInherited(.directory, mode: mode ?? 0o777, in: parent, as: slot)
            } else {
                _ = try area.slots.makeDirectory(slot, mode: mode ?? 0o755)
            }
        }
    }

    private func createFile(
        _ slot: String, in area: WorkArea, mode: UInt16, at place: String
    ) throws(FileError) {
        if let parent = try parent(of: place, in: area), try parent.hasInheritance() {
            try area.slots.createInherited(.file, mode: mode, in: parent, as: slot)
        } else {
            _ = try area.slots.createFile(slot, mode: mode)
        }
    }

    /// The directory that a place is in: the live one, or one that this update brings and that is in its slot yet. Nil
    /// where neither is there.
    private func parent(of place: String, in area: WorkArea) throws(FileError) -> Directory? {
        guard let path = Directory.split(place).parent else { return try context.folder.duplicate() }
        if let step = directories[ExactText(path)] { return try area.slots.directory(WorkArea.slot(step)) }
        do throws(FileError) {
            guard try context.folder.status(path)?.kind == .directory else { return nil }
        } catch {
            if error.number == ENOTDIR { return nil }
            throw error
        }
        return try context.folder.directory(path)
    }

    /// Copies a step's content into its slot, with what its place gives it.
    ///
    /// - Parameters:
    ///   - mode: of a new file what it is created with; of one that replaces another what it gets in the end.
    ///   - live: the file that it replaces, whose attributes it gets.
    func copy(
        _ step: some SwapStep, to area: WorkArea, mode: UInt16, replacing live: FileStatus?, at place: String
    ) throws(WorkerError) {
        let original = live?.kind == .file ? live : nil
        try context.copyContent(of: step, to: area) { (name) throws(FileError) in
            if let original {
                try createFile(replacing: original, name, in: area, at: place)
            } else {
                try createFile(name, in: area, mode: mode | 0o600, at: place)
            }
        } finish: { (file) throws(FileError) in
            if original != nil { try file.copyAttributes(from: context.folder.file(place)) }
            // Of a new file, what a default access control list left of the mode is what the place gives.
            if original != nil || mode & 0o600 != 0o600 { try file.setMode(mode) }
        }
    }

    /// Creates a file that gets owner and group of another one. A group that this process may not give, the directory may.
    private func createFile(
        replacing live: FileStatus, _ slot: String, in area: WorkArea, at place: String
    ) throws(FileError) {
        if ProcessGroups.mayGive(live.gid) {
            _ = try area.slots.createFile(slot, mode: 0o600)
        } else {
            try createFile(slot, in: area, mode: 0o600, at: place)
        }
        let file = try area.slots.file(slot, O_RDWR)
        if try file.status().gid != live.gid { try file.setOwner(uid: live.uid, gid: live.gid) }
    }
}
