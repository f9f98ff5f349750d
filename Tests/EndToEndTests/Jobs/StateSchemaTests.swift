import Foundation
import Support
import Testing

/// What patchd writes, held against the schemas that are installed with it.
@Suite struct `What patchd writes` {
    let host: Installation

    init() throws { host = try Installation() }

    private func texts(_ directory: String, _ isWanted: (String) -> Bool) throws -> [String] {
        let all = try #require(FileManager.default.enumerator(atPath: "\(host.root)/\(directory)"))
        return try all.compactMap { $0 as? String }.filter(isWanted).sorted().map {
            try host.read("\(directory)/\($0)")
        }
    }

    @Test func `of folders and jobs fits its schemas, before, in failure and afterwards`() throws {
        try host.configure("payroll", settings: "approval: required\n")
        #expect(try host.once().code == 0)
        var states = try texts("state/endpoints") { $0.hasSuffix(".json") }
        #expect(states.count == host.folders.count)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/a.zip")
        #expect(try host.once().code == 6)
        var jobs = [try host.read("state/jobs/1/job.json"), try host.run("patchctl", "show", "1", "--json").output]
        try host.configure("payroll")
        var failing = ExampleUpdate()
        failing.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "[ $PATCHD_FOLDER != SEED ]\n"
        #expect(try host.ask(#"{"command":"cancel","job":1}"#)["ok"] as? Bool == true)
        try failing.pack(to: "\(host.root)/spool/incoming/b.zip")
        #expect(try host.once().code == 1)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/c.zip")
        #expect(try host.once().code == 0)
        #expect(try host.ask(#"{"command":"rollback","target":"payroll/SEED"}"#)["ok"] as? Bool == true)
        states += try texts("state/endpoints") { $0.hasSuffix(".json") }
        jobs += try texts("state/jobs") { $0.hasSuffix("job.json") }
        #expect(jobs.count >= 5)
        let problems = try Schemas.problems(
            in: states.map { ("folder-state", $0) } + jobs.map { ("job", $0) })
        for (text, problem) in zip(states + jobs, problems) { #expect(problem.isEmpty, "\(problem): \(text)") }
        let bad = [
            states[0].replacingOccurrences(of: "current", with: "fine"),
            states[0].replacingOccurrences(of: "\"path\"", with: "\"place\""),
        ]
        #expect(try Schemas.taken(bad.map { ("folder-state", $0) }) == [])
    }

    @Test func `to begin an update with fits the manifest's schema, and so does the example`() throws {
        let begun = try Installation.run(host.program("patchctl"), host.placed(["init", "NEW_P1"]), in: host.root)
        #expect(begun.code == 0, "\(begun)")
        let example = Schemas.directory.appendingPathComponent("../../examples/X3V8_P2/update.json")
        let manifests = [
            try host.read("NEW_P1/update.json"), String(decoding: try Data(contentsOf: example), as: UTF8.self),
            ExampleUpdate().manifest,
        ]
        #expect(try Schemas.problems(in: manifests.map { ("update", $0) }) == ["", "", ""])
    }
}
