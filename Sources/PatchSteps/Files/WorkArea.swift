import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// `.patchd/` at the top of a mount within a folder: where new files wait beside their place and originals are kept, on
/// the same mount, so that a switch is one rename.
///
///     marker.json       endpoint, folder and inode: a copied folder's `.patchd` is not taken for its own
///     jobs/<n>/<step>   a slot: the new file before the switch, the original after it
///     brought/<m>.<n>   what the job installed (``InstalledFiles``); in the folder's own only
///     mounts.json       the other mounts that have an area; in the folder's own only
///
/// The mode is 0700: originals may lie below what a web server serves.
final class WorkArea {
    static let name = ".patchd"
    /// Bytes that each of the small files may have.
    private static let sizeLimit = 4 << 20

    /// What `marker.json` says.
    private struct Marker: Codable, Hashable {
        var schema = 1
        var endpoint: String
        var folder: String
        var inode: UInt64
    }

    /// The top of its mount, relative to the folder; empty for the folder's own.
    let mount: String
    /// The directory of that name.
    let top: Directory
    /// `.patchd`.
    let root: Directory
    /// `.patchd/jobs/<n>`.
    let slots: Directory

    /// Opens the area of a job, creating it. What a copied folder brought along is removed.
    init(_ folder: borrowing Directory, mount: String, job: Int, order: WorkOrder) throws(FileError) {
        let top = try Self.top(folder, mount)
        let marker = try Self.marker(top, order)
        if try top.status(Self.name) != nil, let found = try Self.marker(in: top), found != marker {
            try top.removeTree(Self.name)
        }
        let root = try top.ensureDirectory(Self.name, mode: 0o700)
        if try root.status("marker.json") == nil, let bytes = try? JSONText.page(marker) {
            try root.replaceFile("marker.json", with: bytes)
        }
        self.mount = mount
        slots = try root.ensureDirectory("jobs").ensureDirectory("\(job)")
        // What a setgid folder, or one with a default access control list, gives to what is made in it, is not what the
        // places of the new files would give.
        try slots.dropInheritance()
        self.top = top
        self.root = root
    }

    /// Opens the area of a job as it is.
    ///
    /// - Returns: nil when there is none, or when it is a copied folder's.
    init?(existing folder: borrowing Directory, mount: String, job: Int, order: WorkOrder) throws(FileError) {
        guard try folder.status(Self.path("jobs/\(job)", mount))?.kind == .directory else { return nil }
        let top = try Self.top(folder, mount)
        guard try Self.marker(in: top) == Self.marker(top, order) else { return nil }
        self.mount = mount
        root = try top.directory(Self.name)
        slots = try root.directory("jobs/\(job)")
        self.top = top
    }

    /// `.patchd` of the folder itself; nil when there is none, or when it is a copied folder's.
    static func root(existing folder: borrowing Directory, order: WorkOrder) throws(FileError) -> Directory? {
        guard try marker(in: folder) == marker(folder, order) else { return nil }
        return try folder.directory(name)
    }

    private static func top(_ folder: borrowing Directory, _ mount: String) throws(FileError) -> Directory {
        mount.isEmpty ? try folder.duplicate() : try folder.directory(mount)
    }

    private static func marker(_ top: borrowing Directory, _ order: WorkOrder) throws(FileError) -> Marker {
        Marker(endpoint: order.endpoint, folder: order.plan.folder, inode: try top.status().inode)
    }

    /// What the marker of an area says; nil where there is none.
    private static func marker(in top: borrowing Directory) throws(FileError) -> Marker? {
        try read(Marker.self, name + "/marker.json", in: top, "whose the originals beside it are is not guessed at")
    }

    /// Reads one of the small files of an area.
    ///
    /// - Parameter why: why a damaged one does not count as none.
    private static func read<Value: Decodable>(
        _ type: Value.Type, _ place: String, in directory: borrowing Directory, _ why: String
    ) throws(FileError) -> Value? {
        guard let bytes = try directory.readFile(place, limit: sizeLimit) else { return nil }
        do { return try JSONText.read(type, bytes) } catch {
            throw FileError(
                "use (it is damaged; \(why): put it back from a backup, or move \(name) away, without which nothing can be undone)",
                directory.path + "/" + place, number: EBADMSG)
        }
    }

    private static func path(_ inside: String, _ mount: String) -> String {
        (mount.isEmpty ? "" : mount + "/") + name + "/" + inside
    }

    /// Remembers that a mount has an area, before it has one. To be called of the folder's own.
    func add(mount: String) throws(FileError) {
        var mounts = try Self.mounts(root)
        if mounts.contains(mount) { return }
        mounts.append(mount)
        if let bytes = try? JSONText.page(MountList(mounts: mounts.sorted())) {
            try root.replaceFile(MountList.name, with: bytes)
        }
    }

    /// The mounts besides the folder's own that have, or had, an area.
    static func mounts(_ root: borrowing Directory) throws(FileError) -> [String] {
        try read(MountList.self, MountList.name, in: root, "there may be originals on other mounts")?.mounts ?? []
    }

    private struct MountList: Codable {
        static var name: String { "mounts.json" }
        var schema = 1
        var mounts: [String]
    }

    /// Removes a job's slots from all mounts of a folder, so that it can no longer be undone; the slots of other jobs are
    /// left alone, and what it brought stays known. Done already: nothing happens.
    ///
    /// - Returns: the mounts that could not be reached because what belongs there is not mounted.
    static func forget(
        job: Int, in folder: borrowing Directory, order: WorkOrder
    ) throws(FileError) -> [String] {
        guard let root = try root(existing: folder, order: order) else { return [] }
        var missing: [String] = []
        for mount in try mounts(root) {
            let area = try WorkArea(existing: folder, mount: mount, job: job, order: order)
            if let area {
                try area.root.directory("jobs").removeTree("\(job)")
            } else if try folder.status(path("marker.json", mount)) == nil {
                missing.append(mount)
            }
        }
        if try root.status("jobs/\(job)") != nil { try root.directory("jobs").removeTree("\(job)") }
        try InstalledFiles.compact(root)
        return missing
    }

    /// The name of the copy of the database, beside the slots.
    static let backup = "database"

    /// The directory of what a patch uploads for its scripts, beside the slots; named after its first upload.
    static func uploads(_ first: Int) -> String { "uploads-\(first)" }

    /// The name of a step's slot.
    static func slot(_ step: Int) -> String { "\(step)" }

    /// Where a step's new content lies, relative to the slots: in its slot. A handler sees the file's own name, so its
    /// slot is a directory with the file in it.
    static func slot(of step: PlannedStep, _ index: Int) -> String {
        step.kind == .handler ? slot(index) + "/" + Directory.split(step.path).name : slot(index)
    }

    /// Removes everything that an earlier try at staging left.
    func clear() throws(FileError) {
        for name in try slots.names() { try slots.removeTree(name) }
    }

    /// A place relative to the top of its mount.
    func inside(_ place: String) -> String {
        mount.isEmpty ? place : String(decoding: place.utf8.dropFirst(mount.utf8.count + 1), as: UTF8.self)
    }
}

/// A job's areas in a folder, one for each mount that holds a target; opened when they are first asked for.
final class WorkAreas {
    private let folder: Directory
    private let order: WorkOrder
    private let job: Int
    private var open: [String: WorkArea] = [:]

    init(_ folder: borrowing Directory, order: WorkOrder, job: Int) throws(FileError) {
        self.folder = try folder.duplicate()
        self.order = order
        self.job = job
    }

    /// The area of a mount, created and emptied where it is first asked for.
    func new(_ mount: String) throws(FileError) -> WorkArea {
        if let area = open[mount] { return area }
        if !mount.isEmpty { try new("").add(mount: mount) }
        let area = try WorkArea(folder, mount: mount, job: job, order: order)
        try area.clear()
        open[mount] = area
        return area
    }

    /// The area of a mount as it was made before.
    ///
    /// - Returns: nil when it is not there: removed, or its file system is not mounted.
    func existing(_ mount: String) throws(FileError) -> WorkArea? {
        if let area = open[mount] { return area }
        let area = try WorkArea(existing: folder, mount: mount, job: job, order: order)
        open[mount] = area
        return area
    }

    /// Empties the areas asked for so far, as far as that is possible.
    func discard() {
        for area in open.values { try? area.clear() }
    }

    /// Makes everything durable that was written on the mounts asked for so far.
    func sync() throws(FileError) {
        for mount in open.keys.sorted() { try open[mount]?.slots.syncFileSystem() }
    }
}
