import Foundation
import Support
import Testing

@Suite struct `The command notify` {
    let host: Installation

    init() throws { host = try Installation(settings: "approval: required\n") }

    private func notices() throws -> [[String: Any]] {
        try host.read("told").split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private func drop() throws { try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip") }

    @Test func `is told, one after the other, what a person waits for`() throws {
        try host.write("notify: \"cat >> \(host.root)/told\"\n", "etc/patchd.yaml")
        try drop()
        #expect(try host.once().code == 6)
        try host.write("no archive", "spool/incoming/bad.zip")
        _ = try host.ask(#"{"command":"approve","job":1}"#)
        try drop()
        #expect(try host.once().code == 0)
        let told = try notices()
        let events = told.map { $0["event"] as? String }
        #expect(Set(events) == ["pendingApproval", "done", "refused"] && events.count == 4, "\(events)")
        #expect(events.first == "pendingApproval")
        let first = try #require(told.first)
        #expect(first["job"] as? Int == 1 && first["endpoint"] as? String == "payroll")
        #expect(first["update"] as? String == "X3V8_P2" && first["version"] as? String == "8.0.2")
        #expect(first["schema"] as? Int == 1 && first["at"] != nil && first["state"] as? String == "pendingApproval")
        let refused = try #require(told.first { $0["event"] as? String == "refused" })
        #expect(refused["code"] as? String == "archiveMalformed" && refused["update"] as? String == "bad.zip")
        #expect(!host.exists("state/.notice.tmp"))
    }

    @Test func `fails without consequences`() throws {
        try host.write("notify: \"/no/such/command\"\n", "etc/patchd.yaml")
        try drop()
        let outcome = try host.once()
        #expect(outcome.code == 6)
        #expect(outcome.errors.contains("notify of pendingApproval: the command ended badly"), "\(outcome.errors)")
    }

    @Test func `delays nothing when it hangs`() throws {
        try host.write("notify: \"echo begun >> \(host.root)/told; exec sleep 25\"\n", "etc/patchd.yaml")
        let daemon = try host.start()
        defer { daemon.terminate() }
        try drop()
        #expect(host.until("told") { host.exists("told") })
        #expect(host.until("pending") { (try? host.job(1)["state"] as? String) == "pendingApproval" })
        #expect(try host.run("patchctl", "approve", "1").code == 0)
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        #expect(try host.read("told") == "begun\n", "one at a time")
    }
}
