import Glibc
import PatchFiles
import Synchronization

/// The spool's directories.
final class Spool: Sendable {
    let path: String
    let rejections: Rejections
    let dropScan: SpoolScan
    let requestScan: SpoolScan
    let sweep: SpoolSweep
    /// Of requests of users who may not command, what was said.
    let refusedRequests = Mutex(RepeatCount())

    init(path: String) {
        self.path = path
        rejections = Rejections(path: path + "/rejected")
        dropScan = SpoolScan(path + "/incoming", isEntry: DroppedFile.isCandidate)
        requestScan = SpoolScan(path + "/requests", isEntry: RequestFiles.isRequest)
        sweep = SpoolSweep([
            (path + "/requests/done", onlyHidden: false), (path + "/requests", onlyHidden: true),
            (path + "/holds", onlyHidden: true),
        ])
    }

    var incoming: String { path + "/incoming" }
    var holds: String { path + "/holds" }
    var requests: String { path + "/requests" }
    var answers: String { path + "/requests/done" }

    /// Creates what is missing, with the contract's modes; what is there keeps its own.
    func create() throws(FileError) {
        let top = try Directory.open(path)
        let group = UserIdentity.group(named: "patchd")
        for (name, mode) in [
            ("incoming", 0o1770), ("holds", 0o1777), ("requests", 0o1770), ("requests/done", 0o750),
            ("rejected", 0o750),
        ] {
            let (parent, last) = Directory.split(name)
            let directory = try top.directory(parent ?? ".")
            if try directory.makeDirectory(last, mode: UInt16(mode)), let group, geteuid() == 0 {
                guard fchownat(directory.descriptor, last, 0, group, AT_SYMLINK_NOFOLLOW) == 0 else {
                    throw FileError("change the group of", path + "/" + name)
                }
            }
        }
    }

    /// Removes temporary files that a kill left where only the daemon writes. For the daemon alone, before it begins.
    func removeLeftovers() throws(FileError) {
        for place in [answers, rejections.path] { try Directory.open(place).removeLeftovers() }
    }
}
