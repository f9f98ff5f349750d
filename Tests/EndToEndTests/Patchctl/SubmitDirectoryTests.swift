import Foundation
import Support
import Testing

@Suite struct `patchctl submit with a directory` {
    let host: Installation

    init() throws {
        host = try Installation()
        for (version, name) in [("8.0.2", "z"), ("8.0.3", "m"), ("8.0.10", "a")] {
            let before = ["8.0.2": "8.0.1", "8.0.3": "8.0.2", "8.0.10": "8.0.3"][version]
            var update = ExampleUpdate(version: version, dependency: before ?? "")
            update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
            try FileManager.default.createDirectory(atPath: "\(host.root)/all", withIntermediateDirectories: true)
            try update.pack(to: "\(host.root)/all/\(name).zip")
        }
        try host.write("not an archive", "all/README.txt")
    }

    @Test func `hands over all archives in the order of their versions`() throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        let outcome = try host.run("patchctl", "submit", "\(host.root)/all", "--wait")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try (1...3).map { try host.job($0)["version"] as? String } == ["8.0.2", "8.0.3", "8.0.10"])
        #expect(outcome.output.hasSuffix("job 3 on payroll: done\n"), "\(outcome)")
        let jobs = try host.run("patchctl", "jobs", "--limit", "1", "--endpoint", "payroll", "--state", "done")
        #expect(jobs.output.split(separator: "\n").count == 2 && jobs.output.contains("8.0.10"), "\(jobs)")
        let list = try host.report("jobs", "--limit", "2")["jobs"] as? [[String: Any]]
        #expect(list?.compactMap { $0["job"] as? Int } == [2, 3])
        let none = try host.run("patchctl", "jobs", "--state", "failed")
        #expect(none.code == 0 && none.output.isEmpty && none.errors.contains("no such jobs"))
    }

    @Test func `hands over none where one would be refused`() throws {
        try host.write("PK", "all/b.zip")
        let outcome = try host.run("patchctl", "submit", "\(host.root)/all")
        #expect(
            outcome.code == 4 && outcome.errors.contains("b.zip would be refused, so none is submitted"), "\(outcome)")
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/incoming")
        #expect(left == [])
        let empty = try host.run("patchctl", "submit", "\(host.root)/srv")
        #expect(empty.code == 4 && empty.errors.contains("there is no archive"), "\(empty)")
    }

    @Test(arguments: [
        (["stauts"], "did you mean \"status\"?"), (["config", "chek"], "did you mean \"check\"?"),
        (["jobs", "--state", "faild"], "did you mean \"failed\"?"),
        (["jobs", "--endpoint", "payrol"], "did you mean \"payroll\"?"),
        (["status", "payroll/SEDE"], "did you mean \"payroll/SEED\"?"), (["explain", "dependancy"], "\"dependency\"?"),
        (["status", "--jsn"], "'--json'"),
    ]) func `and a misspelt word of any kind names the nearest`(arguments: [String], hint: String) throws {
        try host.write("x", "all/m.zip")
        try host.once()
        let outcome = try Installation.run(host.program("patchctl"), host.placed(arguments))
        #expect(outcome.code != 0 && outcome.errors.contains(hint), "\(outcome)")
        #expect(outcome.output.isEmpty)
    }
}
