import Glibc
import PatchFiles
import PatchJSON
import PatchModel

/// The spool's `holds/`, read.
struct HoldList {
    /// Anybody may fill the directory; no admin reads more than this.
    private static let most = 1000

    let holds: [StandingHold]
    /// How many files were left out.
    let leftOut: Int

    /// - Throws: `FileError` when the directory cannot be read: that does not mean that nobody holds anything.
    init(_ directories: Directories, _ rights: HoldRights) throws {
        let path = directories.spoolDir + "/holds"
        guard access(path, F_OK) == 0 || errno != ENOENT else {
            (holds, leftOut) = ([], 0)
            return
        }
        let directory = try Directory.open(path)
        let named = try directory.names().compactMap { name in
            PatchModel.Hold.Target(fileName: name).map { (name, $0) }
        }
        var found: [StandingHold] = []
        for (name, target) in named.prefix(Self.most) {
            guard let status = try directory.status(name) else { continue }
            let isFile = status.kind == .file && status.links == 1
            let hold = PatchModel.Hold(target, text: isFile ? Self.text(name, in: directory) : "")
            if Self.isOver(hold, status) { continue }
            found.append(
                StandingHold(
                    target: target.description, owner: UserName.of(status.uid), reason: hold.reason,
                    until: OrNull(wrappedValue: hold.until), pid: OrNull(wrappedValue: hold.pid),
                    since: Timestamp(nanoseconds: status.modified),
                    counts: isFile && rights.mayHold(target, status.uid)))
        }
        holds = found
        leftOut = max(0, named.count - Self.most)
    }

    /// Does not wait for the holder of a lease on it. What cannot be read holds all the same.
    private static func text(_ name: String, in directory: borrowing Directory) -> String {
        guard let file = try? directory.file(name), let bytes = try? file.read(limit: 4096) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A process and its file may be dated by clocks that differ by so much; in nanoseconds.
    private static let slack: Int64 = 2_000_000_000

    /// Over by its time, with its process, or as that number is another process's by now.
    private static func isOver(_ hold: PatchModel.Hold, _ status: FileStatus) -> Bool {
        if let until = hold.until, until <= .now { return true }
        guard let pid = hold.pid else { return false }
        guard let started = RunningProcess(pid).startTime else { return true }
        return started > status.modified + slack
    }
}
