import Foundation
import PatchFiles
import PatchLedger
import Support

/// Everything that counts after a job: folders, state, spool, locks; without times and numbers that differ from run to
/// run, and without how often a start was needed.
struct Picture {
    /// One a file or directory, and one a thing that must never be.
    private(set) var lines: [String] = []

    init(of host: String) throws {
        for top in ["srv", "state", "spool"] {
            for case let relative as String in FileManager.default.enumerator(atPath: "\(host)/\(top)") ?? .init() {
                let path = "\(top)/\(relative)"
                // How the archive was asked to go on, and whose lock it was, are no part of what it left.
                if path.hasPrefix("spool/requests/done/") || path == "state/lock" { continue }
                // How far the trace for people is, which is told by that.
                if path.hasSuffix(".rendered") { continue }
                // SQLite's own, as it likes; opening the database settles them.
                if path.hasSuffix(".db-journal") || path.hasSuffix(".db-wal") || path.hasSuffix(".db-shm") { continue }
                var status = stat()
                guard lstat("\(host)/\(path)", &status) == 0 else { continue }
                let kind = status.st_mode & S_IFMT
                let mode = String(status.st_mode, radix: 8)
                let content =
                    switch kind {
                    case S_IFREG: try Self.content(of: path, in: host)
                    case S_IFLNK: try FileManager.default.destinationOfSymbolicLink(atPath: "\(host)/\(path)")
                    default: ""
                    }
                lines.append("\(path) \(mode) \(status.st_uid) \(content)")
            }
        }
        lines.sort()
    }

    private static func content(of path: String, in host: String) throws -> String {
        if path.hasSuffix("/app.db") || path.contains(".patchd") && path.hasSuffix("/database") {
            return try database("\(host)/\(path)")
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(host)/\(path)"))
        let text = String(decoding: bytes, as: UTF8.self)
        if path.hasPrefix("state/jobs"), path.contains("/ledger/") { return try ledger("\(host)/\(path)") }
        if path.hasPrefix("state/jobs"), path.contains("/plan/") || path.contains("/orders/") {
            return text.hasSuffix("end\n") ? "whole" : "CUT"
        }
        if path.contains("/traces/") { return trace(text, isJSON: path.hasSuffix(".jsonl")) }
        // It says how long what took.
        if path == "state/metrics/patchd.prom" { return text.hasPrefix("# HELP") ? "metrics" : "CUT" }
        if path == "state/audit.jsonl" {
            // One line an answer, which is asked for again after some cuts; what a cut left of the last one goes with the
            // next.
            let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            let broken = whole.filter { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) == nil }
            return broken.isEmpty ? "parses" : "IS NO JSON: \(broken)"
        }
        if path.hasSuffix(".history.jsonl") {
            return text.split(separator: "\n").map { json(Data($0.utf8)) }.joined(separator: " | ")
        }
        if path.hasSuffix(".json") || path.hasSuffix("/update.lock") { return json(bytes) }
        if path.hasSuffix("/runs") {
            // What a script that was cut off wrote is its own affair: it is written again, and a power cut may have left
            // zeros in its place, because only what a script that has ended wrote is made durable.
            let lines = text.filter { $0 != "\0" }.split(separator: "\n").filter { !$0.hasSuffix(" begins") }
            return Set(lines).sorted().joined(separator: " | ")
        }
        return text.count < 200 ? text.debugDescription : "\(bytes.count) bytes, \(SHA256.hash(of: Array(bytes)))"
    }

    /// What a database says, but for times.
    private static func database(_ path: String) throws -> String {
        let output = "/tmp/patchd-crash-sql-\(UInt64.random(in: .min ... .max))"
        defer { unlink(output) }
        let columns = "update_name, patch, script, version, state, job, statements, total, hash"
        let statements = [
            "SELECT * FROM log ORDER BY what", "SELECT * FROM rates ORDER BY what",
            "SELECT \(columns) FROM patchd_step ORDER BY 1, 2, 3",
            "SELECT code, phase FROM patchd_revision", "PRAGMA integrity_check",
        ]
        let tool = try Command.start(["/usr/bin/sqlite3", path] + statements, output: output)
        let code = tool.end(wait: true) ?? 255
        let said = try String(contentsOfFile: output, encoding: .utf8)
        return "\(code) \(said.split(separator: "\n").joined(separator: " "))"
    }

    private static let variable: Set<String> = [
        "at", "createdAt", "startedAt", "finishedAt", "announcedAt", "disconnectedAt", "updatedAt", "since", "deadline",
        "claim", "inode", "request", "generation", "next",
    ]

    private static func json(_ bytes: Data) -> String {
        guard let value = try? JSONSerialization.jsonObject(with: bytes),
            let text = try? JSONSerialization.data(withJSONObject: plain(value), options: [.sortedKeys])
        else { return "IS NO JSON: \(String(decoding: bytes, as: UTF8.self))" }
        return String(decoding: text, as: UTF8.self)
    }

    private static func plain(_ value: Any) -> Any {
        if let object = value as? [String: Any] {
            return object.filter { !variable.contains($0.key) }.mapValues { plain($0) }
        }
        if let list = value as? [Any] { return list.map { plain($0) } }
        return value
    }

    /// Where the ledger says that the folder stands, and whether a script that was recorded as done was run again.
    private static func ledger(_ path: String) throws -> String {
        let records = try Ledger.read(File.open(path))
        let summary = LedgerSummary(records)
        var finished: Set<Int> = []
        var repeated: [Int] = []
        for record in records {
            if case .finished(let steps) = record { finished.formUnion(steps) }
            if case .started(let step, _) = record, finished.contains(step) { repeated.append(step) }
        }
        let again = repeated.isEmpty ? "" : " RAN AGAIN THOUGH DONE: \(repeated)"
        return "\(summary.outcome) \(summary.finished.union(summary.equal).sorted())\(again)"
    }

    private static func trace(_ text: String, isJSON: Bool) -> String {
        guard isJSON else { return text.isEmpty ? "empty" : "there" }
        // A plain line is what a worker says that can no longer write its ledger.
        let broken = text.split(separator: "\n").filter { line in
            line.contains("\0")
                || line.hasPrefix("{") && (try? JSONSerialization.jsonObject(with: Data(line.utf8))) == nil
        }
        return broken.isEmpty ? "parses" : "IS NO JSON: \(broken)"
    }
}
