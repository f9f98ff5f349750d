import Foundation
import Support
import Testing

/// SEED has a SQLite database that knows accounts; the other folders have none.
@Suite struct `A folder's database` {
    let host: Installation

    init() throws {
        host = try Installation()
        try configure()
        try sql("CREATE TABLE account (name TEXT PRIMARY KEY, amount INTEGER NOT NULL)")
        try sql("INSERT INTO account VALUES ('a', 1)")
    }

    private func configure(_ settings: String = "grace: 1s\n") throws {
        try host.configure("payroll", settings: settings, databases: ["SEED": "sqlite:data/app.db"])
    }

    /// What the database says, by SQLite's own program.
    @discardableResult
    private func sql(_ statement: String) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(host.root)/srv/SEED/data", withIntermediateDirectories: true)
        return try host.sql(statement, in: "srv/SEED/data/app.db")
    }

    /// An update of SEED alone.
    private func update(
        _ scripts: [String: String], version: String = "8.0.2", dependency: String = "8.0.1"
    ) -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n", "X3V8_P2/FILPATCH/lib/\(version).dat": "here\n"]
        for (name, text) in scripts { update.files["X3V8_P2BIS/FILPATCH/\(name)"] = text }
        return update
    }

    private func apply(_ update: ExampleUpdate) throws -> Installation.Outcome {
        // Everybody else has nothing to do with it.
        let others = host.folders.filter { $0 != "SEED" && $0 != "PAIE" }.map { "\"\($0)\"" }.joined(separator: ", ")
        try host.write("{\"exclude\": [\(others)]}", "spool/incoming/update.zip.json")
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    private func job(_ number: Int) throws -> [String: Any] { try host.json("state/jobs/\(number)/job.json") }
    private func told(_ number: Int) -> String { (try? job(number)).map { "\($0)" } ?? "" }
    private func steps() throws -> String {
        try sql("SELECT script, version, state FROM patchd_step ORDER BY version, script")
    }

    /// PAIE gets the same scripts and has no database: modules aim the second patch at folders below it only.
    private func aimAtSeed() throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM], database: "sqlite:data/app.db"}
              - {name: SEED2, parent: PAIE}
              - {name: SEEDPROD, parent: PAIE}
              - {name: SEEDPROD2, parent: SEEDPROD}

            """, "etc/endpoints.d/payroll.yaml")
    }

    @Test func `runs its scripts once, knows them and its version, and shows the lock meanwhile`() throws {
        try aimAtSeed()
        let update = update([
            "upgrades/8.0.2.sql":
                "ALTER TABLE account ADD COLUMN code INTEGER;\nUPDATE account SET code = (SELECT code FROM patchd_revision);\n",
            "upgrades/8.0.2.sh":
                "sqlite3 \"${PATCHD_DATABASE_URL#sqlite:}\" \"INSERT INTO account VALUES ('sh', 2, 0)\"\n",
        ])
        let outcome = try apply(update)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try sql("SELECT * FROM account ORDER BY name") == "a|1|9999\nsh|2|0")
        #expect(try steps() == "|8.0.2|done\n8.0.2.sh|8.0.2|done\n8.0.2.sql|8.0.2|done")
        #expect(try sql("SELECT count(*) FROM patchd_revision") == "0")
        let trace = try host.read("state/jobs/1/traces/SEED.log")
        #expect(trace.contains("ALTER TABLE account ADD COLUMN code INTEGER") && trace.contains("1 rows changed"))
        let plan = try host.read("state/jobs/1/plan/1/SEED")
        #expect(plan.contains("UPDATE account SET code"))
        #expect(try apply(update).code == 0)
        #expect(try sql("SELECT count(*) FROM account") == "2")
    }

    @Test func `keeps nothing of a script that is wrong, and a corrected archive fixes it`() throws {
        try aimAtSeed()
        let lines = (1...12).map {
            $0 == 7 ? "INSERT INTO nowhere VALUES (1);" : "INSERT INTO account VALUES ('n\($0)', 1);"
        }
        let outcome = try apply(update(["upgrades/8.0.2.sql": lines.joined(separator: "\n")]))
        #expect(outcome.code == 1)
        let message = try job(1)["message"] as? String ?? ""
        #expect(
            message.contains("statement 7 of 12, line 7") && message.contains("no such table: nowhere"), "\(message)")
        #expect(try job(1)["code"] as? String == "sql")
        #expect(try host.read("state/jobs/1/traces/SEED.log").contains("statement 7, line 7"))
        #expect(try sql("SELECT count(*) FROM account") == "1")
        #expect(try sql("SELECT code FROM patchd_revision") == "9999")
        let corrected = update(["upgrades/8.0.2.sql": lines.filter { !$0.contains("nowhere") }.joined(separator: "\n")])
        #expect(try apply(corrected).code == 0)
        #expect(try sql("SELECT count(*) FROM account") == "12")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["status"] as? String == "current")
    }

    @Test func `goes back by the downgrades, and its record with it`() throws {
        try aimAtSeed()
        let update = update([
            "upgrades/8.0.2.sql": "CREATE TABLE extra (x);", "downgrades/8.0.2.sql": "DROP TABLE extra;",
        ])
        let before = try sql("SELECT * FROM account")
        #expect(try apply(update).code == 0)
        let answer = try host.ask(#"{"command": "rollback", "target": "payroll/SEED"}"#)
        #expect(answer["ok"] as? Bool == true)
        #expect(try job(2)["state"] as? String == "done", "\(told(2))")
        #expect(try sql("SELECT name FROM sqlite_master WHERE name = 'extra'") == "")
        #expect(try sql("SELECT * FROM account") == before)
        #expect(try steps() == "|8.0.1|done")
        #expect(try apply(update).code == 0)
        #expect(try sql("SELECT name FROM sqlite_master WHERE name = 'extra'") == "extra")
    }

    @Test func `is put back from its copy where there are no downgrades, if data may be discarded`() throws {
        try aimAtSeed()
        #expect(try apply(update(["upgrades/8.0.2.sql": "DELETE FROM account;"])).code == 0)
        try sql("INSERT INTO account VALUES ('since', 5)")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/SEED"}"#)
        #expect(try job(2)["code"] as? String == "irreversible")
        #expect(try sql("SELECT name FROM account") == "since")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/SEED", "discardData": true}"#)
        #expect(try job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try sql("SELECT name FROM account") == "a")
    }

    @Test func `is put back from its copy when the folder is reverted by itself`() throws {
        try aimAtSeed()
        try host.write(
            try host.read("etc/endpoints.d/payroll.yaml").replacingOccurrences(
                of: "grace: 1s", with: "grace: 1s\nonFailure: revert"), "etc/endpoints.d/payroll.yaml")
        let outcome = try apply(
            update([
                "upgrades/8.0.2_a.sql": "DELETE FROM account;",
                "upgrades/8.0.2_b.sql": "INSERT INTO nowhere VALUES (1);",
            ]))
        #expect(outcome.code == 1)
        #expect((try job(1)["folders"] as? [String: [String: Any]])?["SEED"]?["state"] as? String == "reverted")
        #expect(try sql("SELECT name FROM account") == "a")
        #expect(!host.exists("srv/SEED/lib/8.0.2.dat"))
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "behind")
    }

    @Test func `that was restored from an older dump is noticed before anything is touched, and a baseline fixes it`()
        throws
    {
        try aimAtSeed()
        let old = try Data(contentsOf: URL(fileURLWithPath: "\(host.root)/srv/SEED/data/app.db"))
        #expect(try apply(update(["upgrades/8.0.2.sql": "CREATE TABLE two (x);"])).code == 0)
        try old.write(to: URL(fileURLWithPath: "\(host.root)/srv/SEED/data/app.db"))
        let next = update(
            ["upgrades/8.0.2.sql": "CREATE TABLE two (x);", "upgrades/8.0.3.sql": "CREATE TABLE three (x);"],
            version: "8.0.3", dependency: "8.0.1")
        #expect(try apply(next).code == 1)
        #expect(try job(2)["code"] as? String == "database")
        #expect(!host.exists("srv/SEED/update.lock"))
        let answer = try host.ask(#"{"command": "baseline", "target": "payroll/SEED", "version": "8.0.1"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try apply(next).code == 0)
        #expect(try sql("SELECT name FROM sqlite_master WHERE name IN ('two', 'three') ORDER BY name") == "three\ntwo")
    }

    /// Another process in the middle of something.
    private func hold(_ statements: String...) throws -> Process {
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        holder.arguments =
            [
                "-c",
                """
                import sqlite3, sys, time
                db = sqlite3.connect(sys.argv[1], isolation_level=None)
                for statement in sys.argv[2:]:
                    db.execute(statement).fetchone()
                open(sys.argv[1] + ".held", "w").close()
                time.sleep(600)
                """, "\(host.root)/srv/SEED/data/app.db",
            ] + statements
        try holder.run()
        #expect(host.until("it holds the lock") { host.exists("srv/SEED/data/app.db.held") })
        return holder
    }

    private func configure(disconnect: String, more: String = "") throws {
        try host.write(
            try host.read("etc/endpoints.d/payroll.yaml").replacingOccurrences(
                of: "grace: 1s", with: "grace: 1s\ndisconnect: \(disconnect)\(more)"), "etc/endpoints.d/payroll.yaml")
    }

    @Test(
        arguments: ["always", "onDemand"],
        [
            ("DELETE", ["BEGIN IMMEDIATE", "INSERT INTO account VALUES ('held', 1)"]),
            ("DELETE", ["BEGIN", "SELECT name FROM account"]),
            ("WAL", ["BEGIN IMMEDIATE", "INSERT INTO account VALUES ('held', 1)"]),
        ])
    func `that somebody has locked is waited for, and whoever stays is ended`(
        _ disconnect: String, _ lock: (mode: String, statements: [String])
    ) throws {
        try aimAtSeed()
        try configure(disconnect: disconnect)
        try sql("PRAGMA journal_mode = \(lock.mode)")
        let holder = try hold(lock.statements[0], lock.statements[1])
        defer { if holder.isRunning { kill(holder.processIdentifier, SIGKILL) } }
        let outcome = try apply(update(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours', 1);"]))
        #expect(outcome.code == 0, "\(outcome.errors)")
        holder.waitUntilExit()
        #expect(holder.terminationReason == .uncaughtSignal)
        #expect(try sql("SELECT name FROM account ORDER BY name") == "a\nours")
        let name = "in use by python3 (pid \(holder.processIdentifier)"
        #expect(try host.read("state/jobs/1/traces/SEED.log").contains(name))
    }

    @Test func `that somebody has open and does not lock is left to him on demand`() throws {
        try aimAtSeed()
        try configure(disconnect: "onDemand")
        let holder = try hold("SELECT name FROM account")
        defer { kill(holder.processIdentifier, SIGKILL) }
        #expect(try apply(update(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours', 1);"])).code == 0)
        #expect(holder.isRunning)
    }

    @Test func `that somebody has locked who is spared fails the folder and names him, and goes on when he has left`()
        throws
    {
        try aimAtSeed()
        try configure(disconnect: "onDemand", more: "\nspare: [python3]")
        let holder = try hold("BEGIN IMMEDIATE", "INSERT INTO account VALUES ('held', 1)")
        #expect(try apply(update(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours', 1);"])).code == 1)
        #expect(holder.isRunning)
        #expect(try job(1)["code"] as? String == "inUse")
        #expect(told(1).contains("python3 (pid \(holder.processIdentifier)") && told(1).contains("spare"), "\(told(1))")
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try sql("SELECT name FROM account ORDER BY name") == "a\nours")
    }

    @Test func `that is not there or none, and scripts that nobody can run, are faults`() throws {
        try aimAtSeed()
        try host.write("this is no database, but a text that is long enough to be one\n", "srv/SEED/data/app.db")
        #expect(try apply(update(["upgrades/8.0.2.sql": "SELECT 1;"])).code == 1)
        #expect(try job(1)["code"] as? String == "database")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED/data/app.db")
        #expect(try apply(update(["upgrades/8.0.2.sql": "SELECT 2;"])).code == 1)
        #expect(told(2).contains("there is no such file"))
        #expect(try apply(update(["upgrades/8.0.2.php": "#!/nowhere/php\n<?php"])).code == 1)
        #expect(told(3).contains("/nowhere/php is not there"))
        #expect(try apply(update(["upgrades/8.0.2.sql": "SELECT 'never ends;"])).code == 1)
        #expect(told(4).contains("never ends"))
        #expect(!host.exists("srv/SEED/update.lock"))
    }
}
