import Foundation
import Support
import Testing

@Suite struct `An update that is marked unstable` {
    let host: Installation

    /// 8.0.2, then 8.0.3, on all folders.
    init() throws {
        host = try Installation()
        #expect(try drop("8.0.2", "8.0.1") == 0)
        #expect(try drop("8.0.3", "8.0.2") == 0)
    }

    private func drop(_ version: String, _ dependency: String, options: String? = nil) throws -> Int32 {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func recommended() throws -> Set<String?> {
        Set(
            try host.folders.map {
                try host.json("state/endpoints/payroll/\($0).json")["recommendedVersion"] as? String
            })
    }

    private func mark(_ update: String, _ word: String = "markUnstable") throws -> [String: Any] {
        try host.ask(#"{"command":"\#(word)","update":"\#(update)"}"#)
    }

    @Test func `is recommended no more, until it is stable again`() throws {
        #expect(try recommended() == ["8.0.3"])
        let several = try mark("X3V8_P2")
        #expect(several["ok"] as? Bool == false)
        let message = try #require(several["message"] as? String)
        #expect(message.contains("X3V8_P2@8.0.2") && message.contains("X3V8_P2@8.0.3"), "\(message)")
        #expect(try mark("NONE")["code"] as? String == "missing")
        #expect(try mark("X3V8_P2@")["code"] as? String == "requestInvalid")
        #expect(try mark("X3V8_P2@8.0.3")["ok"] as? Bool == true)
        #expect(try recommended() == ["8.0.2"])
        #expect(try mark("X3V8_P2@8.0.2")["ok"] as? Bool == true)
        #expect(try recommended() == [nil])
        #expect(try mark("X3V8_P2", "markStable")["ok"] as? Bool == false, "two are marked")
        #expect(try mark("X3V8_P2@8.0.2", "markStable")["ok"] as? Bool == true)
        #expect(try mark("X3V8_P2", "markStable")["ok"] as? Bool == true)
        #expect(try recommended() == ["8.0.3"])
    }

    @Test func `is not applied, tested or planned without force`() throws {
        #expect(try mark("X3V8_P2@8.0.4")["ok"] as? Bool == true, "before it is here")
        #expect(try drop("8.0.4", "8.0.3") == 1)
        let job = try host.job(3)
        #expect(job["code"] as? String == "unstable")
        let folders = try #require(job["folders"] as? [String: [String: Any]])
        #expect(folders.values.allSatisfy { $0["code"] as? String == "unstable" })
        #expect(try drop("8.0.4", "8.0.3", options: #"{"operation":"test"}"#) == 1)
        #expect(try host.job(4)["code"] as? String == "unstable")
        try ExampleUpdate(version: "8.0.4", dependency: "8.0.3").pack(to: "\(host.root)/update.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(plan.code == 1 && plan.output.contains("fault unstable: SEED:"), "\(plan.output)")
        #expect(try host.run("patchctl", "plan", "--force", "\(host.root)/update.zip").code == 0)
        #expect(try drop("8.0.4", "8.0.3", options: #"{"force":true}"#) == 0)
        #expect(try recommended() == ["8.0.3"])
    }

    @Test func `is caught up with by force only`() throws {
        #expect(try drop("8.0.4", "8.0.3", options: #"{"exclude":["SEED"],"force":true}"#) == 0)
        #expect(try mark("X3V8_P2@8.0.4")["ok"] as? Bool == true)
        _ = try host.ask(#"{"command":"catchup","target":"payroll/SEED"}"#)
        #expect(try host.job(4)["code"] as? String == "unstable")
        _ = try host.ask(#"{"command":"catchup","target":"payroll/SEED","force":true}"#)
        #expect(try host.job(5)["state"] as? String == "done")
    }

    @Test func `fails although it was approved before`() throws {
        try host.configure("payroll", settings: "approval: required\n")
        #expect(try drop("8.0.4", "8.0.3") == 6)
        try host.request(#"{"command":"approve","job":3}"#, as: "a.json")
        try host.request(#"{"command":"markUnstable","update":"X3V8_P2@8.0.4"}"#, as: "b.json")
        #expect(try host.once().code == 1)
        #expect(try host.job(3)["state"] as? String == "failed" && host.job(3)["code"] as? String == "unstable")
    }

    @Test func `is never forgotten because of a damaged file`() throws {
        #expect(try mark("X3V8_P2@8.0.3")["ok"] as? Bool == true)
        let text = try host.read("state/unstable.json")
        try host.write(String(text.dropLast(30)), "state/unstable.json")
        #expect(try mark("X3V8_P2@8.0.2")["ok"] as? Bool == false)
        #expect(try drop("8.0.4", "8.0.3") == 1)
        #expect(try host.job(3)["state"] as? String == "failed")
        #expect((try host.job(3)["message"] as? String)?.contains("unstable.json") == true)
        #expect(try recommended() == ["8.0.2"])
    }
}
