import Glibc
import PatchFiles
import PatchModel

/// `<folder>/.patchd/`: where new files wait beside their place and originals are kept, on the folder's own file
/// system, so that a switch is one rename.
///
///     marker.json       endpoint, folder and inode: a copied folder's `.patchd` is not taken for its own
///     jobs/<n>/<step>   a slot: the new file before the switch, the original after it
struct WorkArea: ~Copyable {
    static let name = ".patchd"

    /// What `marker.json` says.
    private struct Marker: Codable, Hashable {
        var schema = 1
        var endpoint: String
        var folder: String
        var inode: UInt64
    }

    /// `.patchd/jobs/<n>`.
    let slots: Directory

    /// Opens the area of a job, creating it. What a copied folder brought along is removed.
    init(_ folder: borrowing Directory, order: WorkOrder) throws(FileError) {
        let marker = Marker(
            endpoint: order.endpoint, folder: order.plan.folder, inode: try folder.status().inode)
        if try folder.status(Self.name) != nil {
            let bytes = try folder.readFile(Self.name + "/marker.json")
            if let bytes, (try? JSONText.read(Marker.self, bytes)) != marker { try folder.removeTree(Self.name) }
        }
        let area = try folder.ensureDirectory(Self.name, mode: 0o700)
        if try area.status("marker.json") == nil, let bytes = try? JSONText.page(marker) {
            try area.replaceFile("marker.json", with: bytes)
        }
        slots = try area.ensureDirectory("jobs").ensureDirectory("\(order.job)")
    }

    /// The name of a step's slot.
    static func slot(_ step: Int) -> String { "\(step)" }

    /// Removes everything that an earlier try at staging left.
    func clear() throws(FileError) {
        for name in try slots.names() { try slots.removeTree(name) }
    }
}
