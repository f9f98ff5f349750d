import Foundation
import Support
import Testing

/// SEED2, which is a test folder, goes first.
@Suite struct `A job with a canary` {
    private func host(_ settings: String = "canaryPause: 1h\n", canary: String = "SEED2") throws -> Installation {
        try Installation(settings: "canary: [\(canary)]\n\(settings)", types: ["SEED2": "test"])
    }

    private func drop(_ host: Installation, script: String = "echo ran >>runs\n") throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = script
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func state(_ host: Installation, _ job: Int = 1) -> String? { try? host.job(job)["state"] as? String }

    private func versions(_ host: Installation) throws -> [String: String] {
        try Dictionary(
            uniqueKeysWithValues: host.folders.map { folder in
                (folder, try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String ?? "")
            })
    }

    private func locks(_ host: Installation) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: host.folders.compactMap { folder in
                ((try? host.json("srv/\(folder)/update.lock"))?["phase"] as? String).map { (folder, $0) }
            })
    }

    @Test func `is left in the pause by --once, until an approver ends it or its time is over`() throws {
        let host = try host()
        try drop(host)
        #expect(try host.once().code == 5)
        let job = try host.job(1)
        #expect(job["state"] as? String == "waiting" && (job["waitingFor"] as? String)?.hasPrefix("canary ") == true)
        #expect(try versions(host)["SEED2"] == "8.0.2" && versions(host)["PAIE"] == "8.0.1" && locks(host).isEmpty)
        #expect(try host.read("srv/SEED2/runs") == "ran\n" && !host.exists("srv/SEED/runs"))
        #expect(try host.once().code == 5)
        #expect(try host.json("state/endpoints/payroll/SEED2.json")["diverged"] as? Bool == true)
        let shown = try host.run("patchctl", "show", "1")
        #expect(shown.output.contains("SEED2 first; the others follow after 1h"), "\(shown.output)")
        #expect(shown.errors.contains("patchctl approve 1") && shown.errors.contains("patchctl cancel 1"))
        let jobs = try host.run("patchctl", "jobs").output
        #expect(jobs.contains("for canary SEED2, until ") && jobs.contains("next: patchctl approve 1"), "\(jobs)")
        #expect(try host.run("patchctl", "status").output.contains("canary SEED2"))

        // As if it had begun long ago.
        let text = try host.read("state/jobs/1/job.json")
        let until = try #require((job["canary"] as? [String: Any])?["until"] as? String)
        try host.write(text.replacingOccurrences(of: until, with: "2020-01-01T00:00:00.000Z"), "state/jobs/1/job.json")
        #expect(try host.once().code == 0)
        #expect(state(host) == "done")
        #expect(Set(try versions(host).values) == ["8.0.2"])
        for folder in host.folders { #expect(try host.read("srv/\(folder)/runs") == "ran\n") }
    }

    @Test func `is shown by plan and test, which warn of who is locked in the pause`() throws {
        let host = try host(canary: "SEED")
        try drop(host)
        let file = "\(host.root)/update.zip"
        try FileManager.default.moveItem(atPath: "\(host.root)/spool/incoming/update.zip", toPath: file)
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        for command in ["plan", "test"] {
            let shown = try host.run("patchctl", command, file)
            #expect(shown.output.contains("canary: PAIE, SEED first; the others follow after 1h"), "\(shown.output)")
            #expect(shown.output.contains("SEED2, SEEDPROD, SEEDPROD2; with behind: usable"), "\(shown.output)")
        }
    }

    @Test func `waits for approval with 6, and is watched until somebody approves`() throws {
        let host = try host("canaryPause: approval\n")
        try drop(host)
        #expect(try host.once().code == 6)
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        let watch = Process()
        watch.executableURL = URL(fileURLWithPath: host.program("patchctl"))
        watch.arguments = host.placed(["watch", "1"])
        let output = Pipe()
        watch.standardOutput = output
        watch.standardError = FileHandle.nullDevice
        try watch.run()
        // It shows the pause and stays.
        var shown = ""
        while !shown.contains("waiting for canary SEED2") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            shown += String(decoding: more, as: UTF8.self)
        }
        #expect(watch.isRunning && shown.contains("waiting for canary SEED2, and an approval"), "\(shown)")
        let sum = try #require(try host.job(1)["sha256"] as? String)
        #expect(try host.run("patchctl", "approve", "1", "--sha256", "ab").code == 4)
        #expect(try host.run("patchctl", "approve", "1", "--exclude", "SEED").code == 4)
        #expect(try host.run("patchctl", "approve", "1", "--sha256", sum).code == 0)
        watch.waitUntilExit()
        #expect(watch.terminationStatus == 0 && state(host) == "done")
        #expect(try host.run("patchctl", "show", "1").output.contains("; approved by "))
    }

    @Test func `goes on by itself when its pause is over, in a daemon that reloads meanwhile`() throws {
        let host = try host("canaryPause: 2s\n")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        try drop(host)
        #expect(host.until("paused") { state(host) == "waiting" })
        let until = (try host.job(1)["canary"] as? [String: Any])?["until"] as? String
        try host.configure("payroll", settings: "canaryPause: approval\n", types: ["SEED2": "test"])
        kill(daemon.processIdentifier, SIGHUP)
        #expect(host.until("done") { state(host) == "done" })
        #expect((try host.job(1)["canary"] as? [String: Any])?["until"] as? String == until && until != nil)
        #expect(Set(try versions(host).values) == ["8.0.2"] && locks(host).isEmpty)
    }

    @Test func `waits on when its daemon is killed in the pause, and goes on at the time that was recorded`() throws {
        let host = try host("canaryPause: 2s\n")
        let daemon = try host.start()
        #expect(host.until("ready") { host.exists("spool/requests/done") })
        try drop(host)
        #expect(host.until("paused") { state(host) == "waiting" })
        kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
        let until = (try host.job(1)["canary"] as? [String: Any])?["until"] as? String
        #expect(try versions(host)["PAIE"] == "8.0.1")
        let next = try host.start()
        defer { next.terminate() }
        #expect(host.until("done") { state(host) == "done" })
        #expect((try host.job(1)["canary"] as? [String: Any])?["until"] as? String == until && until != nil)
        #expect(Set(try versions(host).values) == ["8.0.2"] && locks(host).isEmpty)
        for folder in host.folders { #expect(try host.read("srv/\(folder)/runs") == "ran\n") }
    }

    @Test func `ends as if undisturbed when daemon and worker are killed at each next fault point`() throws {
        let host = try host("canaryPause: 0s\n")
        try drop(host, script: "true\n")
        let order = ["patchd", "patchd-worker"].map { "\($0):kill:next:\(host.root)/next-\($0)" }.joined(separator: ",")
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        var starts = 0
        while outcome.code == 128 + SIGKILL, starts < 2000 {
            outcome = try host.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
        }
        #expect(outcome.code == 0 && starts > 20, "\(outcome.errors)")
        #expect(state(host) == "done" && locks(host).isEmpty)
        #expect(Set(try versions(host).values) == ["8.0.2"])
        for folder in host.folders {
            let history = try host.read("state/endpoints/payroll/\(folder).history.jsonl")
            #expect(history.split(separator: "\n").count == 1, "one job, one line")
        }
    }

    @Test func `waits until the same time when it is killed at each next fault point on its way into the pause`() throws
    {
        let host = try host()
        try drop(host, script: "true\n")
        let order = "patchd:kill:next:\(host.root)/next"
        var untils: Set<String> = []
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        var starts = 0
        while outcome.code == 128 + SIGKILL, starts < 2000 {
            outcome = try host.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
            if let until = (try? host.job(1)["canary"] as? [String: Any])?["until"] as? String { untils.insert(until) }
        }
        #expect(outcome.code == 5 && starts > 20 && untils.count == 1, "\(outcome.errors) \(untils)")
        #expect(state(host) == "waiting" && locks(host).isEmpty)
        #expect(try versions(host).filter { $0.value == "8.0.2" }.keys.sorted() == ["SEED2"])
        #expect(try host.ask(#"{"command":"approve","job":1}"#)["ok"] as? Bool == true)
        #expect(state(host) == "done")
    }

    @Test func `that breaks hurts one tenant of forty`() throws {
        let host = try Installation()
        let tenants = (1...40).map { "T\($0)" }
        for tenant in tenants {
            try FileManager.default.createDirectory(
                atPath: "\(host.root)/srv/\(tenant)", withIntermediateDirectories: true)
        }
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        let folders = tenants.map { "  - {name: \($0), parent: PAIE}\n" }.joined()
        try host.write(
            "endpoint: payroll\npath: \(host.root)/srv\n\(owner)canary: [T7]\nbehind: usable\nfolders:\n  - {name: PAIE, version: 8.0.1}\n\(folders)",
            "etc/endpoints.d/payroll.yaml")
        try drop(host, script: "[ \"$PATCHD_FOLDER\" = PAIE ] || [ ! -e ../break ]\n")
        try host.write("", "srv/break")
        #expect(try host.once().code == 1)
        let states = try host.job(1)["folders"] as? [String: [String: Any]] ?? [:]
        #expect(states.filter { $0.value["state"] as? String == "failed" }.keys.sorted() == ["T7"])
        #expect(states.filter { $0.value["state"] as? String == "pending" }.count == 39)
        #expect(tenants.filter { host.exists("srv/\($0)/update.lock") } == ["T7"])
        #expect(tenants.filter { host.exists("srv/\($0)/lib/a.dat") } == ["T7"])
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/break")
        #expect(try host.ask(#"{"command":"resume","job":1}"#)["ok"] as? Bool == true)
        #expect(state(host) == "done" && tenants.allSatisfy { !host.exists("srv/\($0)/update.lock") })
    }

    @Test func `is cancelled in the pause, and rolled back`() throws {
        let host = try host(canary: "SEED")
        try drop(host)
        #expect(try host.once().code == 5)
        #expect(locks(host) == ["SEED2": "behind", "SEEDPROD": "behind", "SEEDPROD2": "behind"])
        let answer = try host.ask(#"{"command":"cancel","job":1}"#)
        #expect((answer["message"] as? String)?.contains("patchctl rollback 1") == true, "\(answer)")
        #expect(state(host) == "cancelled")
        #expect(try host.ask(#"{"command":"rollback","job":1}"#)["ok"] as? Bool == true)
        #expect(Set(try versions(host).values) == ["8.0.1"] && locks(host).isEmpty)
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
    }
}
