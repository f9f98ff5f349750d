import Foundation
import Support
import Testing

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `A job whose state's disk is full` {
    let host: Installation

    init() throws {
        host = try Installation()
        let mounted = try Installation.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=8m", "none", "\(host.root)/state"])
        try #require(mounted.code == 0, "\(mounted.errors)")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "touch waiting; until [ -e \(host.root)/go ]; do sleep 0.05; done; echo ran >> ran\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    deinit { umount2("\(host.root)/state", Int32(MNT_DETACH)) }

    private func fill() { host.fill("state") }

    /// The daemon tried it again at once and without end, 34 times a second, with two lines in the journal each time.
    @Test func `continues once there is room, and fills no journal until then`() throws {
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("in mid-update") { host.exists("srv/PAIE/waiting") })
        fill()
        try host.write("", "go")
        #expect(host.until("told") { daemon.errors.contains("cannot end job 1") })
        #expect(host.exists("srv/PAIE/update.lock") && host.exists("srv/SEED/update.lock"))
        try FileManager.default.removeItem(atPath: "\(host.root)/state/fill")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        let lines = daemon.errors.split(separator: "\n").filter { $0.contains("cannot end job 1") }
        #expect(lines.count < 4, "\(lines.count)")
        #expect(daemon.errors.contains("fix this"))
        for folder in host.folders { #expect(try host.read("srv/\(folder)/ran") == "ran\n") }
    }

    @Test func `is left by a single run, and gone on with by the next`() throws {
        let first = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        #expect(host.until("in mid-update") { host.exists("srv/PAIE/waiting") })
        fill()
        try host.write("", "go")
        #expect(first.end() == 1, "\(first.errors)")
        #expect(host.exists("srv/PAIE/update.lock"))
        try FileManager.default.removeItem(atPath: "\(host.root)/state/fill")
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.2")
    }
}

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `A folder whose disk is full` {
    let host: Installation
    private var mount: String { "\(host.root)/srv/PAIE" }

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1", at: "\(host.root)/app.db")
        try host.sql("CREATE TABLE employee (name TEXT)", in: "app.db")
        let mounted = try Installation.run("/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "none", mount])
        try #require(mounted.code == 0, "\(mounted.errors)")
        try host.write("old\n", "srv/PAIE/lib/a.dat")
    }

    deinit { umount2(mount, Int32(MNT_DETACH)) }

    /// The lock has room for as much as was allocated beside it.
    @Test(arguments: ["x", "é", "😀", "\u{1}"])
    func `is given the lock of its failure, however long the message is`(character: String) throws {
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/lib/a.dat": "new\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.1.5.sh": "cat /dev/zero > full 2>/dev/null; true\n",
            "X3V8_P2BIS/FILPATCH/upgrades/8.0.2.sql":
                "INSERT INTO \"\(String(repeating: character, count: 30_000))\" VALUES (1);\n",
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1)
        #expect(try host.job(1)["code"] as? String == "sql")
        let lock = try host.json("srv/PAIE/update.lock")
        #expect(lock["phase"] as? String == "failed", "\(outcome.errors.suffix(500))")
        let message = try #require(lock["message"] as? String)
        #expect(message.contains(character + character) && message.hasSuffix("…"))
        // Still full, it is unlocked.
        #expect(try host.ask(#"{"command": "resume", "job": 1, "skip": ["PAIE"]}"#)["ok"] as? Bool == true)
        #expect(!host.exists("srv/PAIE/update.lock"))
    }

    @Test func `is not rolled back before there is room for its lock, which is said`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let applied = try host.once()
        #expect(applied.code == 0, "\(applied.errors)")
        host.fill("srv/PAIE")
        #expect(try host.ask(#"{"command": "rollback", "job": 1}"#)["ok"] as? Bool == true)
        let job = try host.job(2)
        #expect(job["state"] as? String == "failed" && job["code"] as? String == "space", "\(job)")
        #expect((job["message"] as? String)?.contains("cannot make room for update.lock") == true, "\(job)")
        #expect(!host.exists("srv/PAIE/update.lock"))
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/PAIE/fill")
        #expect(try host.ask(#"{"command": "resume", "job": 2}"#)["ok"] as? Bool == true)
        #expect(try host.read("srv/PAIE/lib/a.dat") == "old\n")
    }
}

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `Requests that cannot be answered, as the spool's disk is full` {
    let host: Installation

    init() throws {
        host = try Installation()
        try FileManager.default.createDirectory(
            atPath: "\(host.root)/spool/requests/done", withIntermediateDirectories: true)
        let mounted = try Installation.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=64k", "none", "\(host.root)/spool/requests/done"])
        try #require(mounted.code == 0, "\(mounted.errors)")
        host.fill("spool/requests/done")
        try host.write(#"{"command": "resume", "job": 9}"#, "spool/requests/resume.json")
        try host.write(#"{"command": "gc"}"#, "spool/requests/gc.json")
    }

    deinit { umount2("\(host.root)/spool/requests/done", Int32(MNT_DETACH)) }

    /// The daemon ended, and with it whatever update was under way, for as long as there was no room.
    @Test func `wait, and the updates do not`() throws {
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("told") { daemon.errors.contains("cannot look after requests") })
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        #expect(host.exists("spool/requests/resume.json") && host.exists("spool/requests/gc.json"))
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/requests/done/fill")
        #expect(host.until("answered") { host.exists("spool/requests/done/gc.json") })
        #expect(try host.json("spool/requests/done/resume.json")["code"] as? String == "unknownJob")
        let lines = daemon.errors.split(separator: "\n").filter { $0.contains("cannot look after") }
        #expect(lines.count < 4, "\(lines.count)")
    }

    @Test func `are left by a single run, and answered by the next`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(host.exists("spool/requests/gc.json"))
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/requests/done/fill")
        #expect(try host.once().code == 0)
        #expect(try host.json("spool/requests/done/gc.json")["ok"] as? Bool == true)
    }
}

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `Metrics that cannot be written, as their disk is full` {
    let host: Installation

    init() throws {
        host = try Installation()
        try FileManager.default.createDirectory(
            atPath: "\(host.root)/state/metrics", withIntermediateDirectories: true)
        let mounted = try Installation.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=64k", "none", "\(host.root)/state/metrics"])
        try #require(mounted.code == 0, "\(mounted.errors)")
        host.fill("state/metrics")
    }

    deinit { umount2("\(host.root)/state/metrics", Int32(MNT_DETACH)) }

    @Test func `are missed once in the journal, and by no job`() throws {
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("told") { daemon.errors.contains("cannot write the metrics") })
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        try FileManager.default.removeItem(atPath: "\(host.root)/state/metrics/fill")
        try host.write("closing", "spool/holds/payroll.SEED.lock")
        #expect(
            host.until("written") {
                (try? host.read("state/metrics/patchd.prom").contains("patchd_jobs{state=\"done\"} 1\n")) == true
            })
        #expect(daemon.errors.components(separatedBy: "cannot write the metrics").count == 2, "\(daemon.errors)")
    }
}
