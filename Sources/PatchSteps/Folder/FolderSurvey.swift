import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Looks at a folder before anything is touched: what is in the way, and what is there already. Changes nothing. The
/// steps look for themselves and use what they have in common from here.
final class FolderSurvey {
    private(set) var faults: [Fault] = []
    private(set) var warnings: [String] = []
    /// The steps whose effect is there already.
    var equal: [Int] = []
    /// By step, the first line of each statement.
    var statements: [Int: [String]] = [:]
    /// What earlier steps of the plan will have put at a place.
    var coming: [ExactText: PlannedStep] = [:]
    /// Directories that earlier steps of the plan take away, with what is in them.
    private var cleared: Set<ExactText> = []

    let context: FolderContext
    let database: FolderDatabase
    let installed: InstalledFiles
    let directories: DirectoryCheck
    private let resolver: PathResolver
    /// By file system, what is to be staged on it.
    private var needs: [UInt64: (mount: String, bytes: UInt64)] = [:]
    private var mounts: [String: UInt64] = [:]

    var order: WorkOrder { context.order }

    private init(_ context: FolderContext) throws(FileError) {
        self.context = context
        database = FolderDatabase(context)
        installed = try InstalledFiles(context.folder, order: context.order)
        directories = try DirectoryCheck(context.folder)
        resolver = try PathResolver(context.folder, order: context.order)
    }

    /// Looks at the folder, the scripts and, where these can be run, the database, and records what was found.
    static func run(_ context: FolderContext) throws(WorkerError) {
        let plan = context.order.plan
        try RehearsalRun.clear(context)
        let survey = try working("look at folder \(plan.folder)") { () throws(FileError) in
            let survey = try FolderSurvey(context)
            try survey.look()
            return survey
        }
        let (before, steps) = (survey.faults.count, plan.steps.count)
        try working("look at the scripts for \(plan.folder)") { () throws(FileError) in
            survey.lookForDatabase()
            for number in 0..<(steps + plan.downgrades.count) {
                guard let step = plan.step(number), step.kind == .script else { continue }
                try step.step(number).survey(survey)
            }
        }
        if !survey.statements.isEmpty { try context.record(.read(statements: survey.statements)) }
        if survey.faults.count == before {
            let found = try survey.database.survey()
            survey.faults += found.faults
            survey.warnings += found.warnings
            survey.equal += found.equal
        }
        try context.record(.surveyed(faults: survey.faults, warnings: survey.warnings, equal: survey.equal))
    }

    private func look() throws(FileError) {
        try look(atMount: "")
        for (index, step) in order.plan.steps.enumerated() {
            if step.kind == .script { try need(step.size, on: "") } else { try step.step(index).survey(self) }
        }
        for script in order.plan.downgrades { try need(script.size, on: "") }
        for (_, need) in needs.sorted(by: { $0.key < $1.key }) where need.bytes > 0 { try checkSpace(need) }
    }

    private func lookForDatabase() {
        do throws(WorkerError) { try database.check() } catch {
            if case .failed(_, let code, let message) = error { fault(code, message) }
        }
    }

    // MARK: What the steps find

    func fault(_ code: FaultCode, _ message: String) {
        faults.append(Fault(folder: order.plan.folder, code, message))
    }

    func warn(_ message: String) { warnings.append(message) }

    /// Where a step's path leads; nil after a fault.
    func resolve(_ step: PlannedStep) throws(FileError) -> PathResolver.Resolved? {
        do throws(PathResolver.Failure) {
            let place = try resolver.resolve(step)
            try lookAt(mount: place.mount)
            return place
        } catch {
            switch error {
            case .link(let why): fault(.ownership, "cannot write \"\(step.path)\": \(why)")
            case .file(let error) where error.code == .ownership:
                fault(.ownership, "cannot write \"\(step.path)\": \(error)\(error.wayOut)")
            case .file(let error): throw error
            }
            return nil
        }
    }

    /// Notes that a step takes a directory away: then nothing is below it any more.
    func clear(_ place: String) {
        let top = ExactText(place)
        cleared.insert(top)
        coming = coming.filter { !$0.key.isBelow(top) }
    }

    /// Whether earlier steps of the plan will have changed what lies at a place.
    func changes(_ place: ExactText) -> Bool { coming[place] != nil || isCleared(place) }

    private func isCleared(_ place: ExactText) -> Bool {
        !cleared.isEmpty && place.parents.contains(where: cleared.contains)
    }

    /// What lies at a place, or nil; also where an earlier step takes away the directory that it lies in.
    func live(_ place: String) throws(FileError) -> FileStatus? {
        if isCleared(ExactText(place)) { return nil }
        do throws(FileError) { return try context.folder.status(place) } catch {
            // A file in the way of a directory is replaced by an earlier step of the plan.
            if error.number == ENOTDIR { return nil }
            throw error
        }
    }

    /// Whether nothing is mounted at the very place.
    func isFree(
        _ place: PathResolver.Resolved, _ live: FileStatus?, for step: PlannedStep
    ) throws(FileError) -> Bool {
        guard let live, live.kind != .directory || step.kind != .directory,
            try context.folder.isMountPoint(place.path)
        else { return true }
        fault(.io, "cannot \(step.title): something is mounted at that very place; unmount it, or exclude the folder")
        return false
    }

    func isOwn(_ live: FileStatus) -> Bool { geteuid() == 0 || live.uid == geteuid() }

    /// Whether a live file can be compared and its attributes be copied; a fault where not.
    func isReadable(_ place: PathResolver.Resolved, for step: PlannedStep) -> Bool {
        guard let number = context.folder.refusal(R_OK, place.path), number == EACCES || number == EPERM else {
            return true
        }
        fault(
            .ownership,
            """
            cannot replace "\(step.path)": \(context.folder.path)/\(place.path) may not be read by the folder's owner; \
            chown it to him or chmod it, or remove it
            """)
        return false
    }

    /// Whether what is live may be moved away.
    func checkRights(
        _ live: FileStatus, _ place: PathResolver.Resolved, for step: PlannedStep
    ) throws(FileError) {
        let what = step.kind == .remove ? "remove" : "replace"
        if live.kind == .file, context.folder.refusal(R_OK, place.path) == nil,
            try context.folder.file(place.path).isImmutable
        {
            fault(
                .ownership,
                "cannot \(what) \"\(step.path)\": it is immutable or append-only; chattr -ia removes the flag")
        }
        if !isOwn(live) {
            fault(
                .ownership,
                """
                cannot \(what) "\(step.path)": it belongs to uid \(live.uid), not to the folder's owner; chown it, or \
                name the right owner in the configuration
                """)
        }
    }

    /// Proves that what lies in a place's directory can be changed.
    func checkDirectory(of place: PathResolver.Resolved) throws(FileError) {
        try checkDirectory(Directory.split(place.path).parent ?? "")
    }

    /// Proves that what lies in a directory can be changed. Only the first step that needs it gets the fault.
    func checkDirectory(_ path: String) throws(FileError) {
        guard let found = try directories.obstacle(in: path) else { return }
        let name = path.isEmpty ? "the folder itself" : "directory \"\(path)\""
        fault(found.code, "cannot write to \(name): \(found.why)")
    }

    /// Whether a file gets a group by being created in a directory.
    func inherits(group: UInt32, in parent: String?) throws(FileError) -> Bool {
        let status = try parent.map { (path) throws(FileError) in try context.folder.directory(path).status() }
        let directory = if let status { status } else { try context.folder.status() }
        return directory.mode & 0o2000 != 0 && directory.gid == group
    }

    // MARK: Mounts

    private func path(_ mount: String) -> String { mount.isEmpty ? order.plan.path : order.plan.path + "/" + mount }

    private func lookAt(mount: String) throws(PathResolver.Failure) {
        do throws(FileError) { try look(atMount: mount) } catch { throw .file(error) }
    }

    /// `.patchd` is made at the top of each mount that holds a target.
    private func look(atMount mount: String) throws(FileError) {
        if mounts[mount] != nil { return }
        let top = mount.isEmpty ? try context.folder.duplicate() : try context.folder.directory(mount)
        mounts[mount] = try top.status().device
        try checkDirectory(mount)
    }

    /// Notes that something is to be staged on a mount.
    func need(_ bytes: UInt64, on mount: String) throws(FileError) {
        try look(atMount: mount)
        needs[mounts[mount] ?? 0, default: (mount, 0)].bytes += bytes
    }

    /// New files and a little more; the originals stay in their blocks.
    private func checkSpace(_ need: (mount: String, bytes: UInt64)) throws(FileError) {
        let needed = need.bytes + need.bytes / 50 + (1 << 20)
        let top = need.mount.isEmpty ? try context.folder.duplicate() : try context.folder.directory(need.mount)
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
}
