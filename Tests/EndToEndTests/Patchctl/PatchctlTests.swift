import Foundation
import Support
import Testing

@Suite struct `patchctl` {
    let host: Installation

    init() throws { host = try Installation() }

    private func pack(_ update: ExampleUpdate = ExampleUpdate()) throws -> String {
        let path = "\(host.root)/update.zip"
        try update.pack(to: path)
        return path
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `plans without a daemon and touches nothing`() throws {
        let file = try pack()
        let before = try host.picture(withTimes: true)
        let outcome = try host.run("patchctl", "plan", file, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let endpoints = try #require(try object(outcome.output)["endpoints"] as? [[String: Any]])
        let folders = try #require(endpoints.first?["folders"] as? [[String: Any]])
        #expect(folders.map { $0["folder"] as? String } == host.folders)
        let steps = try #require(folders.first?["steps"] as? [[String: Any]])
        #expect(steps.contains { $0["kind"] as? String == "script" && $0["path"] as? String == "8.0.2.sh" })
        #expect(try host.picture(withTimes: true) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state").isEmpty)
    }

    @Test func `submits, and shows what became of it`() throws {
        let submitted = try host.run("patchctl", "submit", try pack())
        #expect(submitted.code == 69, "\(submitted.errors)")
        try host.once()
        let status = try host.run("patchctl", "status")
        #expect(status.code == 0)
        #expect(status.output.contains("SEEDPROD2") && status.output.contains("8.0.2"))
        #expect(!status.output.contains("\u{1b}"), "no colour where there is no terminal")
        let shown = try object(try host.run("patchctl", "show", "1", "--json").output)
        #expect(shown["state"] as? String == "done")
        let jobs = try object(try host.run("patchctl", "jobs", "--json").output)
        #expect((jobs["jobs"] as? [Any])?.count == 1)
        #expect(try host.run("patchctl", "trace", "1", "SEED").output.contains("SEED from 8.0.1 to 8.0.2"))
        let history = try object(try host.run("patchctl", "history", "--json").output)
        let folders = try #require(history["folders"] as? [[String: Any]])
        #expect(folders.allSatisfy { ($0["entries"] as? [Any])?.count == 1 })
        let report = try object(try host.run("patchctl", "status", "--json").output)
        let endpoints = try #require(report["endpoints"] as? [[String: Any]])
        let parents = try #require(endpoints.first?["folders"] as? [[String: Any]]).map { $0["parent"] as? String }
        #expect(Set(parents) == [nil, "PAIE", "SEEDPROD"])
    }

    @Test func `says what is wrong with what it is given, once and in words`() throws {
        let directory = try host.run("patchctl", "submit", "\(host.root)/srv")
        #expect(directory.code == 4 && directory.errors.contains("there is no archive"), "\(directory.errors)")
        #expect(!directory.errors.contains("Invalid argument"))
        let unknown = try host.run("patchctl", "status", "nope")
        #expect(unknown.code == 1 && unknown.errors.contains("there is no folder \"nope\""), "\(unknown.errors)")
        #expect(try host.run("patchctl", "status", "payroll").output.contains("not loaded yet"))
    }

    @Test func `finds every key of a state and a job, also where nothing is known yet`() throws {
        try host.once()
        let state = try host.json("state/endpoints/payroll/SEED.json")
        #expect(state["previousVersion"] is NSNull && state["recommendedVersion"] is NSNull)
        _ = try host.run("patchctl", "submit", try pack())
        try host.write("", "spool/holds/ALL.lock")
        #expect(try host.once().code == 5)
        let job = try object(try host.run("patchctl", "show", "1", "--json").output)
        #expect(job["startedAt"] is NSNull && job["finishedAt"] is NSNull)
    }

    @Test func `names what lacks a version, and lets the job go on once an admin has said what it is`() throws {
        let path = "etc/endpoints.d/payroll.yaml"
        try host.write(host.read(path).replacing("version: 8.0.1, ", with: ""), path)
        _ = try host.run("patchctl", "submit", try pack())
        #expect(try host.once().code == 1)
        let job = try host.job(1)
        #expect(job["state"] as? String == "failed" && job["code"] as? String == "dependency")
        #expect(try #require(job["message"] as? String).contains("patchctl baseline payroll/"))
        for folder in host.folders {
            let answer = try host.ask(#"{"command":"baseline","target":"payroll/\#(folder)","version":"8.0.1"}"#)
            #expect(answer["ok"] as? Bool == true, "\(answer)")
        }
        _ = try host.ask(#"{"command":"resume","job":1}"#)
        #expect(try host.job(1)["state"] as? String == "done")
    }

    @Test func `tests in its turn, so that no number of tests keeps an update waiting`() throws {
        let file = try pack()
        _ = try host.run("patchctl", "submit", file)
        try host.write("", "spool/holds/ALL.lock")
        #expect(try host.once().code == 5)
        try FileManager.default.copyItem(atPath: file, toPath: "\(host.root)/spool/incoming/t.zip")
        try host.write(#"{"operation":"test"}"#, "spool/incoming/t.zip.json")
        #expect(try host.once().code == 5)
        #expect(try host.job(2)["state"] as? String == "done", "holds do not concern it")
        try FileManager.default.copyItem(atPath: file, toPath: "\(host.root)/spool/incoming/t.zip")
        try host.write(#"{"operation":"test"}"#, "spool/incoming/t.zip.json")
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/holds/ALL.lock")
        try host.once()
        let (end, begin) = (try host.job(1)["finishedAt"] as? String, try host.job(3)["startedAt"] as? String)
        #expect(try #require(end) < #require(begin))
    }

    @Test func `shows which folders are left out`() throws {
        let path = "etc/endpoints.d/payroll.yaml"
        try host.write(
            host.read(path).replacing("{name: SEED2, parent: PAIE", with: "{name: SEED2, parent: PAIE, active: false"),
            path)
        try host.once()
        let rows = try host.run("patchctl", "status").output.split(separator: "\n")
        #expect(rows.filter { $0.contains("(inactive)") }.count == 1)
        #expect(rows.contains { $0.contains("SEED2") && $0.contains("(inactive)") })
    }

    @Test(arguments: ["unpack", "survey"])
    func `and the worker take the same directories`(phase: String) throws {
        let places = host.placed([phase]).filter { $0 != "--without-systemd" }
        let outcome = try Installation.run(host.program("patchd-worker"), places)
        #expect(outcome.code != 64, "\(outcome.errors)")
    }

    @Test func `prints a job's plan as a plan is printed, also after the job has ended`() throws {
        _ = try host.run("patchctl", "submit", try pack())
        #expect(try host.once().code == 0)
        let plan = try object(try host.run("patchctl", "show", "1", "--plan", "--json").output)
        #expect(plan["update"] as? String == "X3V8_P2" && plan["version"] as? String == "8.0.2")
        let endpoint = try #require((plan["endpoints"] as? [[String: Any]])?.first)
        let folder = try #require((endpoint["folders"] as? [[String: Any]])?.first)
        let steps = try #require(folder["steps"] as? [[String: Any]])
        #expect(!steps.isEmpty && steps.allSatisfy { $0["kind"] is String && $0["path"] is String })
        let text = try host.run("patchctl", "show", "1", "--plan").output
        #expect(text.hasPrefix("X3V8_P2 8.0.2\n"), "\(text)")
        #expect(try host.run("patchctl", "show", "1", "--plan", "--notes").code == 2)
    }

    @Test func `says that the notes of an archive are gone with it`() throws {
        _ = try host.run("patchctl", "submit", try pack())
        #expect(try host.once().code == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives") {
            try FileManager.default.removeItem(atPath: "\(host.root)/state/archives/\(name)")
        }
        let notes = try host.run("patchctl", "show", "1", "--notes")
        #expect(notes.code == 1 && notes.errors.contains("no longer kept"), "\(notes.errors)")
    }

    @Test func `lets a failed job go on`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test -e fixed\n"
        _ = try host.run("patchctl", "submit", try pack(update))
        #expect(try host.once().code == 1)
        let failed = try host.run("patchctl", "status")
        #expect(failed.output.contains("failed"))
        try host.write(#"{"command":"resume","job":1}"#, "spool/requests/go.json")
        for folder in host.folders { try host.write("", "srv/\(folder)/fixed") }
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.json("spool/requests/done/go.json")["ok"] as? Bool == true)
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
    }

    @Test func `does not wait for a daemon that is not there`() throws {
        try host.once()
        try ExampleUpdate().pack(to: "\(host.root)/u.zip")
        let outcome = try host.run("patchctl", "submit", "\(host.root)/u.zip", "--wait")
        #expect(outcome.code == 69, "\(outcome)")
        #expect(host.exists("spool/incoming/u.zip"), "the next one takes it")
    }

    @Test func `takes its request back when no daemon answers`() throws {
        try host.once()
        #expect(try host.run("patchctl", "resume", "1", "--timeout", "1s").code == 69)
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/requests")
        #expect(left == ["done"])
    }

    @Test func `lints a good update, and one that is none`() throws {
        let good = try host.run("patchctl", "lint", try pack(), "--json")
        #expect(good.code == 0)
        #expect(try object(good.output)["ok"] as? Bool == true)
        let update = try #require(try object(good.output)["update"] as? [String: Any])
        #expect(update["version"] as? String == "8.0.2")
        #expect(update["dependency"] as? String == "8.0.1")
        #expect(update["endpoints"] as? [String] == ["payroll"])
        let patches = try #require(update["patches"] as? [[String: Any]])
        #expect(patches.first?["default"] as? Bool == true)
        #expect(patches.first?["mandatory"] is Bool)
        try host.write("PK", "bad.zip")
        let bad = try host.run("patchctl", "lint", "\(host.root)/bad.zip", "--json")
        #expect(bad.code == 4)
        let findings = try #require(try object(bad.output)["findings"] as? [[String: Any]])
        #expect(findings.first?["level"] as? String == "error")
        #expect(try object(bad.output)["update"] == nil)
    }

    @Test(arguments: [
        (["compare-versions", "0.9.10", "gt", "0.9.9"], 0), (["compare-versions", "1.0~a", "ge", "1.0"], 1),
        (["compare-versions", "1.0", "about", "1.0"], 2), (["nonsense"], 2), (["config", "check"], 0),
        (["show", "77"], 1),
    ])
    func `answers with the contract's exit codes`(arguments: [String], code: Int) throws {
        // compare-versions and config check need no state; show of an unknown job fails.
        try host.once()
        let outcome = try Installation.run(host.program("patchctl"), arguments + host.places(for: arguments))
        #expect(Int(outcome.code) == code, "\(outcome.errors)")
    }

    @Test func `names file, line and a suggestion for a misspelt key`() throws {
        try host.configure("payroll", settings: "grce: 5s\n")
        let outcome = try host.run("patchctl", "config", "check")
        #expect(outcome.code == 4)
        #expect((outcome.errors + outcome.output).contains("endpoints.d/payroll.yaml:"))
        #expect((outcome.errors + outcome.output).contains("grace"))
    }
}
