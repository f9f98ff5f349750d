import Glibc
import PatchFiles
import PatchJSON
import PatchModel
import Synchronization

/// `rejected/`: refused archives with their sidecars and the reasons, the oldest of which go when there are too many.
final class Rejections: Sendable {
    /// `NAME.zip.reason.json`.
    struct Record: Codable {
        var schema = 1
        var file: String
        var sha256: String
        var code: RefusalCode
        var reason: String
        var at: Timestamp
    }

    /// What is known of the directory's size.
    private struct Size {
        var bytes: UInt64 = 0
        /// When it was counted; nil before that.
        var at: Double?
    }

    /// Seconds after which it is counted again: what was moved here may still be written to by who dropped it.
    private static let recount = 60.0
    /// What the names of the files beside an archive end in.
    private static let sidecars = [".reason.json", ".json", SignatureFile.suffix]
    /// Names with numbers that may be those of drops that are refused beside each other.
    private static let together = 16

    let path: String
    /// What is refused side by side gets a name each.
    private let naming = Mutex(())
    private let size = Mutex(Size())

    init(path: String) { self.path = path }

    /// Adds what was refused, and why; a name that exists gets a number.
    ///
    /// - Parameters:
    ///   - taken: when it was taken; refused again after a crash, it keeps the name that it got.
    ///   - limit: bytes that all may take.
    ///   - place: brings the refused file to its new name in the directory.
    func add(
        _ name: String, sha256: String, _ refusal: Refusal, options: [UInt8]? = nil, signature: [UInt8]? = nil,
        at taken: Timestamp, limit: UInt64, place: (borrowing Directory, String) throws(FileError) -> Void
    ) throws(FileError) {
        let directory = try Directory.open(path)
        // Who dropped it, a member of the directory's group, is to see why.
        let owner = geteuid() == 0 ? (uid: UInt32(0), gid: try directory.status().gid) : nil
        let free = try naming.withLock { (_) throws(FileError) in
            let free = try freeName(name, in: directory, sha256, taken)
            let record = Record(
                file: free, sha256: sha256, code: refusal.code, reason: refusal.description, at: taken)
            for (suffix, bytes) in [(".json", options), (SignatureFile.suffix, signature)] {
                if let bytes { try directory.replaceFile(free + suffix, with: bytes, mode: 0o640, owner: owner) }
            }
            if let bytes = try? JSONText.page(record) {
                try directory.replaceFile(free + ".reason.json", with: bytes, mode: 0o640, owner: owner)
            }
            return free
        }
        do throws(FileError) { try place(directory, free) } catch {
            // Nothing lies there that it is the reason for.
            for suffix in Self.sidecars { try? directory.remove(free + suffix) }
            throw error
        }
        try directory.sync()
        // What does not fit is not worth a failure.
        try? prune(directory, to: limit, keeping: free)
    }

    // MARK: Names

    private func freeName(
        _ name: String, in directory: borrowing Directory, _ sha256: String, _ taken: Timestamp
    ) throws(FileError) -> String {
        let stem = name.hasSuffix(".zip") ? String(name.dropLast(4)) : name
        func numbered(_ number: Int) -> String { number == 1 ? name : "\(stem)-\(number).zip" }
        func isFree(_ number: Int) throws(FileError) -> Bool {
            if try directory.status(numbered(number)) != nil { return false }
            return try directory.status(numbered(number) + ".reason.json") == nil
        }
        // Not one after the other: there may be thousands.
        var (used, free) = (0, 1)
        while try !isFree(free) { (used, free) = (free, free * 2) }
        while free - used > 1 {
            let middle = (used + free) / 2
            if try isFree(middle) { free = middle } else { used = middle }
        }
        for number in max(1, free - Self.together)..<max(1, free) {
            if let bytes = try directory.readFile(numbered(number) + ".reason.json"),
                let record = try? JSONText.read(Record.self, bytes), record.sha256 == sha256, record.at == taken
            {
                return numbered(number)
            }
        }
        return numbered(free)
    }

    // MARK: Room

    /// One refused archive with what lies beside it.
    private struct Item {
        var names: [String] = []
        var bytes: UInt64 = 0
        var since: Int64 = .max
    }

    /// Removes the oldest until the others fit, with a tenth to spare so that it is not done each time.
    private func prune(_ directory: borrowing Directory, to limit: UInt64, keeping newest: String) throws(FileError) {
        // Whose turn it is while somebody else's removes a great deal need not wait for that.
        _ = try size.withLockIfAvailable { (size: inout Size) throws(FileError) -> Void in
            let now = MonotonicClock.seconds
            if let at = size.at, now - at < Self.recount {
                for suffix in [""] + Self.sidecars { size.bytes += try directory.allocatedSize(newest + suffix) }
                if size.bytes <= limit { return }
            }
            var items: [String: Item] = [:]
            for name in try directory.names() where !name.hasPrefix(".") {
                guard let status = try directory.status(name) else { continue }
                let suffix = Self.sidecars.first { name.hasSuffix(".zip\($0)") }
                let archive = String(name.dropLast(suffix?.count ?? 0))
                var item = items[archive] ?? Item()
                item.names.append(name)
                item.bytes += try directory.allocatedSize(name)
                item.since = min(item.since, status.changed)
                items[archive] = item
            }
            size = Size(bytes: items.values.reduce(0) { $0 + $1.bytes }, at: now)
            if size.bytes <= limit { return }
            for (archive, item) in items.sorted(by: { ($0.value.since, $0.key) < ($1.value.since, $1.key) }) {
                if size.bytes <= limit - limit / 10 { break }
                // Who has just dropped it is to find the reason, whatever becomes of the archive.
                let names = archive == newest ? [archive] : item.names
                for name in names { try? directory.removeTree(name) }
                size.bytes -= min(size.bytes, item.bytes)
            }
            try directory.sync()
        }
    }
}
