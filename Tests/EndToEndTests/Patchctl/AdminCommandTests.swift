import Foundation
import Support
import Testing

@Suite struct `patchctl, for an admin,` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    @Test(arguments: ["patchctl", "patchd", "patchd-worker"]) func `says its version`(program: String) throws {
        let outcome = try Installation.run(host.program(program), ["--version"])
        #expect(outcome.code == 0 && outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(outcome)")
    }

    @Test func `lists holds, with those that do not count`() throws {
        #expect(try host.run("patchctl", "hold", "payroll/SEED", "--reason", "dump").code == 0)
        try host.write("mine\n", "spool/holds/ALL.lock")
        if geteuid() == 0 { chown("\(host.root)/spool/holds/ALL.lock", 65534, 65534) }
        let holds = try #require(try host.report("holds")["holds"] as? [[String: Any]])
        #expect(
            holds.count == 2
                && holds.contains { $0["target"] as? String == "payroll/SEED" && $0["counts"] as? Bool == true })
        let text = try host.run("patchctl", "holds").output
        #expect(text.contains("dump"))
        if geteuid() == 0 { #expect(text.contains("does not count")) }
    }

    @Test func `lists what is marked unstable, and refuses to mark what never was here`() throws {
        #expect(try host.run("patchctl", "marks").errors.contains("no update is marked"))
        try host.prepare(job: 1, "done")
        let unknown = try host.run("patchctl", "mark-unstable", "X3V8_P3", "--timeout", "100ms")
        #expect(unknown.code == 4 && unknown.errors.contains("did you mean \"X3V8_P2\""), "\(unknown)")
        #expect(try host.run("patchctl", "mark-unstable", "X3V8_P2@", "--timeout", "100ms").code == 2)
        #expect(try host.run("patchctl", "mark-unstable", "X3V8_P2", "--timeout", "100ms").code == 69)
        try host.write(
            #"{"schema":1,"marks":[{"update":"X3V8_P2","version":"8.0.2","by":"chief","at":"2026-11-21T10:15:00.123Z"}]}"#,
            "state/unstable.json")
        let text = try host.run("patchctl", "marks").output
        #expect(text.contains("X3V8_P2  8.0.2    chief      2026-11-21 10:15:00 UTC"), "\(text)")
        #expect((try host.report("marks")["marks"] as? [Any])?.count == 1)
    }

    @Test func `explains every code of the contract`() throws {
        let codes = [
            "dependency", "unstable", "space", "ownership", "database", "interpreter", "unit", "exists", "missing",
            "irreversible", "script", "sql", "inUse", "handler", "hook", "io", "cancelled", "notAFile", "incomplete",
            "signatureMissing", "signatureInvalid", "archiveMalformed", "archiveEncrypted", "archiveMethod",
            "entryType",
            "entryName", "entryDuplicate", "entryChecksum", "limitExceeded", "manifestMissing", "manifestInvalid",
            "contentUndeclared", "contentMissing", "optionsInvalid", "notAccepted", "nameCollision", "scriptIgnored",
            "scriptSyntax", "noDowngrade", "typeUnknown", "requestInvalid", "notPermitted", "unknownJob", "wrongState",
            "archiveDiffers", "69",
        ]
        let list = try host.run("patchctl", "explain").output.split(separator: "\n").map { $0.prefix { $0 != " " } }
        for code in codes { #expect(list.contains { $0 == code }, "\(code)") }
        let one = try host.run("patchctl", "explain", "unstable")
        #expect(one.code == 0 && one.output.contains("patchctl mark-stable"))
        #expect(try host.run("patchctl", "explain", "nothing").code == 1)
    }

    @Test(arguments: [
        ("payroll/SEED", ["command": "forget", "endpoint": "payroll", "folder": "SEED"]),
        ("payroll", ["command": "forget", "endpoint": "payroll"]),
    ])
    func `asks the daemon to forget, and takes it back when nobody answers`(
        target: String, request: [String: String]
    ) throws {
        let asking = try RunningProgram(host.program("patchctl"), host.placed(["forget", target, "--timeout", "2s"]))
        let requests = "\(host.root)/spool/requests"
        func names() -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: requests)) ?? []).filter { $0.hasPrefix("forget-") }
        }
        #expect(host.until("asked") { names().count == 1 })
        let name = try #require(names().first)
        #expect(try host.json("spool/requests/\(name)") as? [String: String] == request)
        #expect(asking.end() == 69)
        #expect(names() == [])
        #expect(try host.run("patchctl", "forget", "payroll/SEED/x").code == 2)
    }

    @Test func `hands an archive over and says so where no daemon takes it`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/u.zip")
        let outcome = try host.run("patchctl", "submit", "\(host.root)/u.zip")
        #expect(outcome.code == 69 && outcome.errors.contains("stays in the spool"), "\(outcome)")
        #expect(host.exists("spool/incoming/u.zip"))
        try host.once()
        let daemon = try host.start()
        defer { daemon.terminate() }
        try host.write("PK", "bad.zip")
        let bad = try host.run("patchctl", "submit", "\(host.root)/bad.zip", "--wait")
        #expect(bad.code == 4 && bad.errors.contains("refused: "), "\(bad)")
    }

    @Test func `names a file whose mode was changed, and one that has the mode it had`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(try host.run("patchctl", "verify").code == 0)
        #expect(chmod("\(host.root)/srv/SEED/top.dat", 0o777) == 0)
        let outcome = try host.run("patchctl", "verify")
        #expect(outcome.code == 1 && outcome.output == "changed  payroll/SEED  top.dat\n", "\(outcome)")
    }

    @Test func `says in plan what an archive leaves out`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/V8.0.2__x.sql"] = "SELECT 1;\n"
        try update.pack(to: "\(host.root)/update.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(
            plan.code == 0 && plan.output.contains("warning: scriptIgnored: ") && plan.output.contains("V8.0.2__x.sql"))
        let path = "etc/endpoints.d/payroll.yaml"
        try host.write(host.read(path).replacing("modules: [HRM]", with: "modules: [HMR]"), path)
        let other = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(
            other.output.contains("typeUnknown: patch X3V8_P2BIS") && other.output.contains("did you mean \"HMR\""),
            "\(other)")
    }
}

@Suite(.enabled(if: geteuid() == 0, "other users need root")) struct `patchctl for other users` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
        for name in ["spool/holds"] { chmod("\(host.root)/\(name)", 0o1777) }
    }

    private func run(_ arguments: String...) throws -> Installation.Outcome {
        try Installation.run(
            "/usr/bin/setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", host.program("patchctl")]
                + host.placed(arguments))
    }

    @Test func `says which group reads jobs, and how to join it`() throws {
        try host.prepare(job: 1, "done")
        chmod("\(host.root)/state/jobs", 0o750)
        let jobs = try run("jobs")
        #expect(jobs.code == 1 && jobs.errors.contains("adduser nobody patchd"), "\(jobs)")
        let status = try run("status")
        #expect(
            status.code == 0 && status.output.contains("SEED") && status.errors.contains("group patchd"), "\(status)")
    }

    @Test func `refuses a hold that would not count, and writes none`() throws {
        let outcome = try run("hold", "payroll")
        #expect(outcome.code == 4 && outcome.errors.contains("would not count"), "\(outcome)")
        #expect(!host.exists("spool/holds/payroll.lock"))
        try host.changeState("SEED", ["owner": "nobody"])
        let own = try run("hold", "payroll/SEED")
        #expect(own.code == 0, "\(own)")
    }

    @Test func `says who can take root's hold away, and nobody twice`() throws {
        try host.changeState("SEED", ["owner": "nobody"])
        try host.write("dump\n", "spool/holds/payroll.SEED.lock")
        let outcome = try run("hold", "payroll/SEED")
        #expect(outcome.code == 4 && outcome.errors.contains("is root's"), "\(outcome)")
        #expect(outcome.errors.contains("; root can take it away"), "\(outcome)")
    }
}
