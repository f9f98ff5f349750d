import Foundation
import Support
import Testing

@Suite struct `patchctl check` {
    let host: Installation

    init() throws { host = try Installation() }

    private func verdict(_ version: String) throws -> (code: Int32, report: [String: Any]) {
        let outcome = try host.run("patchctl", "check", "payroll/SEED", version, "--json")
        return (
            outcome.code,
            try #require(
                JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.errors)")
        )
    }

    @Test(arguments: [
        ("8.0.1", "current", 0), ("8.0.1.0", "tooNew", 7), ("8.0.2~rc", "tooNew", 7), ("8.0.10", "tooNew", 7),
        ("8.0.1~rc", "tooOld", 8), ("8.0", "tooOld", 8),
    ])
    func `compares a program with its folder`(version: String, word: String, code: Int) throws {
        try host.once()
        let (exit, report) = try verdict(version)
        #expect(Int(exit) == code && report["verdict"] as? String == word)
        #expect(report["given"] as? String == version && report["version"] as? String == "8.0.1")
        #expect(report["archive"] is NSNull)
        #expect(
            Set(report.keys) == [
                "schema", "endpoint", "folder", "version", "recommendedVersion", "given", "verdict", "archive",
            ])
    }

    @Test func `names the kept archive that brings the folder's version`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.once()
        let (exit, report) = try verdict("8.0.1")
        #expect(exit == 8 && report["recommendedVersion"] as? String == "8.0.2")
        let archive = try #require(report["archive"] as? String)
        #expect(FileManager.default.fileExists(atPath: archive))
        // Who may not read jobs gets the verdict all the same.
        try FileManager.default.removeItem(atPath: "\(host.root)/state/jobs")
        #expect(try verdict("8.0.2").code == 0)
        #expect(try verdict("8.0.2").report["archive"] is NSNull)
    }

    @Test func `follows the folder and not what is recommended, and says so`() throws {
        try host.once()
        var state = try host.json("state/endpoints/payroll/SEED.json")
        state["recommendedVersion"] = "8.0.2"
        try host.write(
            String(decoding: JSONSerialization.data(withJSONObject: state), as: UTF8.self),
            "state/endpoints/payroll/SEED.json")
        let behind = try host.run("patchctl", "check", "payroll/SEED", "8.0.1")
        #expect(behind.code == 0 && behind.errors.contains("8.0.2 is recommended"), "\(behind.errors)")
        // Nothing is known but what is recommended.
        state["version"] = nil
        try host.write(
            String(decoding: JSONSerialization.data(withJSONObject: state), as: UTF8.self),
            "state/endpoints/payroll/SEED.json")
        #expect(try verdict("8.0.1").code == 8)
        state["recommendedVersion"] = nil
        try host.write(
            String(decoding: JSONSerialization.data(withJSONObject: state), as: UTF8.self),
            "state/endpoints/payroll/SEED.json")
        let unknown = try host.run("patchctl", "check", "payroll/SEED", "8.0.1")
        #expect(unknown.code == 1 && unknown.errors.contains("patchctl baseline payroll/SEED"))
        #expect(try host.run("patchctl", "check", "payroll/SEED", "v8").code == 2)
    }
}
