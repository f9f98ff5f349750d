import Foundation
import Support
import Testing

/// User 65534 (nobody) may put files into the spool, and has no other right.
@Suite(.enabled(if: geteuid() == 0, "files of other users need root")) struct `What a stranger leaves in the spool` {
    private static let nobody: uid_t = 65534
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
        for name in ["holds", "incoming", "requests"] { chmod("\(host.root)/spool/\(name)", 0o1777) }
    }

    private func give(_ name: String) { chown("\(host.root)/spool/\(name)", Self.nobody, Self.nobody) }

    private func code(_ name: String) throws -> String? {
        try host.json("spool/requests/done/\(name)")["code"] as? String
    }

    /// Starts a program of nobody's.
    private func stranger(_ program: String...) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups"] + program)
    }

    @Test func `with a lease on it delays nobody but himself`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/own.zip")
        try host.request(#"{"command":"gc"}"#, as: "own.json")
        try host.request(#"{"command":"gc"}"#, as: "good.json")
        try host.write("mine", "spool/holds/ALL.lock")
        try host.write("{}", "spool/incoming/update.zip.json")
        let leased = ["incoming/own.zip", "requests/own.json", "holds/ALL.lock", "incoming/update.zip.json"]
        for name in leased { give(name) }
        let holder = try stranger(
            "/usr/bin/python3", "-c",
            """
            import fcntl, os, signal, sys, time
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            for path in sys.argv[1:]:
                fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)
            print("leased", flush=True)
            time.sleep(600)
            """, leased[0], leased[1], leased[2], leased[3], in: "\(host.root)/spool")
        #expect(host.until("leased") { holder.output.contains("leased") }, "\(holder.errors)")
        let start = Date()
        let outcome = try host.once()
        // A lease is broken by the kernel after 45 s.
        #expect(Date().timeIntervalSince(start) < 30, "\(outcome.errors)")
        #expect(outcome.code == 5, "his own drop is left: \(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(try code("good.json") == "")
        #expect(try code("own.json") == "notPermitted")
        #expect(host.exists("spool/incoming/own.zip"))
    }

    private func stranger(
        _ program: String, _ option: String, _ script: String, _ arguments: String..., in directory: String
    ) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", program, option, script] + arguments, in: directory)
    }

    @Test(arguments: ["file", "directory", "link", "fifo"])
    func `at the name of a hold gives way to those who may hold`(kind: String) throws {
        let place = "\(host.root)/spool/holds"
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        let names = ["ALL.lock", "payroll.lock", "payroll.SEED.lock"]
        for name in names {
            switch kind {
            case "directory": try host.write("x", "spool/holds/.new/x")
            case "link": #expect(symlink("/etc/passwd", "\(place)/.new") == 0)
            case "fifo": #expect(mkfifo("\(place)/.new", 0o600) == 0)
            default: try host.write("mine", "spool/holds/.new")
            }
            lchown("\(place)/.new", Self.nobody, Self.nobody)
            #expect(rename("\(place)/.new", "\(place)/\(name)") == 0)
        }
        #expect(
            host.until("the names are free") { names.allSatisfy { (try? exists("\(place)/\($0)")) == false } },
            "\(daemon.errors)")
        for name in names {
            #expect(host.until("said") { daemon.errors.contains("holds/\(name) does not count") }, "\(daemon.errors)")
        }
        for (target, name) in zip(["ALL", "payroll", "payroll/SEED"], names) {
            let outcome = try host.run("patchctl", "hold", target)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(host.exists("spool/holds/\(name)"))
        }
    }

    /// Also what a link leads to nowhere.
    private func exists(_ path: String) throws -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    @Test func `at the name of a hold is replaced by root's own, also while no daemon runs`() throws {
        for (target, name) in [("ALL", "ALL.lock"), ("payroll", "payroll.lock"), ("payroll/SEED", "payroll.SEED.lock")]
        {
            try host.write("not root's\n", "spool/holds/\(name)")
            give("holds/\(name)")
            let outcome = try host.run("patchctl", "hold", target, "--reason", "dump")
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(try host.read("spool/holds/\(name)") == "dump\n")
        }
    }

    @Test func `again and again at the name of a hold leaves one line and one file`() throws {
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        for _ in 1...20 {
            try host.write("mine", "spool/holds/.new")
            give("holds/.new")
            rename("\(host.root)/spool/holds/.new", "\(host.root)/spool/holds/ALL.lock")
            #expect(host.until("moved aside") { !host.exists("spool/holds/ALL.lock") })
        }
        #expect(daemon.errors.components(separatedBy: "holds/ALL.lock does not count").count == 2, "\(daemon.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/holds").count == 1)
    }

    @Test func `as an answer to his request gives way to the answer to an approver's of the same name`() throws {
        try host.request(#"{"command":"gc"}"#, as: "approve-1.json")
        give("requests/approve-1.json")
        try host.once()
        #expect(try code("approve-1.json") == "notPermitted")
        try host.request(#"{"command":"gc"}"#, as: "approve-1.json")
        try host.once()
        #expect(try code("approve-1.json") == "")
        try host.request(#"{"command":"gc"}"#, as: "approve-1.json")
        give("requests/approve-1.json")
        let outcome = try host.once()
        #expect(outcome.errors.contains("gets no answer"), "\(outcome.errors)")
        #expect(try code("approve-1.json") == "")
    }

    @Test func `as requests by the thousands holds up neither drops nor those who may command`() throws {
        for number in 1...6000 {
            try host.write("{", "asked/\(number).json")
            chown("\(host.root)/asked/\(number).json", Self.nobody, Self.nobody)
            rename("\(host.root)/asked/\(number).json", "\(host.root)/spool/requests/\(number).json")
        }
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("refusing") { daemon.errors.contains("notPermitted") || host.exists("spool/requests/done") })
        try ExampleUpdate().pack(to: "\(host.root)/late.zip")
        rename("\(host.root)/late.zip", "\(host.root)/spool/incoming/late.zip")
        try host.request(#"{"command":"gc"}"#, as: ".late")
        rename("\(host.root)/spool/requests/.late", "\(host.root)/spool/requests/late.json")
        #expect(host.until("answered") { host.exists("spool/requests/done/late.json") })
        #expect(
            host.until("done") { (try? host.job(1)["state"] as? String) == "done" }, "\(daemon.errors.suffix(2000))")
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/requests").count
        #expect(left > 100, "\(left) requests are left")
    }

    @Test func `beside another's drop is moved aside, unless it is an approver's`() throws {
        try host.write(#"{"exclude":["SEED"]}"#, "spool/incoming/a.zip.json")
        give("incoming/a.zip.json")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/a.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.2")
        #expect(!host.exists("spool/incoming/a.zip.json") && host.exists("spool/incoming/.refused-65534-a.zip.json"))
        // What an approver put there may be meant.
        try host.write("approvers: nogroup\n", "etc/patchd.yaml")
        try host.write(#"{"exclude":["SEED"]}"#, "spool/incoming/b.zip.json")
        give("incoming/b.zip.json")
        try ExampleUpdate(version: "8.0.3", dependency: "8.0.2").pack(to: "\(host.root)/spool/incoming/b.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/b.zip.reason.json")["code"] as? String == "optionsInvalid")
    }

    @Test func `as a flock on a folder keeps no guard from starting`() throws {
        let stranger = try stranger("flock", "--no-fork", "-x", "\(host.root)/srv/SEED", "sleep", "1000")
        #expect(
            host.until("it is inside") {
                (try? Installation.run("/usr/bin/flock", ["-n", "-s", "\(host.root)/srv/SEED", "true"]).code) == 1
            })
        let outcome = try host.run("patchctl", "guard", "payroll/SEED", "--", "echo", "started")
        #expect(outcome.code == 0 && outcome.output == "started\n", "\(outcome.errors)")
        #expect(outcome.errors.contains("sleep (pid \(stranger.pid), nobody)"), "\(outcome.errors)")
    }

    @Test func `guard starts without its flock has it as soon as it can, and is told to leave`() throws {
        let stranger = try stranger("flock", "--no-fork", "-x", "\(host.root)/srv/SEED", "sleep", "1000")
        #expect(
            host.until("it is inside") {
                (try? Installation.run("/usr/bin/flock", ["-n", "-s", "\(host.root)/srv/SEED", "true"]).code) == 1
            })
        let program = try RunningProgram(
            host.program("patchctl"),
            host.placed(["guard", "payroll/SEED", "--", "sh", "-c", "echo in; exec sleep 1000"]))
        #expect(host.until("started") { program.output.contains("in") }, "\(program.errors)")
        stranger.send(SIGKILL)
        _ = stranger.end()
        #expect(host.until("it is inside") { host.isInUse("SEED") })
        try host.lock("SEED")
        #expect(program.end() == 5)
        #expect(!host.isInUse("SEED"))
    }

    @Test func `as a lock that somebody else has is waited for, and he is named`() throws {
        let other = try RunningProgram(
            "/usr/bin/flock", ["--no-fork", "-x", "\(host.root)/srv/SEED", "sleep", "1000"])
        #expect(
            host.until("it is inside") {
                (try? Installation.run("/usr/bin/flock", ["-n", "-s", "\(host.root)/srv/SEED", "true"]).code) == 1
            })
        let outcome = try host.run("patchctl", "guard", "payroll/SEED", "--", "true")
        #expect(outcome.code == 5 && outcome.errors.contains("sleep (pid \(other.pid), root)"), "\(outcome.errors)")
    }
}
