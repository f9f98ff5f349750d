import PatchFiles
import PatchJSON
import PatchModel
import Synchronization

/// `STATE/audit.jsonl`: a line for each thing that somebody asked for. When it has grown to a tenth of its limit it becomes
/// `audit.jsonl.1`, that one `audit.jsonl.2`, and so on; the oldest of ten goes.
public final class AuditLog: Sendable {
    /// Tells one request from another.
    private struct Key: Hashable {
        var id: String
        var request: String
        var uid: UInt32

        init(_ record: AuditRecord) { (id, request, uid) = (record.id, record.request, record.uid) }
    }

    private struct Known {
        var file: FileStatus?
        /// The last lines; nil for one that is damaged.
        var recent: [Key?] = []
    }

    private static let name = "audit.jsonl"
    private static let files: UInt64 = 10
    /// More than the longest line.
    private static let tail: Int64 = 1 << 20
    /// What is under way beside each other writes no more lines than so many before each is at its end.
    private static let together = 64

    /// What the last append left, so that the file is read only where somebody else has changed it.
    private let known = Mutex(Known())

    /// Nothing is opened yet.
    public init() {}

    /// Appends lines, durably, but for those that are among the last ones already (the daemon was killed between the line and
    /// the answer). What a power cut left of a line is cut off.
    ///
    /// - Parameter limit: bytes of all files together.
    /// - Returns: whether the line before is damaged, which changes nothing.
    public func append(_ records: [AuditRecord], to state: StateDirectory, limit: UInt64) throws(StoreError) -> Bool {
        var lines: [(key: Key, bytes: [UInt8])] = []
        for record in records {
            do { lines.append((Key(record), try JSONText.line(record) + [UInt8(ascii: "\n")])) } catch {
                throw StoreError("cannot write the audit record of \(record.request): \(error)")
            }
        }
        let isDamaged = try known.withLock { (known) throws(StoreError) in
            let isDamaged = try state.files { () throws(FileError) in
                let directory = try Directory.open(state.path)
                try Self.rotate(directory, limit, &known)
                let file = try directory.appendingFile(Self.name, mode: 0o640)
                let found = try file.status()
                if found.size > 0, known.file != found { known.recent = try Self.last(of: file) }
                let new = lines.filter { line in !known.recent.contains { $0 == line.key } }
                if new.isEmpty { return false }
                let isDamaged = known.recent.last == .some(nil)
                known.file = nil
                try file.write(new.flatMap(\.bytes))
                try file.sync()
                known.recent = (known.recent + new.map(\.key)).suffix(Self.together)
                return isDamaged
            }
            try state.share(Self.name)
            // Giving it to the group has changed it.
            known.file = try state.files { () throws(FileError) in try Directory.open(state.path).status(Self.name) }
            return isDamaged
        }
        return isDamaged
    }

    /// The last lines of the file, whose end is made whole.
    private static func last(of file: borrowing File) throws(FileError) -> [Key?] {
        let size = try file.status().size
        let start = max(0, size - tail)
        let bytes = try file.read(at: start, limit: Int(size - start))
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let rest = bytes[whole...]
        var lines = bytes[..<whole].split(separator: UInt8(ascii: "\n")).suffix(together)
        // A line whose end an editor took is whole all the same, and what is longer than any line was never one.
        if !rest.isEmpty, key(rest) != nil || whole == 0 && start > 0 {
            try file.write([UInt8(ascii: "\n")])
            lines.append(rest)
        } else if !rest.isEmpty {
            try file.truncate(to: start + Int64(whole))
        }
        return lines.map(key)
    }

    private static func key(_ line: ArraySlice<UInt8>) -> Key? {
        (try? JSONText.read(AuditRecord.self, line)).map(Key.init)
    }

    private static func rotate(_ directory: borrowing Directory, _ limit: UInt64, _ known: inout Known)
        throws(FileError)
    {
        guard let size = try directory.status(name)?.size, UInt64(size) >= limit / files else { return }
        for number in (1..<files).reversed() {
            let older = number == 1 ? name : "\(name).\(number - 1)"
            if try directory.status(older) != nil { try directory.rename(older, to: directory, "\(name).\(number)") }
        }
        try directory.sync()
        // Its last lines still count as written.
        known.file = nil
    }
}
