import Foundation
import Support
import Testing

@Suite struct `A hold` {
    private func job(_ host: Installation, _ number: Int = 1) -> [String: Any] {
        (try? host.json("state/jobs/\(number)/job.json")) ?? [:]
    }

    private func state(_ host: Installation, _ number: Int = 1) -> String? { job(host, number)["state"] as? String }

    private func waitingFor(_ host: Installation, _ number: Int = 1) -> String {
        job(host, number)["waitingFor"] as? String ?? ""
    }

    private func hold(_ name: String, _ text: String = "", _ host: Installation) throws {
        try FileManager.default.createDirectory(atPath: "\(host.root)/spool/holds", withIntermediateDirectories: true)
        try host.write(text, "spool/.hold")
        rename("\(host.root)/spool/.hold", "\(host.root)/spool/holds/\(name)")
    }

    private func release(_ name: String, _ host: Installation) throws {
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/holds/\(name)")
    }

    private func drop(_ host: Installation) throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    @Test(arguments: ["ALL.lock", "payroll.lock", "payroll.PAIE.lock", "payroll.SEEDPROD2.lock"])
    func `on a folder or what is below or above it makes a job wait, and never fail`(name: String) throws {
        let host = try Installation()
        try hold(name, "year's end\u{1B}[31m closing\nuntil it is over\n", host)
        try drop(host)
        #expect(try host.once().code == 5)
        #expect(state(host) == "waiting")
        let target = name.dropLast(5).replacing(".", with: "/")
        #expect(waitingFor(host).contains("the hold on \(target) by "))
        #expect(waitingFor(host).contains("(year's end[31m closing until it is over)"))
        #expect(waitingFor(host).hasSuffix("patchctl unhold \(target)"))
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n" && !host.exists("srv/SEED/update.lock"))
        let shown = try host.run("patchctl", "status")
        #expect(shown.output.contains("the hold on \(target)"), "\(shown)")
        try release(name, host)
        #expect(try host.once().code == 0)
        #expect(state(host) == "done")
    }

    @Test(arguments: ["other.lock", "payroll.OTHER.lock", "payroll", "payroll.lock.txt", "a.b.c.lock", "all.lock"])
    func `on something else keeps nobody away`(name: String) throws {
        let host = try Installation()
        try hold(name, "", host)
        try drop(host)
        #expect(try host.once().code == 0)
    }

    @Test func `on a sibling keeps nobody from a job that leaves it out, unless it is below what is raised`() throws {
        let host = try Installation()
        try hold("payroll.SEED2.lock", "", host)
        try drop(host)
        try host.write(#"{"exclude":["SEED2"]}"#, "spool/incoming/update.zip.json")
        // SEED2 would be behind PAIE, and locked.
        #expect(try host.once().code == 5)
        try release("payroll.SEED2.lock", host)
        #expect(try host.once().code == 0)
        try hold("payroll.SEED.lock", "", host)
        try drop(host)
        try host.write(#"{"only":["SEED2"]}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 0, "SEED is none of its business")
        #expect(state(host, 2) == "done")
    }

    /// The job was let in and put back at once, without end: only the second look saw the hold.
    @Test func `on a folder that is locked for another reason keeps no job from its sibling`() throws {
        let host = try Installation()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEED\n"
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.write(#"{"exclude":["SEED2"]}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 1)
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        #expect(try host.json("srv/SEED2/update.lock")["phase"] as? String == "behind")
        try hold("payroll.SEED.lock", "", host)
        try hold("payroll.SEED2.lock", "", host)
        try host.write(#"{"command":"rollback","target":"payroll/SEEDPROD"}"#, "spool/requests/a.json")
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("taken back") { state(host, 2) == "done" }, "\(daemon.errors)")
        // What is behind is brought up, whatever holds its sibling.
        for (name, request) in [
            ("b.json", #"{"command":"resume","job":1,"skip":["SEED"]}"#),
            ("c.json", #"{"command":"catchup","endpoint":"payroll","folder":"SEEDPROD"}"#),
        ] {
            try host.write(request, "spool/requests/.r")
            rename("\(host.root)/spool/requests/.r", "\(host.root)/spool/requests/\(name)")
            #expect(host.until("answered") { host.exists("spool/requests/done/\(name)") })
            let answer = try host.json("spool/requests/done/\(name)")
            #expect(answer["ok"] as? Bool == true, "\(answer)")
        }
        #expect(host.until("brought up") { state(host, 3) == "done" }, "\(job(host, 3)) \(daemon.errors)")
    }

    @Test func `does not concern a test, and keeps those that came later in their places`() throws {
        let host = try Installation()
        try hold("payroll.lock", "", host)
        try drop(host)
        #expect(try host.once().code == 5)
        try drop(host)
        try host.write(#"{"operation":"test"}"#, "spool/incoming/update.zip.json")
        #expect(try host.once().code == 5)
        #expect(state(host, 2) == "done")
        try drop(host)
        #expect(try host.once().code == 5)
        #expect(waitingFor(host, 3) == "job 1, which waits itself")
        let answer = try host.ask(#"{"command":"cancel","job":1}"#)
        #expect(answer["ok"] as? Bool == true)
        #expect(state(host) == "cancelled")
        #expect(try host.job(1)["waitingFor"] as? String ?? "" == "")
        #expect(waitingFor(host, 3).contains("the hold on payroll"))
    }

    @Test func `ends for a daemon that runs when it is removed, when its time is over, and with its process`() throws {
        let host = try Installation()
        let sleeper = Process()
        sleeper.executableURL = URL(fileURLWithPath: "/usr/bin/sleep")
        sleeper.arguments = ["1000"]
        try sleeper.run()
        // A child of Foundation's inherits blocked signals.
        defer { kill(sleeper.processIdentifier, SIGKILL) }
        try hold("ALL.lock", "", host)
        let soon = Date().addingTimeInterval(3).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        try hold("payroll.lock", "dump\nuntil: \(soon)\n", host)
        try hold("payroll.SEED.lock", "pid: \(sleeper.processIdentifier)\n", host)
        let daemon = try host.start()
        defer { daemon.terminate() }
        try drop(host)
        #expect(host.until("all is held") { waitingFor(host).contains("hold on ALL") })
        try release("ALL.lock", host)
        #expect(host.until("the next") { waitingFor(host).contains("by ") && !waitingFor(host).contains("ALL") })
        #expect(host.until("the time is over") { !host.exists("spool/holds/payroll.lock") })
        #expect(host.until("the process") { waitingFor(host).contains("ends with process") })
        kill(sleeper.processIdentifier, SIGKILL)
        #expect(host.until("done") { state(host) == "done" })
        #expect(!host.exists("spool/holds/payroll.SEED.lock"))
    }

    @Test func `of a process that is younger than its file is over: the number was given again`() throws {
        let host = try Installation()
        try hold("payroll.lock", "pid: \(ProcessInfo.processInfo.processIdentifier)\n", host)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
            ofItemAtPath: "\(host.root)/spool/holds/payroll.lock")
        try drop(host)
        #expect(try host.once().code == 0)
        #expect(!host.exists("spool/holds/payroll.lock"))
    }

    @Test func `that comes in the lead time makes patchd take its locks back, and the job goes on afterwards`() throws {
        let host = try Installation(settings: "leadTime: 2s\n")
        try drop(host)
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("announced") { host.exists("srv/SEEDPROD2/update.lock") })
        try hold("payroll.SEEDPROD.lock", "", host)
        #expect(host.until("waits") { state(host) == "waiting" })
        #expect(host.until("free") { host.folders.allSatisfy { !host.exists("srv/\($0)/update.lock") } })
        #expect(job(host)["announcedAt"] == nil && job(host)["waitingSince"] != nil)
        #expect(try host.read("srv/PAIE/lib/a.dat") == "old\n")
        // Whatever was planned then is planned again.
        try host.write("other\n", "srv/SEED/lib/a.dat")
        try release("payroll.SEEDPROD.lock", host)
        #expect(host.until("done") { state(host) == "done" })
        #expect(try host.read("srv/SEED/lib/a.dat") != "other\n")
    }

    @Test func `does not stop what has begun: neither after a kill nor a revert`() throws {
        let host = try Installation(settings: "onFailure: revert\n")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "touch running; while [ ! -e \(host.root)/go ]; do sleep 0.02; done; test $PATCHD_FOLDER != SEEDPROD2\n"
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "echo back >>back\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        #expect(host.until("the first script") { host.exists("srv/PAIE/running") })
        try hold("ALL.lock", "", host)
        kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
        try host.write("", "go")
        #expect(try host.once().code == 1)
        #expect(state(host) == "failed", "\(job(host))")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.1")
    }

    @Test func `of a process inside that does not leave is as good: the job waits, and names it`() throws {
        let host = try Installation(settings: "grace: 0s\n")
        try drop(host)
        let stubborn = Process()
        stubborn.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        stubborn.arguments = ["--no-fork", "-s", "\(host.root)/srv/SEED", "sleep", "1000"]
        try stubborn.run()
        defer { kill(stubborn.processIdentifier, SIGKILL) }
        #expect(
            host.until("it is inside") {
                (try? Installation.run("/usr/bin/flock", ["-n", "-x", "\(host.root)/srv/SEED", "true"]).code) == 1
            })
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("asked to leave") { host.exists("srv/SEED/update.lock") })
        #expect(host.until("waits") { state(host) == "waiting" })
        #expect(waitingFor(host).contains("sleep (pid \(stubborn.processIdentifier))"))
        #expect(waitingFor(host).contains("to leave payroll/SEED"))
        #expect(host.until("free") { host.folders.allSatisfy { !host.exists("srv/\($0)/update.lock") } })
        kill(stubborn.processIdentifier, SIGKILL)
        #expect(host.until("done") { state(host) == "done" })
    }

    @Test(.enabled(if: geteuid() == 0, "files of other users need root"))
    func `counts only when it comes from somebody who has a say`() throws {
        let host = try Installation()
        let nobody: uid_t = 65534
        for name in ["ALL.lock", "payroll.lock", "payroll.SEED.lock"] {
            try hold(name, "", host)
            chown("\(host.root)/spool/holds/\(name)", nobody, nobody)
        }
        // Neither does a second name of root's file.
        try host.write("", "spool/holds/own")
        link("\(host.root)/spool/holds/own", "\(host.root)/spool/holds/payroll.PAIE.lock")
        symlink("/dev/null", "\(host.root)/spool/holds/payroll.SEED2.lock")
        mkfifo("\(host.root)/spool/holds/payroll.SEEDPROD.lock", 0o666)
        try drop(host)
        let outcome = try host.once()
        #expect(outcome.code == 0)
        for name in ["ALL", "payroll", "payroll.SEED", "payroll.PAIE", "payroll.SEED2", "payroll.SEEDPROD"] {
            #expect(outcome.errors.contains("holds/\(name).lock does not count"), "\(outcome.errors)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "other users need root"))
    func `is no stranger's to have: who only can read a folder keeps nobody from it by staying inside`() throws {
        let host = try Installation(settings: "grace: 0s\n")
        try drop(host)
        let stranger = Process()
        stranger.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        stranger.arguments = [
            "--reuid=65534", "--regid=65534", "--clear-groups", "flock", "--no-fork", "-s", "\(host.root)/srv/SEED",
            "sleep", "1000",
        ]
        try stranger.run()
        defer { kill(stranger.processIdentifier, SIGKILL) }
        #expect(
            host.until("it is inside") {
                (try? Installation.run("/usr/bin/flock", ["-n", "-x", "\(host.root)/srv/SEED", "true"]).code) == 1
            })
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("is updated though sleep (pid \(stranger.processIdentifier))"), "\(outcome.errors)")
    }
}
