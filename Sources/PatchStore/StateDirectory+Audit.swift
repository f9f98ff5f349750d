import PatchFiles
import PatchJSON
import PatchModel

extension StateDirectory {
    /// More than the longest line.
    private static let auditTail: Int64 = 1 << 20

    /// What is under way beside each other writes no more lines than so many before each is at its end.
    private static let together = 64

    /// Appends a line to `audit.jsonl`, durably, unless it is among the last ones already (the daemon was killed between the line
    /// and the answer). What a power cut left of a line is cut off. Not for several threads at once.
    ///
    /// - Returns: whether the line before is damaged, which changes nothing.
    public func append(_ record: AuditRecord) throws(StoreError) -> Bool {
        let line: [UInt8]
        do {
            line = try JSONText.line(record) + [UInt8(ascii: "\n")]
        } catch {
            throw StoreError("cannot write the audit record of \(record.request): \(error)")
        }
        let isDamaged = try files { () throws(FileError) in
            let file = try Directory.open(path).appendingFile("audit.jsonl", mode: 0o640)
            let size = try file.status().size
            let start = max(0, size - Self.auditTail)
            let tail = try file.read(at: start, limit: Int(size - start))
            let whole = tail.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            let rest = tail[whole...]
            var recent = tail[..<whole].split(separator: UInt8(ascii: "\n")).suffix(Self.together)
            // A line whose end an editor took is whole all the same, and what is longer than any line was never one.
            if !rest.isEmpty, Self.record(rest) != nil || whole == 0 && start > 0 {
                try file.write([UInt8(ascii: "\n")])
                recent.append(rest)
            } else if !rest.isEmpty {
                try file.truncate(to: start + Int64(whole))
            }
            let isThere = recent.contains { line in
                guard let before = Self.record(line) else { return false }
                return before.id == record.id && before.request == record.request && before.uid == record.uid
            }
            if isThere { return false }
            try file.write(line)
            try file.sync()
            return recent.last.map { Self.record($0) == nil } ?? false
        }
        try share("audit.jsonl")
        return isDamaged
    }

    private static func record(_ line: ArraySlice<UInt8>) -> AuditRecord? {
        try? JSONText.read(AuditRecord.self, line)
    }
}
