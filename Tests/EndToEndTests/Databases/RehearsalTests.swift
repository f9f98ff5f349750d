import Foundation
import Support
import Testing

/// SEED has a SQLite database; the folder above it has none, and none of the update's scripts.
@Suite struct `A rehearsal` {
    let host: Installation

    init() throws {
        host = try Installation()
        try configure("rehearse: test\n")
        try sql("CREATE TABLE account (name TEXT PRIMARY KEY, amount INTEGER NOT NULL)")
        try sql("INSERT INTO account VALUES ('a', 1)")
    }

    private func configure(_ settings: String, database: String = "sqlite:data/app.db") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            \(settings)folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM]\(database.isEmpty ? "" : ", database: \"\(database)\"")}

            """, "etc/endpoints.d/payroll.yaml")
    }

    @discardableResult
    private func sql(_ statement: String) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(host.root)/srv/SEED/data", withIntermediateDirectories: true)
        return try host.sql(statement, in: "srv/SEED/data/app.db")
    }

    private func drop(_ scripts: [String: String], options: String = #"{"operation": "test"}"#) throws {
        var update = ExampleUpdate(version: "8.0.2", dependency: "8.0.1")
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n", "X3V8_P2/FILPATCH/lib/8.0.2.dat": "here\n"]
        for (name, text) in scripts { update.files["X3V8_P2BIS/FILPATCH/\(name)"] = text }
        try host.write(options, "spool/incoming/update.zip.json")
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func rehearse(_ scripts: [String: String], options: String = #"{"operation": "test"}"#) throws -> Int32 {
        try drop(scripts, options: options)
        return try host.once().code
    }

    /// What the report says of SEED.
    private func report(_ job: Int = 1) throws -> [String: Any] {
        let plan = try host.json("state/jobs/\(job)/plan.json")
        let endpoint = try #require((plan["endpoints"] as? [[String: Any]])?.first)
        let folders = (endpoint["rehearsal"] as? [String: Any])?["folders"] as? [[String: Any]]
        return try #require(folders?.first { $0["folder"] as? String == "SEED" }, "\(endpoint)")
    }

    private func told(_ number: Int = 1) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }
    private func message(_ number: Int = 1) -> String { (try? host.job(number)["message"] as? String) ?? "" }
    private func omissions(_ report: [String: Any]) -> [String] {
        (report["notRehearsed"] as? [[String: Any]] ?? []).map { "\($0["script"] ?? ""): \($0["reason"] ?? "")" }
    }

    @Test func `runs the scripts on a copy, with the time of each statement, and leaves nothing behind`() throws {
        let before = try host.picture()
        let code = try rehearse([
            "upgrades/8.0.2.sql": "ALTER TABLE account ADD COLUMN code INTEGER;\nUPDATE account SET code = 7;\n"
        ])
        #expect(code == 0, "\(told())")
        let report = try report()
        #expect(report["ok"] as? Bool == true && report["error"] is NSNull, "\(report)")
        let statements = report["statements"] as? [[String: Any]] ?? []
        #expect(statements.compactMap { $0["line"] as? Int } == [1, 2], "\(report)")
        #expect(statements.first?["script"] as? String == "upgrades/8.0.2.sql")
        let (seconds, downtime) = (report["seconds"] as? Double ?? 0, report["downtimeSeconds"] as? Double ?? 0)
        #expect(seconds > 0 && downtime > 0 && downtime <= seconds, "\(report)")
        #expect(omissions(report).isEmpty)
        #expect(try host.picture() == before, "the folder and its database are as they were")
        #expect(try sql("SELECT * FROM account") == "a|1")
    }

    @Test func `finds a broken script while everybody works, with the vendor's line`() throws {
        try configure("rehearse: always\n")
        let code = try rehearse(
            ["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\nUPDATE acount SET amount = 0;\n"],
            options: "{}")
        #expect(code == 1)
        #expect(try host.job(1)["code"] as? String == "sql", "\(told())")
        #expect(
            message().contains("8.0.2.sql, statement 2 of 2, line 2") && message().contains("no such table: acount"))
        #expect(try report()["ok"] as? Bool == false)
        #expect(try (report()["error"] as? String)?.contains("no such table: acount") == true)
        #expect(try sql("SELECT name FROM sqlite_master ORDER BY 1") == "account\nsqlite_autoindex_account_1")
        #expect(!host.exists("srv/SEED/update.lock") && !host.exists("srv/SEED/.patchd"))
        #expect(!host.exists("state/jobs/1/units.json"))
    }

    @Test func `comes before an update that follows, where it is to come always`() throws {
        try configure("rehearse: always\n")
        #expect(try rehearse(["upgrades/8.0.2.sql": "DELETE FROM account;\n"], options: "{}") == 0, "\(told())")
        #expect(try report()["ok"] as? Bool == true)
        #expect(try sql("SELECT count(*) FROM account") == "0")
        #expect(try sql("SELECT script, state FROM patchd_step ORDER BY 1") == "|done\n8.0.2.sql|done")
        #expect(!host.exists("srv/SEED/.patchd/rehearsal"))
    }

    @Test func `is not made where nobody asks for it, and is where the options do`() throws {
        try configure("")
        #expect(try rehearse(["upgrades/8.0.2.sql": "UPDATE acount SET amount = 0;\n"]) == 0, "\(told())")
        #expect(try !host.read("state/jobs/1/plan.json").contains("rehearsal"))
        let options = #"{"operation": "test", "rehearse": true}"#
        #expect(try rehearse(["upgrades/8.0.2.sql": "UPDATE acount SET amount = 0;\n"], options: options) == 1)
        #expect(message(2).contains("in the rehearsal: cannot run 8.0.2.sql"), "\(told(2))")
    }

    @Test func `runs programs in a copy of the folder that has the update's files, and keeps them from all else`()
        throws
    {
        try host.write("mine\n", "srv/SEED/own.txt")
        try host.write("others\n", "srv/PAIE/own.txt")
        let before = try host.picture()
        let code = try rehearse([
            "upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\n",
            "upgrades/8.0.2.sh": """
            set -e
            [ "$PATCHD_REHEARSAL" = 1 ]
            [ "$(pwd)" = "\(host.root)/srv/SEED" ]
            [ "$(cat own.txt)" = mine ] && echo changed > own.txt
            [ "$(cat lib/8.0.2.dat)" = here ]
            [ "$(sqlite3 "${PATCHD_DATABASE_URL#sqlite:}" 'SELECT count(*) FROM account')" = 2 ]
            sqlite3 "${PATCHD_DATABASE_URL#sqlite:}" "INSERT INTO account VALUES ('sh', 3)"
            ! echo x > "\(host.root)/srv/PAIE/own.txt"
            ! kill -0 \(getpid())

            """,
        ])
        #expect(code == 0, "\(told())")
        let report = try report()
        #expect(report["ok"] as? Bool == true && omissions(report).isEmpty, "\(report)")
        let scripts = (report["statements"] as? [[String: Any]] ?? []).compactMap { $0["script"] as? String }
        #expect(scripts == ["upgrades/8.0.2.sql", "upgrades/8.0.2.sh"], "\(report)")
        #expect(try host.picture() == before)
        #expect(!host.exists("srv/SEED/.patchd"))
        #expect(try sql("SELECT * FROM account") == "a|1")
    }

    @Test func `says which program failed, with its last line`() throws {
        #expect(try rehearse(["upgrades/8.0.2.sh": "echo \"no such account\" >&2\nexit 3\n"]) == 1)
        #expect(try host.job(1)["code"] as? String == "script", "\(told())")
        #expect(message().contains("exit code 3: no such account"), "\(message())")
    }

    @Test func `says which scripts cannot run twice`() throws {
        let code = try rehearse(
            [
                "upgrades/8.0.1.1.sql": "CREATE TABLE IF NOT EXISTS first (x);\n",
                "upgrades/8.0.2.sql": "CREATE TABLE second (x);\n",
                "upgrades/8.0.2.sh": "mkdir once\n",
            ], options: #"{"operation": "test", "rehearse": "twice"}"#)
        #expect(code == 1)
        let found = (try report()["notIdempotent"] as? [[String: Any]] ?? []).compactMap { $0["script"] as? String }
        #expect(found == ["upgrades/8.0.2.sql", "upgrades/8.0.2.sh"], "\(told())")
        #expect(try report()["error"] is NSNull)
        #expect(message().contains("upgrades/8.0.2.sql cannot run a second time"), "\(message())")
        #expect(try sql("SELECT count(*) FROM sqlite_master WHERE type = 'table'") == "1")
    }

    @Test func `of a database above the limit is not made, and says so`() throws {
        try host.write("limits: {rehearsal: 1KiB}\n", "etc/patchd.yaml")
        #expect(try rehearse(["upgrades/8.0.2.sql": "UPDATE acount SET amount = 0;\n"]) == 0, "\(told())")
        #expect(try report()["ok"] as? Bool == false)
        #expect(try omissions(report()).first?.contains("limits.rehearsal") == true, "\(told())")
        #expect(!host.exists("srv/SEED/.patchd"))
    }

    @Test func `that is killed in the middle begins anew and leaves nothing behind`() throws {
        let before = try host.picture()
        try drop(["upgrades/8.0.2.sh": "[ -e go ] || sleep 60\n"])
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        #expect(
            host.until("the script runs") {
                (try? host.read("state/jobs/1/traces/SEED.jsonl"))?.contains("\"started\"") == true
            })
        #expect(host.exists("srv/SEED/.patchd/rehearsal"))
        try host.write("", "srv/SEED/go")
        kill(try #require(Installation.child(of: daemon.processIdentifier, named: "patchd-worker")), SIGKILL)
        #expect(host.until("it is done") { (try? host.job(1)["state"] as? String) == "done" }, "\(told())")
        #expect(try report()["ok"] as? Bool == true)
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED/go")
        #expect(try host.picture() == before)
        #expect(!host.exists("srv/SEED/.patchd"))
    }

    @Test func `ends when its job is cancelled, and leaves nothing behind`() throws {
        let before = try host.picture()
        try drop(["upgrades/8.0.2.sh": "sleep 600\n"])
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        #expect(
            host.until("the script runs") {
                (try? host.read("state/jobs/1/traces/SEED.jsonl"))?.contains("\"started\"") == true
            })
        try host.request(#"{"command": "cancel", "job": 1}"#, as: "cancel.json")
        #expect(host.until("it is cancelled") { (try? host.job(1)["state"] as? String) == "cancelled" }, "\(told())")
        #expect(try host.picture() == before)
        #expect(!host.exists("srv/SEED/.patchd"))
    }

    @Test(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
    func `that runs out of space leaves nothing behind`() throws {
        let folder = "\(host.root)/srv/SEED"
        let mounted = try Installation.run("/bin/mount", ["-t", "tmpfs", "-o", "size=4m", "none", folder])
        try #require(mounted.code == 0, "\(mounted.errors)")
        defer { umount2(folder, Int32(MNT_DETACH)) }
        try sql("CREATE TABLE account (data BLOB)")
        #expect(try rehearse(["upgrades/8.0.2.sql": "INSERT INTO account VALUES (zeroblob(16000000));\n"]) == 1)
        #expect(try host.job(1)["code"] as? String == "space", "\(told())")
        #expect(!host.exists("srv/SEED/.patchd"))
        #expect(try sql("SELECT count(*) FROM account") == "0")
    }

    @Test func `is ordered with patchctl, which shows its report`() throws {
        try configure("")
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\n"])
        let file = "\(host.root)/update.zip"
        try FileManager.default.moveItem(atPath: "\(host.root)/spool/incoming/update.zip", toPath: file)
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/incoming/update.zip.json")
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        let outcome = try host.run("patchctl", "test", file, "--rehearse", "--twice")
        #expect(outcome.code == 1, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains { $0.contains("rehearsal of SEED: failed, took ") }, "\(outcome.output)")
        #expect(lines.contains { $0.contains("cannot run twice: upgrades/8.0.2.sql") })
        #expect(lines.contains { $0.contains("upgrades/8.0.2.sql:1  INSERT INTO account") })
        let json = try host.run("patchctl", "test", file, "--rehearse", "--json")
        #expect(json.code == 0 && json.output.contains("\"downtimeSeconds\""), "\(json.output)\(json.errors)")
        #expect(try host.run("patchctl", "test", file, "--twice").code == 2)
    }
}
