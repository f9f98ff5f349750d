import Foundation
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `What a plan has to know of a folder` {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func find(_ ask: [String] = []) throws -> LedgerSummary {
        try place.begin(
            WorkOrder(job: 1, endpoint: "payroll", update: "X", scriptTimeout: 10, plan: place.plan(1, []), ask: ask))
        return try place.work(1) { (work) throws(WorkerError) in try work.find() }
    }

    @Test func `is an empty registry where there is none, and the files that an application finds there`() throws {
        try place.write("x", "bin/app")
        try place.makeDirectory("lib")
        for (link, target) in [
            ("link", "bin/app"), ("out", "/etc/passwd"), ("tools", "bin"), ("dangling", "none"), ("loop", "loop"),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(place.folder)/\(link)", withDestinationPath: target)
        }
        let ask = ["bin/app", "lib", "none", "bin/app/below", "link", "out", "tools", "tools/app", "dangling", "loop"]
        let facts = try #require(try find(ask).facts)
        #expect(facts.registry == DataRegistry())
        #expect(facts.registryText == nil && facts.registrySHA256 == nil)
        #expect(facts.present == Set(["bin/app", "link", "out", "tools/app"].map { ExactText($0) }))
    }

    @Test func `comes back from the ledger as it is in the file, unknown members and numbers too`() throws {
        let text = """
            {"schema": 1, "tables": {"Address": {"files": ["Data/A.DBM"], "record": {"n": 1.50, "x": [null]}, "mine": 2}},
             "forms": {"Old": {"deleted": true}}, "of": "the admin"}
            """
        try place.write(text, "registry.json")
        let facts = try #require(try find().facts)
        #expect(facts.registryText == text)
        #expect(facts.registrySHA256?.count == 64)
        #expect(facts.registry.tables["Address"]?.files == ["Data/A.DBM"])
        #expect(facts.registry.tables["Address"]?.deleted == false)
        #expect(facts.registry.forms["Old"]?.deleted == true)
        #expect(
            facts.registry.text
                == #"{"schema":1,"tables":{"Address":{"files":["Data/A.DBM"],"record":{"n":1.50,"x":[null]},"deleted":false,"mine":2}},"forms":{"Old":{"files":[],"record":{},"deleted":true}},"of":"the admin"}"#
                + "\n")
        #expect(try DataRegistry(text: facts.registry.text) == facts.registry)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"schema":2}"#, #"{"schema":1,"tables":[]}"#, #"{"schema":1,"tables":{"T":1}}"#,
        #"{"schema":1,"tables":{"T":{"files":"a"}}}"#, #"{"schema":1,"tables":{"T":{"files":["../a"]}}}"#,
        #"{"schema":1,"tables":{"T":{"files":["update.lock"]}}}"#, #"{"schema":1,"tables":{"T":{"deleted":1}}}"#,
        #"{"schema":1,"tables":{"T":{"record":[]}}}"#, #"{"schema":1,"tables":{}"#,
    ])
    func `is never an empty registry where the file is damaged`(_ text: String) throws {
        try place.write(text, "registry.json")
        let summary = try find()
        #expect(summary.facts == nil)
        guard case .failed(_, .io, let message) = summary.outcome else {
            Issue.record("not refused")
            return
        }
        #expect(message.contains("registry.json") && message.contains("backup"))
    }

    @Test func `is not read where it is larger than what a plan is made with`() throws {
        let more = String(repeating: " ", count: DataRegistry.sizeLimit)
        try place.write(#"{"schema":1}"# + more, "registry.json")
        #expect(try find().facts == nil)
    }

    @Test func `is not read through a link`() throws {
        try FileManager.default.createSymbolicLink(
            atPath: place.folder + "/registry.json", withDestinationPath: "/etc/hostname")
        #expect(try find().facts == nil)
    }
}
