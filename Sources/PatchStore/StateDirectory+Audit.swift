import PatchFiles
import PatchModel

extension StateDirectory {
    /// More than the longest line.
    private static let auditTail: Int64 = 1 << 20

    /// Appends a line to `audit.jsonl`, durably, unless it is the last one already (the daemon was killed between the line
    /// and the answer). What a power cut left of a line is cut off.
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
            var last = tail[..<whole].split(separator: UInt8(ascii: "\n")).last
            // A line whose end an editor took is whole all the same, and what is longer than any line was never one.
            if !rest.isEmpty, Self.record(rest) != nil || whole == 0 && start > 0 {
                try file.write([UInt8(ascii: "\n")])
                last = rest
            } else if !rest.isEmpty {
                try file.truncate(to: start + Int64(whole))
            }
            let before = last.flatMap { Self.record($0) }
            if let before, before.id == record.id, before.request == record.request, before.uid == record.uid {
                return false
            }
            try file.write(line)
            try file.sync()
            return last != nil && before == nil
        }
        try share("audit.jsonl")
        return isDamaged
    }

    private static func record(_ line: ArraySlice<UInt8>) -> AuditRecord? {
        try? JSONText.read(AuditRecord.self, line)
    }
}
