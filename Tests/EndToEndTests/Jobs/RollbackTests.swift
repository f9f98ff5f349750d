import Foundation
import Support
import Testing

@Suite struct `A rollback` {
    let host: Installation

    init() throws { host = try Installation() }

    /// The example with a way back for its script.
    private func update(_ version: String = "8.0.2", _ dependency: String = "8.0.1") -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "X3V8_P2/FILPATCH/lib/a.dat": "new a \(version)\n", "X3V8_P2/FILPATCH/lib/\(version).dat": "only here\n",
            "X3V8_P2/FILPATCH/upgrades/\(version).sh": "echo up \(version) >> log\n",
            "X3V8_P2/FILPATCH/downgrades/\(version).sh": "echo down \(version) >> log\n",
            "X3V8_P2BIS/FILPATCH/bis.dat": "bis \(version)\n",
        ]
        return update
    }

    private func apply(_ update: ExampleUpdate, options: String? = nil) throws -> Int32 {
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func ask(_ request: String) throws -> [String: Any] { try host.ask(request) }

    private func version(_ folder: String) throws -> String? {
        try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String
    }

    private func picture() throws -> [String] { try host.picture().filter { !$0.contains("/log ") } }

    @Test func `of a job brings all files, versions and states back, deepest first, by the downgrades`() throws {
        let before = try picture()
        #expect(try apply(update()) == 0)
        let answer = try ask("{\"command\": \"rollback\", \"job\": 1}")
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.json("state/jobs/2/job.json")["state"] as? String == "done")
        #expect(try picture() == before)
        for folder in host.folders {
            #expect(try version(folder) == "8.0.1")
            #expect(try host.read("srv/\(folder)/log") == "up 8.0.2\ndown 8.0.2\n")
            #expect(!host.exists("srv/\(folder)/update.lock"))
            let state = try host.json("state/endpoints/payroll/\(folder).json")
            #expect(state["status"] as? String == "current" && state["update"] as? String == "")
        }
        let history = try host.read("state/endpoints/payroll/SEED.history.jsonl").split(separator: "\n")
        #expect(history.count == 2 && history[1].contains("\"rollback\""))
        // And forward again.
        #expect(try apply(update()) == 0)
        #expect(try version("SEEDPROD2") == "8.0.2")
    }

    /// The state said 8.0.1 then, with what 8.0.2 had brought still there.
    @Test(arguments: [false, true])
    func `of a patch that was brought later takes back that patch, and leaves the version`(isAutomatic: Bool) throws {
        if isAutomatic { try host.configure("payroll", settings: "onFailure: revert\n") }
        var update = update()
        update.files["X3V8_P2BIS/FILPATCH/upgrades/8.0.2.sh"] =
            "echo bis $PATCHD_FROM $PATCHD_TO >> log\n\(isAutomatic ? "false\n" : "")"
        update.files["X3V8_P2BIS/FILPATCH/downgrades/8.0.2.sh"] = "echo no bis $PATCHD_FROM $PATCHD_TO >> log\n"
        #expect(try apply(update, options: #"{"patches": {"X3V8_P2BIS": false}}"#) == 0)
        let before = try picture()
        #expect(try apply(update) == (isAutomatic ? 1 : 0))
        if !isAutomatic {
            #expect(try host.read("srv/SEED/bis.dat") == "bis 8.0.2\n")
            #expect(try ask("{\"command\": \"rollback\", \"job\": 2}")["ok"] as? Bool == true)
        }
        #expect(try picture() == before)
        #expect(try host.read("srv/PAIE/log") == "up 8.0.2\nbis 8.0.1 8.0.2\nno bis 8.0.2 8.0.1\n")
        let state = try host.json("state/endpoints/payroll/PAIE.json")
        #expect(state["version"] as? String == "8.0.2")
        #expect((state["patches"] as? [String: Bool])?["X3V8_P2BIS"] == false)
        #expect(try ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        #expect(try version("SEED") == "8.0.1")
    }

    @Test func `brings back a file that had given way to a directory with others in it`() throws {
        try host.write("mine\n", "srv/PAIE/lib/8.0.2.dat")
        let before = try picture()
        var update = update()
        update.files["X3V8_P2/FILPATCH/lib/8.0.2.dat"] = nil
        update.files["X3V8_P2/FILPATCH/lib/8.0.2.dat/deep/deeper/a"] = "a\n"
        #expect(try apply(update) == 0)
        #expect(try host.read("srv/PAIE/lib/8.0.2.dat/deep/deeper/a") == "a\n")
        #expect(try ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        #expect(try picture() == before)
    }

    @Test func `of a folder takes those below along, keeps what was changed since, and leaves it behind its parent`()
        throws
    {
        #expect(try apply(update()) == 0)
        try host.write("changed by hand\n", "srv/SEEDPROD/lib/a.dat")
        let answer = try ask("{\"command\": \"rollback\", \"target\": \"payroll/SEEDPROD\"}")
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.folders.map(version) == ["8.0.2", "8.0.2", "8.0.2", "8.0.1", "8.0.1"])
        #expect(try host.read("srv/SEEDPROD/lib/a.dat") == "old\n")
        #expect(try host.read("srv/SEEDPROD/lib/a.dat.patchd-old") == "changed by hand\n")
        #expect(try host.json("srv/SEEDPROD/update.lock")["phase"] as? String == "behind")
        #expect(!host.exists("srv/SEED/update.lock"))
        // It catches up from the kept archive.
        let catchup = try ask("{\"command\": \"catchup\", \"endpoint\": \"payroll\", \"folder\": \"SEEDPROD\"}")
        #expect(catchup["ok"] as? Bool == true, "\(catchup)")
        #expect(try host.folders.map(version) == Array(repeating: "8.0.2", count: 5))
        #expect(!host.exists("srv/SEEDPROD2/update.lock"))
    }

    @Test func `is not needed for a catchup where an admin says that a folder lacks what it had`() throws {
        #expect(try apply(update()) == 0)
        let baseline = try ask(#"{"command": "baseline", "target": "payroll/SEED", "version": "8.0.1"}"#)
        #expect(baseline["ok"] as? Bool == true, "\(baseline)")
        #expect(host.exists("srv/SEED/update.lock"))
        let catchup = try ask(#"{"command": "catchup", "target": "payroll/SEED"}"#)
        #expect(catchup["ok"] as? Bool == true, "\(catchup)")
        #expect(try version("SEED") == "8.0.2")
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    @Test func `goes back over several jobs to a version`() throws {
        let before = try picture()
        #expect(try apply(update()) == 0)
        #expect(try apply(update("8.0.3", "8.0.2")) == 0)
        let wrong = try ask("{\"command\": \"rollback\", \"target\": \"payroll/PAIE\", \"to\": \"7.0\"}")
        #expect(wrong["ok"] as? Bool == false && wrong["code"] as? String == "missing")
        let answer = try ask("{\"command\": \"rollback\", \"target\": \"payroll/PAIE\", \"to\": \"8.0.1\"}")
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.folders.map(version) == Array(repeating: "8.0.1", count: 5))
        #expect(try host.read("srv/SEED/log") == "up 8.0.2\nup 8.0.3\ndown 8.0.3\ndown 8.0.2\n")
        #expect(try picture() == before)
    }

    @Test func `is refused where a later job is in the way, and names it`() throws {
        #expect(try apply(update(), options: "{\"exclude\": [\"SEED\"]}") == 0)
        #expect(try apply(update("8.0.3", "8.0.2"), options: "{\"only\": [\"SEEDPROD\"]}") == 1, "its parent lacks it")
        #expect(try host.json("state/jobs/2/job.json")["code"] as? String == "dependency")
        #expect(try apply(update("8.0.3", "8.0.2"), options: "{\"exclude\": [\"SEED\", \"SEED2\"]}") == 0)
        let answer = try ask("{\"command\": \"rollback\", \"job\": 1}")
        #expect(answer["code"] as? String == "dependency", "\(answer)")
        #expect((answer["message"] as? String)?.contains("raised SEEDPROD2") == true)
        #expect(try version("PAIE") == "8.0.3")
    }

    @Test func `is refused before anything is touched where a script has no way back`() throws {
        var update = update()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = nil
        #expect(try apply(update) == 0)
        let after = try host.picture(withTimes: true).filter { !$0.contains(".patchd") && !$0.hasPrefix("SEED ") }
        #expect(try ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        let job = try host.json("state/jobs/2/job.json")
        #expect(job["state"] as? String == "failed" && job["code"] as? String == "irreversible", "\(job)")
        #expect(try host.picture(withTimes: true).filter { !$0.contains(".patchd") && !$0.hasPrefix("SEED ") } == after)
        #expect(try version("SEED") == "8.0.2")
    }

    @Test func `is made once from a request, whenever the daemon is killed`() throws {
        #expect(try apply(update()) == 0)
        #expect(try apply(update("8.0.3", "8.0.2")) == 0)
        try host.write("{\"command\": \"rollback\", \"target\": \"payroll/SEEDPROD2\"}", "spool/requests/a.json")
        chmod("\(host.root)/spool/requests/a.json", 0o600)
        let order = ["PATCHD_FAULT_POINT": "patchd:kill:next:\(host.root)/next"]
        var starts = 0
        while try host.once(environment: order).code == 128 + SIGKILL, starts < 500 { starts += 1 }
        #expect(starts > 10)
        #expect(try host.json("spool/requests/done/a.json")["ok"] as? Bool == true)
        #expect(try host.json("state/jobs/3/job.json")["state"] as? String == "done")
        #expect(!host.exists("state/jobs/4"))
        #expect(try version("SEEDPROD2") == "8.0.2")
        let left = try FileManager.default.subpathsOfDirectory(atPath: host.root).filter { $0.hasSuffix(".tmp") }
        #expect(left.isEmpty)
    }

    @Test func `takes back a folder that failed, and the job holds it no more`() throws {
        var update = update()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "echo up >> log; test $PATCHD_FOLDER != SEEDPROD\n"
        #expect(try apply(update) == 1)
        #expect(try host.json("srv/SEEDPROD/update.lock")["phase"] as? String == "failed")
        #expect(try ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        #expect(try host.folders.map(version) == Array(repeating: "8.0.1", count: 5))
        #expect(try host.read("srv/SEEDPROD/lib/a.dat") == "old\n")
        #expect(!host.exists("srv/SEEDPROD/update.lock") && !host.exists("srv/SEEDPROD2/update.lock"))
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "failed")
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "true\n"
        #expect(try apply(update) == 0)
    }

    @Test func `is possible as long as the job is kept, and no longer`() throws {
        try host.write("retain: 2\n", "etc/patchd.yaml")
        for last in 2...5 { #expect(try apply(update("8.0.\(last)", "8.0.\(last - 1)")) == 0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives").count == 2)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/srv/SEED/.patchd/jobs").sorted()
                == ["3", "4"])
        #expect(
            try ask("{\"command\": \"rollback\", \"target\": \"payroll/PAIE\", \"to\": \"8.0.3\"}")["ok"] as? Bool
                == true)
        #expect(try version("SEED") == "8.0.3")
        #expect(try ask("{\"command\": \"rollback\", \"target\": \"payroll/PAIE\"}")["ok"] as? Bool == true)
        #expect(try host.json("state/jobs/6/job.json")["code"] as? String == "irreversible")
    }

    @Test func `is possible whatever was dropped since and changed nothing`() throws {
        try host.write("retain: 1\n", "etc/patchd.yaml")
        #expect(try apply(update()) == 0)
        #expect(try apply(update()) == 0, "all are up to date")
        var missing = update("8.0.3", "8.0.2")
        missing.files["X3V8_P2/FILPATCH/jobs.json"] = #"[["filecopy","lib/a.dat"],["replacedata","T"]]"#
        missing.files["X3V8_P2/FILPATCH/datafiles.json"] = #"{"T": {"files": ["lib/table.dat"]}}"#
        missing.files["X3V8_P2/FILPATCH/lib/table.dat"] = "no folder has it\n"
        #expect(try apply(missing) == 1, "its preflight fails")
        #expect(try host.job(3)["code"] as? String == "missing")
        #expect(try ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        #expect(try version("SEED") == "8.0.1")
    }
}

@Suite struct `A folder that fails` {
    private func failing(in folder: String, downgrade: Bool = true) -> ExampleUpdate {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "echo up >> log; test $PATCHD_FOLDER != \(folder) || test -e fixed\n"
        if downgrade { update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "echo down >> log\n" }
        return update
    }

    private func apply(_ host: Installation, _ update: ExampleUpdate) throws -> Int32 {
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func states(_ host: Installation, _ job: Int = 1) throws -> [String?] {
        let folders = try #require(try host.json("state/jobs/\(job)/job.json")["folders"] as? [String: [String: Any]])
        return host.folders.map { folders[$0]?["state"] as? String }
    }

    @Test func `is put back by itself with onFailure revert, and the others stay done`() throws {
        let host = try Installation(settings: "onFailure: revert\n")
        #expect(try apply(host, failing(in: "SEEDPROD")) == 1)
        #expect(try states(host) == ["done", "done", "done", "reverted", "blocked"])
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "script")
        #expect(try host.read("srv/SEEDPROD/lib/a.dat") == "old\n")
        #expect(try host.read("srv/SEEDPROD/log") == "up\ndown\n")
        #expect(try host.read("srv/SEED/lib/a.dat") == "new a\n")
        // Below its parent's version it is not fit for use.
        #expect(try host.json("srv/SEEDPROD/update.lock")["phase"] as? String == "behind")
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    @Test func `takes the whole job back with onFailure revertAll`() throws {
        let host = try Installation(settings: "onFailure: revertAll\n")
        let before = try host.picture()
        #expect(try apply(host, failing(in: "SEEDPROD2")) == 1)
        #expect(try states(host) == Array(repeating: "reverted", count: 5))
        #expect(try host.picture().filter { !$0.contains("/log ") } == before)
        for folder in host.folders {
            #expect(try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String == "8.0.1")
            #expect(!host.exists("srv/\(folder)/update.lock"))
        }
    }

    /// Folders that were done were free before the job was taken back: whoever worked there met the revert, and what he had
    /// written to the database went with it (model sequence 5100267).
    @Test func `keeps all folders locked with onFailure revertAll until nothing will be taken back any more`() throws {
        let host = try Installation(settings: "onFailure: revertAll\nhooks: {after: 'echo after >> hooks'}\n")
        var update = failing(in: "SEEDPROD2")
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.1.5.sh"] =
            "touch waiting; test $PATCHD_FOLDER != SEEDPROD2 || until [ -e \(host.root)/go ]; do sleep 0.05; done\n"
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.1.5.sh"] = "rm -f waiting\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let once = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        #expect(host.until("the last folder") { host.exists("srv/SEEDPROD2/waiting") })
        #expect(
            host.until("the others are done") { (try? states(host).prefix(4)) == ["done", "done", "done", "done"] })
        for folder in host.folders {
            #expect(try host.json("srv/\(folder)/update.lock")["phase"] as? String == "updating")
        }
        try host.write("", "go")
        #expect(once.end() == 1, "\(once.errors)")
        #expect(try states(host) == Array(repeating: "reverted", count: 5))
        for folder in host.folders {
            #expect(!host.exists("srv/\(folder)/update.lock") && !host.exists("srv/\(folder)/hooks"))
        }
        try host.write("", "srv/SEEDPROD2/fixed")
        #expect(try apply(host, update) == 0)
        for folder in host.folders {
            #expect(!host.exists("srv/\(folder)/update.lock"))
            #expect(try host.read("srv/\(folder)/hooks") == "after\n")
        }
    }

    /// What a job left, as it would have been had the daemon ended just before the job's end.
    private func takeBackTheEnd(_ host: Installation) throws {
        let job = try host.read("state/jobs/1/job.json")
        let open = job.replacingOccurrences(
            of: "\n  \"state\" : \"failed\"", with: "\n  \"state\" : \"running\"")
        try #require(open != job)
        try host.write(open, "state/jobs/1/job.json")
    }

    /// The job ended with the folder failed and locked (model sequence 8001119).
    @Test(arguments: ["revert", "revertAll"])
    func `is put back also when the daemon ended after the failure and before the revert`(action: String) throws {
        let host = try Installation()
        let before = try host.picture()
        #expect(try apply(host, failing(in: "PAIE")) == 1)
        try host.configure("payroll", settings: "onFailure: \(action)\n")
        try takeBackTheEnd(host)
        #expect(try host.once().code == 1)
        #expect(try states(host) == ["reverted", "blocked", "blocked", "blocked", "blocked"])
        #expect(try host.picture().filter { !$0.contains("/log ") } == before)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "script")
    }

    /// The job ended with some of its folders at the old version and some at the new one.
    @Test func `takes the rest back with revertAll when the daemon ended between two folders`() throws {
        let host = try Installation(settings: "onFailure: revert\n")
        let before = try host.picture()
        #expect(try apply(host, failing(in: "SEEDPROD")) == 1)
        #expect(try states(host) == ["done", "done", "done", "reverted", "blocked"])
        try host.configure("payroll", settings: "onFailure: revertAll\n")
        try takeBackTheEnd(host)
        #expect(try host.once().code == 1)
        #expect(try states(host) == ["reverted", "reverted", "reverted", "reverted", "blocked"])
        #expect(try host.picture().filter { !$0.contains("/log ") } == before)
    }

    @Test func `is refused beforehand where a revert would be impossible`() throws {
        let host = try Installation(settings: "onFailure: revert\n")
        #expect(try apply(host, failing(in: "SEED", downgrade: false)) == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "irreversible")
        #expect(try host.read("srv/PAIE/lib/a.dat") == "old\n")
    }

    @Test func `goes on behind a step that an admin has done, or is left as it is`() throws {
        let host = try Installation()
        #expect(try apply(host, failing(in: "SEED")) == 1)
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        try host.write("{\"command\": \"resume\", \"job\": 1, \"assumeDone\": \"nonsense\"}", "spool/requests/a.json")
        try host.once()
        #expect(try host.json("spool/requests/done/a.json")["code"] as? String == "missing")
        try host.write("{\"command\": \"resume\", \"job\": 1, \"assumeDone\": \"8.0.2.sh\"}", "spool/requests/b.json")
        #expect(try host.once().code == 0)
        #expect(try host.read("srv/SEED/log") == "up\n", "not run again")
        #expect(try states(host) == Array(repeating: "done", count: 5))

        let two = try Installation()
        #expect(try apply(two, failing(in: "SEED && test $PATCHD_FOLDER != SEED2")) == 1)
        try two.write("", "srv/SEED/fixed")
        try two.write("", "srv/SEED2/fixed")
        try two.write("{\"command\": \"resume\", \"job\": 1, \"skip\": [\"SEED2\"]}", "spool/requests/a.json")
        #expect(try two.once().code == 0)
        #expect(try states(two) == ["done", "done", "excluded", "done", "done"])

        let other = try Installation()
        #expect(try apply(other, failing(in: "SEEDPROD")) == 1)
        try other.write("{\"command\": \"resume\", \"job\": 1, \"skip\": [\"SEEDPROD\"]}", "spool/requests/a.json")
        #expect(try other.once().code == 0)
        #expect(try states(other) == ["done", "done", "done", "excluded", "excluded"])
        #expect(try other.json("srv/SEEDPROD/update.lock")["phase"] as? String == "behind")
    }

    @Test func `is no part of the job once it is left as it is: it is free while the job still waits`() throws {
        let host = try Installation(types: ["SEED": "test"])
        try host.write(#"{"only":["SEED"]}"#, "spool/incoming/update.zip.json")
        #expect(try apply(host, failing(in: "SEED")) == 1)
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        try host.write("", "spool/holds/payroll.lock")
        try host.write("{\"command\": \"resume\", \"job\": 1, \"skip\": [\"SEED\"]}", "spool/requests/a.json")
        #expect(try host.once().code == 5)
        #expect(try host.job(1)["state"] as? String == "waiting")
        #expect(!host.exists("srv/SEED/update.lock"))

        let two = try Installation()
        #expect(try apply(two, failing(in: "SEEDPROD")) == 1)
        try two.write("", "spool/holds/payroll.SEEDPROD2.lock")
        try two.write("", "spool/holds/payroll.lock")
        try two.write("{\"command\": \"resume\", \"job\": 1, \"skip\": [\"SEEDPROD\"]}", "spool/requests/a.json")
        #expect(try two.once().code == 5)
        for folder in ["SEEDPROD", "SEEDPROD2"] {
            #expect(try two.json("srv/\(folder)/update.lock")["phase"] as? String == "behind", "below what PAIE has")
            #expect(try two.json("state/endpoints/payroll/\(folder).json")["status"] as? String == "behind")
        }
        try FileManager.default.removeItem(atPath: "\(two.root)/spool/holds/payroll.lock")
        #expect(try two.once().code == 0, "who holds what was left out holds no job up")
    }

    @Test func `is put back and done again by a corrected archive, while any other update waits`() throws {
        let host = try Installation()
        #expect(try apply(host, failing(in: "SEED")) == 1)
        #expect(try apply(host, ExampleUpdate(version: "8.0.3", dependency: "8.0.2")) == 5)
        var corrected = failing(in: "nowhere")
        corrected.files["X3V8_P2/FILPATCH/lib/a.dat"] = "corrected\n"
        #expect(try apply(host, corrected) == 0)
        #expect(try host.read("srv/SEED/log").hasPrefix("up\ndown\nup\n"))
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "failed")
        #expect(try host.json("state/jobs/3/job.json")["state"] as? String == "done")
        #expect(try host.json("state/jobs/2/job.json")["state"] as? String == "done", "it waited for that")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.3")
    }

    @Test func `blocks also those below a folder between them that has the version already`() throws {
        let host = try Installation(settings: "onFailure: revertAll\n")
        // SEEDPROD runs at the version, PAIE and SEEDPROD2 below it do not.
        try host.write(
            try host.read("etc/endpoints.d/payroll.yaml").replacingOccurrences(
                of: "{name: SEEDPROD, ", with: "{name: SEEDPROD, version: 8.0.2, "
            ).replacingOccurrences(of: "{name: SEEDPROD2, ", with: "{name: SEEDPROD2, version: 8.0.1, "),
            "etc/endpoints.d/payroll.yaml")
        #expect(try apply(host, failing(in: "PAIE")) == 1)
        #expect(try states(host) == ["reverted", "blocked", "blocked", "upToDate", "blocked"])
        #expect(try host.read("srv/SEEDPROD2/lib/a.dat") == "old\n")
    }

    @Test func `gives the job its code, whatever was put back along with it`() throws {
        let host = try Installation(settings: "onFailure: revertAll\n")
        #expect(try apply(host, failing(in: "SEEDPROD2")) == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "script")
        // What was put back is for a new job: a later one may have raised the rest.
        try host.write("{\"command\": \"resume\", \"job\": 1}", "spool/requests/a.json")
        try host.once()
        #expect(try host.json("spool/requests/done/a.json")["code"] as? String == "wrongState")
    }

    @Test func `is free when a corrected archive has put it back and leaves it out`() throws {
        let host = try Installation()
        #expect(try apply(host, failing(in: "PAIE")) == 1)
        try host.write("{\"exclude\": [\"PAIE\"]}", "spool/incoming/update.zip.json")
        var corrected = failing(in: "nowhere")
        corrected.files["X3V8_P2/FILPATCH/lib/a.dat"] = "corrected\n"
        #expect(try apply(host, corrected) == 0)
        #expect(try states(host)[0] == "reverted")
        for folder in host.folders { #expect(!host.exists("srv/\(folder)/update.lock")) }
    }

    @Test func `needs no way back from the script that failed when a corrected archive brings another one`() throws {
        let host = try Installation()
        #expect(try apply(host, failing(in: "SEED", downgrade: false)) == 1)
        #expect(try apply(host, failing(in: "nowhere", downgrade: false)) == 0)
        #expect(try host.read("srv/SEED/log") == "up\nup\n")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
    }

    @Test func `stays as it is when a corrected archive cannot put it back`() throws {
        let host = try Installation()
        var update = failing(in: "SEED", downgrade: false)
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2~first.sh"] = "echo first >> log\n"
        #expect(try apply(host, update) == 1)
        let before = try host.read("srv/SEED/log")
        #expect(before == "first\nup\n")
        var corrected = failing(in: "nowhere")
        corrected.files["X3V8_P2/FILPATCH/lib/a.dat"] = "corrected\n"
        #expect(try apply(host, corrected) == 1)
        #expect(try host.json("state/jobs/2/job.json")["code"] as? String == "irreversible")
        #expect(try host.read("srv/SEED/log") == before)
        #expect(try states(host)[1] == "failed", "in the job that it failed in")
        #expect(try !host.read("state/endpoints/payroll/SEED.history.jsonl").contains("\"job\":2"))
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        try host.write("{\"command\": \"resume\", \"job\": 1, \"assumeDone\": \"8.0.2.sh\"}", "spool/requests/a.json")
        #expect(try host.once().code == 0)
        #expect(try host.read("srv/SEED/log") == before)
    }
}

@Suite struct `A job that is cancelled` {
    private func cancel(_ host: Installation) throws {
        try host.write("{\"command\": \"cancel\", \"job\": 1}", "spool/requests/.c")
        rename("\(host.root)/spool/requests/.c", "\(host.root)/spool/requests/c.json")
    }

    @Test func `in its lead time has touched nothing`() throws {
        let host = try Installation(settings: "leadTime: 1h\n")
        let before = try host.picture()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("announced") { host.exists("srv/SEEDPROD2/update.lock") })
        try cancel(host)
        #expect(host.until("over") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "cancelled" })
        #expect(try host.picture() == before)
    }

    @Test func `in mid-update ends its step, holds that folder, and leaves the others as they are`() throws {
        let host = try Installation()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "touch waiting; while [ ! -e go ]; do sleep 0.05; done; echo over > over\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("in mid-update") { host.exists("srv/PAIE/waiting") })
        #expect(
            host.until("progress is shown") {
                let folders = (try? host.json("state/jobs/1/job.json"))?["folders"] as? [String: [String: Any]]
                let progress = folders?["PAIE"]?["progress"] as? [String: Any]
                return progress?["step"] as? String == "script 8.0.2.sh" && (progress?["done"] as? Int ?? 0) > 3
                    && (progress?["done"] as? Int ?? 9) < (progress?["total"] as? Int ?? 0)
            })
        try cancel(host)
        #expect(host.until("answered") { host.exists("spool/requests/done/c.json") })
        try host.write("", "srv/PAIE/go")
        #expect(host.until("over") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "failed" })
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "cancelled")
        #expect(host.exists("srv/PAIE/over"), "the step under way was ended, not cut off")
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        for folder in host.folders { try host.write("", "srv/\(folder)/go") }
        try host.write("{\"command\": \"resume\", \"job\": 1}", "spool/requests/d.json")
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
    }

    /// They went back, too: a cancel is no failure.
    @Test func `leaves what is done also with revertAll`() throws {
        let host = try Installation(settings: "onFailure: revertAll\n")
        // All siblings at once, whatever number of CPUs there is.
        try host.write("workers: 8\n", "etc/patchd.yaml")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "[ $PATCHD_FOLDER = PAIE ] || { touch waiting; until [ -e \(host.root)/go ]; do sleep 0.05; done; }\n"
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "rm -f waiting\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("in mid-update") { host.exists("srv/SEED/waiting") }, "\(daemon.errors)")
        try cancel(host)
        #expect(host.until("answered") { host.exists("spool/requests/done/c.json") })
        try host.write("", "go")
        #expect(host.until("over") { (try? host.job(1)["state"] as? String) == "cancelled" }, "\(daemon.errors)")
        #expect(try host.json("state/endpoints/payroll/PAIE.json")["version"] as? String == "8.0.2")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.1")
        #expect(!host.exists("srv/PAIE/update.lock"))
    }
}

@Suite struct `patchctl verify` {
    @Test func `names the files that were changed or removed since patchd brought them`() throws {
        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(try host.run("patchctl", "verify").code == 0)
        try host.write("changed\n", "srv/SEED/lib/a.dat")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED2/top.dat")
        let outcome = try host.run("patchctl", "verify", "--json")
        #expect(outcome.code == 1)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        let folders = try #require(report["folders"] as? [[String: Any]])
        #expect(folders.first { $0["folder"] as? String == "SEED" }?["changed"] as? [String] == ["lib/a.dat"])
        #expect(folders.first { $0["folder"] as? String == "SEED2" }?["missing"] as? [String] == ["top.dat"])
        #expect(try host.run("patchctl", "verify", "payroll/PAIE").code == 0)
    }

    @Test func `compares also what came with jobs that can no longer be rolled back`() throws {
        let host = try Installation()
        try host.write("retain: 1\n", "etc/patchd.yaml")
        for (version, before) in [("8.0.2", "8.0.1"), ("8.0.3", "8.0.2"), ("8.0.4", "8.0.3")] {
            try ExampleUpdate(version: version, dependency: before).pack(
                to: "\(host.root)/spool/incoming/\(version).zip")
            #expect(try host.once().code == 0)
        }
        #expect(!host.exists("state/jobs/1/plan"), "its steps are gone")
        #expect(try host.run("patchctl", "verify").code == 0)
        try host.write("changed\n", "srv/SEED/lib/a.dat")
        let outcome = try host.run("patchctl", "verify")
        #expect(outcome.code == 1 && outcome.output.contains("changed  payroll/SEED  lib/a.dat"), "\(outcome.errors)")
    }
}
