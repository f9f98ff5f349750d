import Foundation
import Testing

@Suite struct `patchctl status` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    private func folder(_ name: String) throws -> [String: Any] {
        let endpoints = try #require(try host.report("status")["endpoints"] as? [[String: Any]])
        let folders = endpoints.flatMap { $0["folders"] as? [[String: Any]] ?? [] }
        return try #require(folders.first { $0["folder"] as? String == name })
    }

    private func lines() throws -> String { try host.run("patchctl", "status").output }

    @Test func `has the contract's shape, also where there is nothing to say`() throws {
        let report = try host.report("status")
        #expect(Set(report.keys) == ["schema", "configuration", "holds", "units", "endpoints", "jobs"])
        #expect((report["configuration"] as? [String: Any])?["refused"] is NSNull)
        #expect((report["holds"] as? [Any])?.isEmpty == true && (report["jobs"] as? [Any])?.isEmpty == true)
        let seed = try folder("SEED")
        #expect(seed["parent"] as? String == "PAIE" && seed["reason"] as? String == "" && seed["next"] as? String == "")
    }

    @Test func `says why a folder is failed, since when, and what to do next`() throws {
        try host.changeState(
            "SEED",
            [
                "status": "failed", "message": "script 8.0.2.sh: exit status 1", "job": 7,
                "updatedAt": "2026-11-21T10:15:00.123Z",
            ])
        try host.prepare(job: 7, "failed", folders: ["SEED": "failed"], ["message": "SEED failed", "code": "script"])
        let seed = try folder("SEED")
        #expect(seed["reason"] as? String == "script 8.0.2.sh: exit status 1")
        #expect(seed["next"] as? String == "patchctl resume 7")
        let text = try lines()
        for word in [
            "script 8.0.2.sh: exit status 1", "2026-11-21 10:15 UTC", "next: patchctl resume 7", "patchctl show 7",
        ] {
            #expect(text.contains(word), "\(word) in\n\(text)")
        }
    }

    @Test func `says what comes first for a folder that is behind`() throws {
        try host.changeState("PAIE", ["version": "8.0.2"])
        for name in ["SEEDPROD", "SEEDPROD2"] { try host.changeState(name, ["status": "behind", "behind": true]) }
        #expect(try folder("SEEDPROD")["next"] as? String == "patchctl catchup payroll/SEEDPROD")
        #expect(try folder("SEEDPROD")["reason"] as? String == "it is below its reference folder PAIE, which has 8.0.2")
        #expect(try folder("SEEDPROD2")["next"] as? String == "patchctl catchup payroll/SEEDPROD")
        try host.prepare(job: 3, "failed", folders: ["PAIE": "failed", "SEEDPROD": "blocked"])
        #expect(try folder("SEEDPROD")["next"] as? String == "patchctl resume 3")
        try host.prepare(job: 3, "running", folders: ["PAIE": "running", "SEEDPROD": "pending"])
        #expect(try folder("SEEDPROD")["next"] as? String == "patchctl watch 3")
    }

    @Test func `shows the last failure until a later success, and what holds a folder as long as it does`() throws {
        func shown() throws -> [Int] {
            try #require(try host.report("status")["jobs"] as? [[String: Any]]).compactMap { $0["job"] as? Int }
        }
        try host.prepare(job: 1, "failed", folders: ["SEED": "pending"])
        try host.prepare(job: 2, "failed", folders: ["SEED": "pending"])
        #expect(try shown() == [2])
        try host.prepare(job: 3, "done", ["operation": "test", "finishedAt": "2026-11-21T11:00:00.000Z"])
        #expect(try shown() == [2], "a test is no success of an update")
        try host.prepare(job: 4, "done", ["finishedAt": "2026-11-21T12:00:00.000Z"])
        #expect(try shown() == [])
        try host.prepare(job: 1, "failed", folders: ["SEED": "failed"])
        try host.prepare(job: 5, "pendingApproval")
        #expect(try shown() == [1, 5])
    }

    @Test func `says that the configuration is refused, and with what`() throws {
        try host.configure("payroll", settings: "grce: 5s\n")
        let refused = try #require(try host.report("status")["configuration"] as? [String: Any])["refused"] as? String
        #expect(refused?.contains("endpoints.d/payroll.yaml:") == true, "\(refused ?? "nil")")
        let text = try lines()
        #expect(text.contains("is refused") && text.contains("grace") && text.contains("patchctl config check"))
    }

    @Test func `shows holds that count, and only these`() throws {
        try host.write("month's end\nuntil: 2099-01-01T00:00:00Z\n", "spool/holds/payroll.SEED.lock")
        try host.write("over\nuntil: 2001-01-01T00:00:00Z\n", "spool/holds/payroll.lock")
        try host.write("a stranger's\n", "spool/holds/ALL.lock")
        if geteuid() == 0 { chown("\(host.root)/spool/holds/ALL.lock", 65534, 65534) }
        let holds = try #require(try host.report("status")["holds"] as? [[String: Any]])
        if geteuid() == 0 { try #require(holds.count == 1) }
        let hold = try #require(holds.first { $0["target"] as? String == "payroll/SEED" })
        #expect(hold["reason"] as? String == "month's end" && hold["until"] as? String == "2099-01-01T00:00:00.000Z")
        #expect(hold["owner"] as? String == NSUserName())
        #expect(try lines().contains("month's end"))
    }

    @Test func `calls a folder gone that is configured no more and not locked, and says how to forget it`() throws {
        let state = try host.read("state/endpoints/payroll/SEED.json")
        try host.write(state.replacing("\"SEED\"", with: "\"SED\""), "state/endpoints/payroll/SED.json")
        let ghost = try folder("SED")
        #expect(ghost["gone"] as? Bool == true && ghost["next"] as? String == "patchctl forget payroll/SED")
        #expect(
            try lines().contains { $0.isNewline }
                && lines().split(separator: "\n").contains { $0.contains("SED ") && $0.contains("gone") })
        try host.changeState("SED", ["status": "failed", "job": 1, "message": "it broke"])
        #expect(try folder("SED")["gone"] == nil, "what is half done is no leftover")
    }

    @Test func `folds its last column to the terminal, and times are local with the zone`() throws {
        let long = Array(repeating: "word", count: 40).joined(separator: " ")
        try host.changeState("SEED", ["status": "failed", "message": long, "updatedAt": "2026-07-21T10:15:00.123Z"])
        let command = ([host.program("patchctl")] + host.placed(["status"])).joined(separator: " ")
        let outcome = try Installation.run(
            "/usr/bin/script", ["-qec", "stty cols 100; \(command)", "/dev/null"],
            environment: ["TERM": "dumb", "TZ": "Europe/Berlin"])
        #expect(outcome.output.contains("2026-07-21 12:15 CEST"), "\(outcome.output)")
        #expect(outcome.output.split(whereSeparator: \.isNewline).allSatisfy { $0.count <= 100 }, "\(outcome.output)")
        #expect(try host.report("status").description.contains("2026-07-21T10:15:00.123Z"))
    }
}
