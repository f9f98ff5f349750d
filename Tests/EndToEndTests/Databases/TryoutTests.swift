import Foundation
import Support
import Testing

/// PAIE, alone, has a SQLite database; `disconnect: onDemand`.
@Suite struct `An update that is tried while applications work` {
    let host: Installation

    init() throws {
        host = try Installation()
        try configure()
        try host.write("", "srv/PAIE/.keep")
        try host.sql("CREATE TABLE account (name TEXT)")
    }

    private func configure(_ settings: String = "grace: 0s\n") throws {
        try host.configureDatabase(version: "8.0.1", settings: "disconnect: onDemand\n" + settings)
    }

    private func drop(_ first: [String: String], then second: [String: String] = [:]) throws {
        var update = ExampleUpdate(version: "8.0.2", dependency: "8.0.1")
        // A patch must have some content; a script of another version is none of this update's business.
        update.files = [:]
        for patch in ["X3V8_P2", "X3V8_P2BIS"] { update.files["\(patch)/FILPATCH/upgrades/1.0.sh"] = "exit 1\n" }
        for (name, text) in first { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        for (name, text) in second { update.files["X3V8_P2BIS/FILPATCH/\(name)"] = text }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    /// What a script saw of the lock: its code and its phase.
    private func seen(_ file: String) throws -> String {
        let lock = try host.json("srv/PAIE/\(file)")
        return "\(lock["code"] ?? "") \(lock["phase"] ?? "")"
    }

    private func lock() -> [String: Any] { (try? host.json("srv/PAIE/update.lock")) ?? [:] }
    private func told() -> String { (try? host.job(1)).map { "\($0)" } ?? "" }

    /// Another process in the middle of something.
    private func hold(_ statements: String...) throws -> Process {
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let program = """
            import sqlite3, sys, time
            db = sqlite3.connect(sys.argv[1], isolation_level=None)
            for statement in sys.argv[2:]:
                db.execute(statement).fetchone()
            open(sys.argv[1] + ".held", "w").close()
            sys.stdin.read()
            """
        holder.standardInput = Pipe()
        holder.arguments = ["-c", program, "\(host.root)/srv/PAIE/app.db"] + statements
        try holder.run()
        #expect(host.until("it holds the lock") { host.exists("srv/PAIE/app.db.held") })
        return holder
    }

    @Test func `says 9998 and asks nobody to leave as long as only scripts run and nobody is in their way`() throws {
        let inside = open("\(host.root)/srv/PAIE", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(inside) }
        #expect(flock(inside, LOCK_SH) == 0)
        let reader = try hold("SELECT name FROM account")
        defer { kill(reader.processIdentifier, SIGKILL) }
        try drop([
            "upgrades/8.0.2.sql": "INSERT INTO account SELECT code || ' ' || phase FROM patchd_revision;\n",
            "upgrades/8.0.2.sh": "cat update.lock > seen\n",
        ])
        #expect(try host.once().code == 0, "\(told())")
        #expect(try seen("seen") == "9998 trying")
        #expect(try host.sql("SELECT name FROM account") == "9998 trying")
        #expect(try host.sql("SELECT version FROM patchd_version") == "8.0.2")
        #expect(reader.isRunning && !host.exists("srv/PAIE/update.lock"))
        #expect(try !host.read("state/jobs/1/traces/PAIE.log").contains("must leave"))
    }

    @Test func `says 9999 before the first file is switched, and no sooner`() throws {
        try drop(
            ["upgrades/8.0.2.sh": "cat update.lock > seen\n"],
            then: ["bis.dat": "new\n", "upgrades/8.0.2.sh": "cat update.lock > later\n"])
        #expect(try host.once().code == 0, "\(told())")
        #expect(try seen("seen") == "9998 trying")
        #expect(try seen("later") == "9999 updating")
        #expect(try host.read("srv/PAIE/bis.dat") == "new\n")
    }

    @Test func `asks whoever is in the way of a script to leave, says who that is, and goes on when he has`() throws {
        try configure("grace: 600s\n")
        let holder = try hold("BEGIN IMMEDIATE", "INSERT INTO account VALUES ('theirs')")
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours');\n"])
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("it is asked to leave") { lock()["code"] as? Int == 9999 }, "\(told())")
        #expect(
            host.until("the lock says who is in the way") {
                (lock()["message"] as? String ?? "").contains("python3 (pid \(holder.processIdentifier)")
            }, "\(lock())")
        let folders = try host.job(1)["folders"] as? [String: [String: Any]]
        let message = folders?["PAIE"]?["message"] as? String
        #expect(message?.contains("in the way: python3") == true, "\(told())")
        #expect(lock()["phase"] as? String == "disconnect" && lock()["deadline"] is String, "\(lock())")
        #expect(holder.isRunning)
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(host.until("it is done") { (try? host.job(1)["state"] as? String) == "done" }, "\(told())")
        #expect(try host.sql("SELECT name FROM account") == "ours")
        #expect(try (host.job(1)["folders"] as? [String: [String: Any]])?["PAIE"]?["message"] as? String == "")
    }

    @Test func `fails its folder where somebody stays inside, and goes on when he has left`() throws {
        let inside = open("\(host.root)/srv/PAIE", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(inside, LOCK_SH) == 0)
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours');\n"], then: ["bis.dat": "new\n"])
        #expect(try host.once().code == 1)
        #expect(try host.job(1)["code"] as? String == "inUse", "\(told())")
        #expect(told().contains("pid \(getpid())"), "\(told())")
        #expect(try host.sql("SELECT name FROM account") == "ours")
        #expect(!host.exists("srv/PAIE/bis.dat"))
        close(inside)
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done", "\(told())")
        #expect(try host.sql("SELECT name FROM account") == "ours")
    }

    /// What they wrote after the copy of the database was made would be lost when it is put back.
    @Test func `is not tried where a failure would put a copy of the database back`() throws {
        try configure("grace: 0s\nonFailure: revert\n")
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account SELECT code || ' ' || phase FROM patchd_revision;\n"])
        #expect(try host.once().code == 0, "\(told())")
        // Never 9998 `trying`. The database follows the lock: on a busy host it still shows the phase before.
        let seen = try host.sql("SELECT name FROM account")
        #expect(["9999 updating", "9999 disconnect"].contains(seen), "\(seen)")
    }

    @Test(arguments: ["patchd", "patchd-worker"])
    func `ends the same whichever program is killed at each next fault point`(_ program: String) throws {
        try drop(
            ["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('one');\n"],
            then: ["bis.dat": "new\n", "upgrades/8.0.2.sql": "INSERT INTO account VALUES ('two');\n"])
        let order = ["PATCHD_FAULT_POINT": "\(program):kill:next:\(host.root)/next"]
        var starts = 0
        let open = [nil, "running", "queued", "waiting"]
        while starts < 500, try open.contains((host.exists("state/jobs/1") ? host.job(1) : [:])["state"] as? String) {
            try host.once(environment: order)
            starts += 1
        }
        #expect(try host.job(1)["state"] as? String == "done", "\(told())")
        #expect(try (Int(host.read("next")) ?? 0) > 20)
        #expect(try host.sql("SELECT name FROM account ORDER BY name") == "one\ntwo")
        #expect(!host.exists("srv/PAIE/update.lock"))
    }
}
