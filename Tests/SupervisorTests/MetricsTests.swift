import Foundation
import Logging
import PatchFiles
import PatchStore
import Testing

@testable import PatchModel
@testable import Supervisor

@Suite struct `The metrics` {
    private func state(_ folder: String, _ version: String?) throws -> FolderState {
        FolderState(
            endpoint: "payroll", folder: folder, version: try version.map { try #require(Version($0)) },
            path: "/srv/\(folder)", owner: "root", at: .now)
    }

    private func lock(_ phase: UpdateLock.Phase, since: Timestamp) -> UpdateLock {
        UpdateLock(
            endpoint: "payroll", folder: "SEED", phase: phase, update: "A", from: nil, to: nil, job: 1, since: since)
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test func `name every state of a job, every folder, and no family twice`() throws {
        var metrics = MetricsText()
        metrics.jobs = [.done: 3]
        metrics.folders = [
            "payroll": [
                "SEED": .init(state: try state("SEED", "8.0.2"), isLocked: true),
                "A": .init(state: try state("A", nil)),
            ]
        ]
        metrics.downtimes = ["payroll/SEED": 1.23449, "payroll/GONE": 1]
        metrics.successes = ["payroll": 1_795_939_200, "other": 1]
        metrics.held = ["payroll/SEED", "ALL"]
        let lines = lines(metrics.text)
        for line in [
            #"patchd_jobs{state="done"} 3"#, #"patchd_jobs{state="failed"} 0"#,
            #"patchd_folder_info{endpoint="payroll",folder="SEED",version="8.0.2",status="current"} 1"#,
            #"patchd_folder_info{endpoint="payroll",folder="A",version="",status="current"} 1"#,
            #"patchd_folder_locked{endpoint="payroll",folder="SEED"} 1"#,
            #"patchd_folder_locked{endpoint="payroll",folder="A"} 0"#,
            #"patchd_folder_behind{endpoint="payroll",folder="A"} 0"#,
            #"patchd_last_success_timestamp_seconds{endpoint="payroll"} 1795939200"#,
            #"patchd_last_downtime_seconds{endpoint="payroll",folder="SEED"} 1.234"#,
            "patchd_spool_rejected_total 0", #"patchd_held{target="ALL"} 1"#, "patchd_config_refused 0",
        ] { #expect(lines.contains(line), "\(line) in \(lines)") }
        #expect(!metrics.text.contains("GONE") && !metrics.text.contains("other"))
        let types = metrics.text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
        #expect(types.count == 9 && Set(types).count == 9)
    }

    @Test func `remember the last downtime and success of an earlier run, and stumble over nothing`() throws {
        var before = MetricsText()
        before.folders = ["payroll": ["SEED": .init(state: try state("SEED", "1"))]]
        before.downtimes = ["payroll/SEED": 2.5]
        before.successes = ["payroll": 1000.25]
        var after = MetricsText()
        after.folders = before.folders
        after.remember(before.text)
        #expect(after.text == before.text)
        for text in [
            "}{", "patchd_last_downtime_seconds{} 1", "patchd_last_downtime_seconds{\"\"\"\"\"\"} nan", "a{b} c\u{0}",
        ] {
            after.remember(text)
        }
        #expect(after.text == before.text)
    }

    @Test func `count the time of code 9999 only, also of a lock that an earlier run wrote`() throws {
        let metrics = Metrics()
        let start = Timestamp.now
        metrics.show(["SEED": try self.state("SEED", "1")], of: "payroll", ["SEED"])
        metrics.show(lock(.announced, since: start), isNew: true, in: "SEED", of: "payroll", at: start)
        metrics.show(lock(.disconnect, since: start), in: "SEED", of: "payroll", at: start.adding(seconds: 60))
        metrics.show(lock(.updating, since: start), in: "SEED", of: "payroll", at: start.adding(seconds: 61))
        metrics.show(nil, in: "SEED", of: "payroll", at: start.adding(seconds: 63))
        #expect(metrics.text.contains("patchd_last_downtime_seconds{endpoint=\"payroll\",folder=\"SEED\"} 3\n"))
        metrics.show(
            lock(.updating, since: start), isNew: true, in: "SEED", of: "payroll", at: start.adding(seconds: 70))
        #expect(metrics.text.contains("patchd_folder_locked{endpoint=\"payroll\",folder=\"SEED\"} 1\n"))
        metrics.show(nil, in: "SEED", of: "payroll", at: start.adding(seconds: 71))
        #expect(metrics.text.contains("patchd_last_downtime_seconds{endpoint=\"payroll\",folder=\"SEED\"} 71\n"))
    }

    @Test func `are written before the daemon ends, and where they cannot be, nothing waits for them`() async throws {
        let path = "/tmp/patchd-metrics-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let state = StateDirectory(path: path)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let metrics = Metrics()
        metrics.show(isRefused: true)
        metrics.retire()
        await metrics.keep(state, logger)
        #expect(try state.metrics("patchd.prom") == metrics.text)
        #expect(metrics.text.contains("patchd_config_refused 1\n"))
        // A file where the directory is to be.
        try FileManager.default.removeItem(atPath: path + "/metrics")
        #expect(FileManager.default.createFile(atPath: path + "/metrics", contents: nil))
        await metrics.keep(state, logger)
    }
}
