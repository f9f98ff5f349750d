import Foundation
import PatchFiles
import PatchModel
import PatchStore
import Testing

/// A state directory of its own, which goes with the value.
final class Store {
    let path = "/tmp/patchd-store-\(UInt64.random(in: .min ... .max))"
    var state: StateDirectory { StateDirectory(path: path) }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try state.create()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, _ relative: String) throws {
        let file = "\(path)/\(relative)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    func read(_ relative: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(relative)")), as: UTF8.self)
    }

    func exists(_ relative: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(relative)") }

    func names(_ relative: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(relative)"))
    }

    /// A job as the intake makes it.
    static func job(_ number: Int) throws -> Job {
        Job(
            job: number, endpoint: "payroll", update: "X", version: try #require(Version("8.0.2")), sha256: "s",
            options: UpdateOptions(), claim: "c\(number)", createdAt: .now)
    }

    /// A folder's plan with so many files, a script with its statements, and a way back.
    static func plan(_ folder: String, files: Int) throws -> FolderPlan {
        var steps = (0..<files).map {
            PlannedStep(
                kind: .file, path: "lib/f\t\($0)\n\\", patch: "P", source: "P/\($0)", size: 7, mode: 0o640, sha256: "ab"
            )
        }
        var script = PlannedStep(kind: .script, path: "8.0.2.sql", patch: "P", source: "P/u")
        script.statements = ["SELECT '\t'", "SELECT 2"]
        steps += [
            script, PlannedStep(kind: .file, path: "conf", patch: "P", source: "c", keep: true),
            PlannedStep(kind: .hook, path: "after", patch: "", source: "", command: "true"),
        ]
        return FolderPlan(
            folder: folder, parent: nil, path: "/srv/\(folder)", state: .pending, from: Version("8.0.1"),
            to: try #require(Version("8.0.2")), patches: ["P": true], steps: steps,
            downgrades: [PlannedStep(kind: .script, path: "8.0.2.sql", patch: "P", source: "P/d")])
    }

    static func report(_ folders: [FolderPlan]) throws -> PlanReport {
        PlanReport(
            update: "X", version: try #require(Version("8.0.2")),
            endpoints: [EndpointPlan(endpoint: "payroll", warnings: ["w"], folders: folders)])
    }
}
