import Glibc
import PatchFiles
import PatchJSON
import PatchModel
import Synchronization

/// The spool's directories.
final class Spool: Sendable {
    let path: String
    /// What is refused side by side gets a name each.
    private let naming = Mutex(())

    init(path: String) { self.path = path }

    var incoming: String { path + "/incoming" }
    var holds: String { path + "/holds" }
    var requests: String { path + "/requests" }
    var answers: String { path + "/requests/done" }
    var rejected: String { path + "/rejected" }

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
        for place in [answers, rejected] { try Directory.open(place).removeLeftovers() }
    }

    /// Writes what was refused, and why, to `rejected/`; a name that exists gets a number.
    ///
    /// - Parameters:
    ///   - taken: when it was taken; refused again after a crash, it keeps the name that it got.
    ///   - place: brings the refused file to its new name in the directory.
    func reject(
        _ name: String, sha256: String, _ refusal: Refusal, options: [UInt8]?, at taken: Timestamp = .now,
        place: (borrowing Directory, String) throws(FileError) -> Void
    ) throws(FileError) {
        let directory = try Directory.open(rejected)
        // Who dropped it, a member of the directory's group, is to see why.
        let owner = geteuid() == 0 ? (uid: UInt32(0), gid: try directory.status().gid) : nil
        let free = try naming.withLock { (_) throws(FileError) in
            let free = try freeName(name, in: directory, sha256, taken)
            let record = RejectionRecord(
                file: free, sha256: sha256, code: refusal.code, reason: refusal.description, at: taken)
            if let options { try directory.replaceFile(free + ".json", with: options, mode: 0o640, owner: owner) }
            if let bytes = try? JSONText.page(record) {
                try directory.replaceFile(free + ".reason.json", with: bytes, mode: 0o640, owner: owner)
            }
            return free
        }
        do throws(FileError) { try place(directory, free) } catch {
            // Nothing lies there that it is the reason for.
            for name in [free + ".reason.json", free + ".json"] { try? directory.remove(name) }
            throw error
        }
        try directory.sync()
    }

    private func freeName(
        _ name: String, in directory: borrowing Directory, _ sha256: String, _ taken: Timestamp
    ) throws(FileError) -> String {
        var free = name
        var number = 1
        let stem = name.hasSuffix(".zip") ? String(name.dropLast(4)) : name
        while true {
            let archive = try directory.status(free)
            let reason = try directory.status(free + ".reason.json")
            if archive == nil, reason == nil { return free }
            if let bytes = try directory.readFile(free + ".reason.json"),
                let record = try? JSONText.read(RejectionRecord.self, bytes), record.sha256 == sha256,
                record.at == taken
            {
                return free
            }
            number += 1
            free = "\(stem)-\(number).zip"
        }
    }

    /// `NAME.zip.reason.json`.
    struct RejectionRecord: Codable {
        var schema = 1
        var file: String
        var sha256: String
        var code: RefusalCode
        var reason: String
        var at: Timestamp
    }
}
