import Foundation
import Support
import Testing

@Suite struct `A job that needs approval` {
    let host: Installation

    init() throws { host = try Installation(settings: "approval: required\n") }

    private func drop(
        _ version: String = "8.0.2", _ dependency: String = "8.0.1", options: String? = nil,
        script: String = "echo \"$PATCHD_FOLDER\"\n"
    ) throws -> Int32 {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        update.files["X3V8_P2/FILPATCH/upgrades/\(version).sh"] = script
        update.files["X3V8_P2/FILPATCH/downgrades/\(version).sh"] = "true\n"
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func state(_ job: Int = 1) throws -> String? { try host.job(job)["state"] as? String }

    private func version(_ folder: String) throws -> String? {
        try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String
    }

    private func audit() throws -> [[String: Any]] {
        try host.read("state/audit.jsonl").split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func `waits with its plan, touches nothing and holds no place`() throws {
        let before = try host.picture()
        #expect(try drop() == 6)
        #expect(try state() == "pendingApproval")
        #expect(try host.job(1)["startedAt"] is NSNull)
        #expect(host.exists("state/jobs/1/plan.json"))
        #expect(try host.picture() == before)
        #expect(try drop(options: #"{"operation":"test"}"#) == 6)
        #expect(try state(2) == "done", "a test needs no approval")
        #expect(try drop("8.0.3", "8.0.2") == 5, "waits for the version, before its own approval")
        #expect(try state(3) == "waiting")
        let shown = try host.run("patchctl", "show", "1")
        #expect(shown.output.contains("8.0.1 -> 8.0.2") && shown.errors.contains("patchctl approve 1"))
        #expect(try host.run("patchctl", "jobs").output.contains("patchctl approve 1"))

        let answer = try host.ask(#"{"command":"approve","job":1}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try state() == "done" && version("SEEDPROD2") == "8.0.2")
        #expect(try state(3) == "pendingApproval", "its version is there now")
    }

    @Test func `is carried out once it is approved, which is recorded`() throws {
        #expect(try drop() == 6)
        let sha256 = try #require(try host.job(1)["sha256"] as? String)
        let wrong = try host.ask(#"{"command":"approve","job":1,"sha256":"00"}"#)
        #expect(wrong["ok"] as? Bool == false && wrong["code"] as? String == "archiveDiffers")
        #expect(try host.ask(#"{"command":"approve","job":9}"#)["code"] as? String == "unknownJob")
        #expect(try state() == "pendingApproval")
        let right = try host.ask(#"{"command":"approve","job":1,"sha256":"\#(sha256)"}"#)
        #expect(right["ok"] as? Bool == true, "\(right)")
        #expect(try state() == "done")
        let approval = try #require(try host.job(1)["approval"] as? [String: Any])
        let approver = try #require(approval["by"] as? [String: Any])
        #expect(approver["uid"] as? Int == Int(geteuid()) && approver["sha256"] as? String == sha256)
        #expect(try host.ask(#"{"command":"approve","job":1}"#)["code"] as? String == "wrongState")
        let lines = try audit().filter { $0["command"] as? String == "approve" }
        #expect(lines.map { $0["ok"] as? Bool } == [false, false, true, false])
        #expect(lines[2]["sha256"] as? String == sha256 && lines[2]["job"] as? Int == 1)
        #expect(lines[2]["at"] as? String == approver["at"] as? String)
        #expect(lines[2]["endpoint"] as? String == "payroll" && lines[2]["uid"] as? Int == Int(geteuid()))
    }

    @Test func `fails its preflight as ever, and needs no approval where there is nothing to do`() throws {
        #expect(try drop() == 6)
        _ = try host.ask(#"{"command":"approve","job":1}"#)
        #expect(try drop() == 0)
        #expect(try state(2) == "done", "every folder has it")
        #expect(try drop("8.0.3", "8.0.2", script: "#!/no/such/shell\n") == 1)
        #expect(try state(3) == "failed")
    }

    @Test func `is declined or cancelled for good`() throws {
        #expect(try drop() == 6)
        #expect(try host.ask(#"{"command":"decline","job":1}"#)["ok"] as? Bool == true)
        #expect(try state() == "declined")
        #expect(try host.ask(#"{"command":"approve","job":1}"#)["code"] as? String == "wrongState")
        #expect(try drop() == 6)
        #expect(try host.ask(#"{"command":"cancel","job":2}"#)["ok"] as? Bool == true)
        #expect(try state(2) == "cancelled")
        #expect(try host.ask(#"{"command":"decline","job":2}"#)["code"] as? String == "wrongState")
        #expect(try host.once().code == 0)
    }

    @Test func `is approved with other options, whose plan is what is approved`() throws {
        #expect(try drop() == 6)
        let plan = try host.read("state/jobs/1/plan.json")
        for (options, code) in [
            (#"{"exclude":["SEDPROD"]}"#, "optionsInvalid"), (#"{"operation":"test"}"#, "optionsInvalid"),
            (#"{"patches":{"X3V8_P2":false}}"#, "optionsInvalid"), (#"{"exlude":[]}"#, "optionsInvalid"),
            // Its reference folder would stay below.
            (#"{"only":["SEEDPROD2"]}"#, "dependency"),
        ] {
            let answer = try host.ask(#"{"command":"approve","job":1,"options":\#(options)}"#)
            #expect(answer["ok"] as? Bool == false && answer["code"] as? String == code, "\(options): \(answer)")
            #expect(try state() == "pendingApproval" && host.read("state/jobs/1/plan.json") == plan)
        }
        let answer = try host.ask(
            #"{"command":"approve","job":1,"options":{"exclude":["SEEDPROD"],"patches":{"X3V8_P2BIS":false}}}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try state() == "done")
        #expect(try version("SEED") == "8.0.2" && version("SEEDPROD") == "8.0.1")
        #expect(!host.exists("srv/PAIE/bis.dat") && host.exists("srv/SEED/top.dat"))
    }

    @Test func `waits again where it would do something else by its turn`() throws {
        #expect(try drop() == 6)
        // Both before the job has its turn.
        try host.request(#"{"command":"approve","job":1}"#, as: "a.json")
        try host.request(#"{"command":"baseline","target":"payroll/SEED","version":"8.0.2"}"#, as: "b.json")
        #expect(try host.once().code == 6)
        #expect(try state() == "pendingApproval")
        let message = try #require(try host.job(1)["message"] as? String)
        #expect(message.contains("SEED: upToDate instead of pending"), "\(message)")
        #expect(try version("PAIE") == "8.0.1")
        _ = try host.ask(#"{"command":"approve","job":1}"#)
        #expect(try state() == "done" && version("PAIE") == "8.0.2")
    }

    @Test func `begins by itself when its endpoint asks for approval no more`() throws {
        #expect(try drop() == 6)
        try host.configure("payroll")
        #expect(try host.once().code == 0)
        #expect(try state() == "done")
    }

    @Test func `puts nothing back before it is approved, though it corrects a job that failed`() throws {
        #expect(try drop(script: "test \"$PATCHD_FOLDER\" != SEED\n") == 6)
        _ = try host.ask(#"{"command":"approve","job":1}"#)
        #expect(try state() == "failed")
        let before = try host.picture(withTimes: false)
        #expect(try drop() == 6)
        #expect(try state(2) == "pendingApproval")
        #expect(try host.picture() == before)
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        _ = try host.ask(#"{"command":"approve","job":2}"#)
        #expect(try state(2) == "done" && version("SEED") == "8.0.2")
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    @Test func `is approved once, with what was approved, when the daemon is killed at each next fault point`() throws {
        #expect(try drop() == 6)
        try host.request(
            #"{"command":"approve","job":1,"options":{"exclude":["SEED","SEED2","SEEDPROD"]}}"#, as: "a.json")
        let order = "patchd:kill:next:\(host.root)/next"
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        var starts = 0
        while outcome.code == 128 + SIGKILL, starts < 1000 {
            outcome = try host.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
            let approval = try host.job(1)["approval"] as? [String: Any]
            #expect(!host.exists("spool/requests/done/a.json") || approval?["by"] != nil, "answered, so durable")
        }
        #expect(outcome.code == 0 && starts > 10, "\(outcome.errors)")
        #expect(try state() == "done" && version("PAIE") == "8.0.2" && version("SEED") == "8.0.1")
        #expect(try audit().count { $0["command"] as? String == "approve" } == 1)
    }

    @Test func `is approved and waited for with patchctl`() throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
        #expect(try host.run("patchctl", "submit", "\(host.root)/update.zip", "--wait").code == 6)
        #expect(try host.run("patchctl", "approve", "1", "--sha256", "ab").code == 4)
        #expect(try host.run("patchctl", "approve", "1", "--exclude", "NONE").code == 4)
        #expect(try host.run("patchctl", "approve", "1", "--only", "SEEDPROD2").code == 1)
        let approved = try host.run("patchctl", "approve", "1", "--exclude", "SEED")
        #expect(approved.code == 0, "\(approved.errors)")
        #expect(host.until("done") { (try? state()) == "done" })
        #expect(try host.run("patchctl", "decline", "1").code == 1)
    }

    @Test func `loses with patchctl the options that it was submitted with`() throws {
        #expect(try drop(options: #"{"exclude":["SEED"],"force":true}"#) == 6)
        #expect(try drop("8.0.3", "8.0.1", options: #"{"only":["PAIE"]}"#) == 6)
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        #expect(try host.run("patchctl", "approve", "1", "--no-exclude", "--exclude", "SEED").code == 2)
        let approved = try host.run("patchctl", "approve", "1", "--no-exclude", "--no-force")
        #expect(approved.code == 0, "\(approved.errors)")
        #expect(host.until("done") { (try? state()) == "done" })
        #expect(try version("SEED") == "8.0.2")
        let options = try host.job(1)["options"] as? [String: Any]
        #expect(options?["force"] as? Bool == false)
        #expect(try host.run("patchctl", "approve", "2", "--no-only").code == 0)
        #expect(host.until("done") { (try? state(2)) == "done" })
        #expect(try version("SEED") == "8.0.3")
    }

    @Test(.enabled(if: geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")))
    func `is approved by a user of the group, and by nobody else`() throws {
        #expect(try drop() == 6)
        // In place of group patchd, which a host may lack.
        #expect(
            chown("\(host.root)/spool/requests", 0, 65534) == 0
                && chown("\(host.root)/spool/requests/done", 0, 65534) == 0)
        // The build may lie in a directory that others cannot enter.
        try FileManager.default.copyItem(atPath: host.program("patchctl"), toPath: "\(host.root)/patchctl")
        func approve(approvers: String) throws -> Installation.Outcome {
            try host.write("approvers: \(approvers)\n", "etc/patchd.yaml")
            let daemon = try host.start()
            defer {
                daemon.terminate()
                daemon.waitUntilExit()
            }
            let command = ["\(host.root)/patchctl", "approve", "1"]
            return try Installation.run(
                "/usr/bin/setpriv",
                ["--reuid=65534", "--regid=65534", "--clear-groups"] + command
                    + host.places(for: command))
        }
        let refused = try approve(approvers: "root")
        #expect(refused.code == 4 && refused.errors.contains("adduser nobody root"), "\(refused.errors)")
        #expect(try state() == "pendingApproval")
        let approved = try approve(approvers: "nogroup")
        #expect(approved.code == 0, "\(approved.errors)")
        try host.once()
        #expect(try state() == "done")
        #expect(try audit().last { $0["command"] as? String == "approve" }?["user"] as? String == "nobody")
    }
}
