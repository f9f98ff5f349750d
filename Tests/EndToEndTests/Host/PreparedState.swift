import Foundation
import Testing

/// State as the daemon would have written it, for tests of what patchctl makes of it.
extension Installation {
    /// Changes a JSON file.
    func change(_ relative: String, _ body: (inout [String: Any]) -> Void) throws {
        var value = try json(relative)
        body(&value)
        try write(String(decoding: JSONSerialization.data(withJSONObject: value), as: UTF8.self), relative)
    }

    /// Changes a folder's state file.
    func changeState(_ folder: String, _ changes: [String: Any]) throws {
        try change("state/endpoints/payroll/\(folder).json") { $0.merge(changes) { $1 } }
    }

    /// Writes a job's file.
    ///
    /// - Parameter folders: each one's state.
    func prepare(
        job number: Int, _ state: String, folders: [String: String] = [:], _ changes: [String: Any] = [:]
    ) throws {
        let time = "2026-11-21T10:15:00.123Z"
        let isOver = ["done", "failed", "declined", "cancelled"].contains(state)
        var job: [String: Any] = [
            "schema": 1, "job": number, "endpoint": "payroll", "operation": "apply", "update": "X3V8_P2",
            "version": "8.0.2",
            "sha256": String(repeating: "a", count: 64), "state": state, "waitingFor": "", "code": "", "message": "",
            "signer": "", "claim": "c\(number)", "createdAt": time, "startedAt": time,
            "finishedAt": isOver ? time : NSNull(),
            "options": ["operation": "apply", "exclude": [], "only": [], "patches": [:], "force": false],
        ]
        job["folders"] = folders.mapValues { state in
            [
                "state": state, "code": state == "failed" ? "script" : "", "message": "", "equal": 0,
                "progress": ["done": 0, "total": 0, "step": ""],
            ] as [String: Any]
        }
        job.merge(changes) { $1 }
        try write(
            String(decoding: JSONSerialization.data(withJSONObject: job), as: UTF8.self),
            "state/jobs/\(number)/job.json")
        // Without an index every job that is there counts.
        unlink("\(root)/state/jobs/index.json")
    }

    /// `patchctl` with `--json`.
    func report(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Self.run(program("patchctl"), placed(arguments + ["--json"]))
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
    }
}
