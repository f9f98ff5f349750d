import Foundation
import PatchFiles
import Support
import Testing

/// SEED and SEED2 have databases on a real server; the folders above them have none.
@Suite struct `An update of a PostgreSQL database` {
    let host: Installation
    let server: PostgreSQLServer
    let name: String

    init() throws {
        host = try Installation()
        server = try .shared()
        name = try server.createDatabase()
        try server.sql(
            "CREATE TABLE account (name text PRIMARY KEY, amount integer NOT NULL); INSERT INTO account VALUES ('a', 1)",
            in: name)
        try configure(["SEED": server.url(name)])
    }

    private func configure(
        _ databases: [String: String], _ settings: String = "grace: 1s\n", credentials: String? = nil
    ) throws {
        func keys(_ folder: String) -> String {
            guard let url = databases[folder] else { return "" }
            return ", modules: [HRM], database: \"\(url)\"" + (credentials.map { ", credentials: \"\($0)\"" } ?? "")
        }
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)\(settings)folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE\(keys("SEED"))}
              - {name: SEED2, parent: PAIE\(keys("SEED2"))}

            """, "etc/endpoints.d/payroll.yaml")
    }

    private func update(_ scripts: [String: String], version: String = "8.0.2") -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: "8.0.1")
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n", "X3V8_P2/FILPATCH/lib/\(version).dat": "here\n"]
        for (name, text) in scripts { update.files["X3V8_P2BIS/FILPATCH/\(name)"] = text }
        return update
    }

    private func apply(_ update: ExampleUpdate) throws -> Installation.Outcome {
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    private func message(_ job: Int) -> String { (try? host.job(job))?["message"] as? String ?? "" }
    private func trace(_ folder: String = "SEED") throws -> String {
        try host.read("state/jobs/1/traces/\(folder).log")
    }

    @Test func `runs its scripts once, in SQL and in shell, and shows the lock meanwhile`() throws {
        let listener = try server.session(in: name)
        try configure(["SEED": server.url(name)], "grace: 1s\nspare: [payroll]\n")
        try listener.run("LISTEN please_disconnect;")
        let update = update([
            "upgrades/8.0.2.sql":
                "ALTER TABLE account ADD COLUMN code integer;\nUPDATE account SET code = (SELECT code FROM patchd_revision);\n",
            "upgrades/8.0.2.sh":
                "psql -X -q -v ON_ERROR_STOP=1 \"$PATCHD_DATABASE_URL\" -c \"INSERT INTO account VALUES ('sh', 2, 0)\"\n",
        ])
        let outcome = try apply(update)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try server.sql("SELECT * FROM account ORDER BY name", in: name) == "a|1|9999\nsh|2|0")
        #expect(
            try server.sql("SELECT script, version, state FROM patchd_step ORDER BY script", in: name)
                == "|8.0.2|done\n8.0.2.sh|8.0.2|done\n8.0.2.sql|8.0.2|done")
        #expect(try server.sql("SELECT count(*) FROM patchd_revision", in: name) == "0")
        #expect(try listener.run("SELECT 1;").contains("\"folder\":\"SEED\""))
        #expect(try apply(update).code == 0)
        #expect(try server.sql("SELECT count(*) FROM account", in: name) == "2")
    }

    @Test func `ends who is in the way after the grace, names him, and goes on`() throws {
        try configure(["SEED": server.url(name)], "grace: 1s\ndisconnect: onDemand\n")
        let idle = try server.session(in: name, program: "idle-client")
        try idle.run("SELECT 1;")
        let other = try server.session(in: name, program: "month-end")
        try other.run("BEGIN; SELECT amount FROM account;")
        let outcome = try apply(update(["upgrades/8.0.2.sql": "ALTER TABLE account ADD COLUMN x integer;\n"]))
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try trace().contains("in use by month-end (session"))
        #expect(try trace().contains("idle in transaction, last: SELECT amount FROM account;"))
        #expect(try other.run("SELECT 1;").contains("terminating connection"))
        #expect(try idle.run("SELECT 7;") == "7", "who is not in the way stays")
    }

    /// The application's role is another than patchd's, which owns the database.
    @Test func `keeps newcomers out from the first conflict on, and lets them in again`() throws {
        let role = "app\(UInt64.random(in: .min ... .max))"
        try server.sql("CREATE ROLE \(role) LOGIN; GRANT ALL ON account TO \(role)", in: name)
        try configure(["SEED": server.url(name)], "grace: 1s\ndisconnect: onDemand\n")
        let other = try server.session(in: name, user: role, program: "month-end")
        try other.run("BEGIN; SELECT amount FROM account;")
        let script = """
            ALTER TABLE account ADD COLUMN came boolean;
            UPDATE account SET came = has_database_privilege('\(role)', current_database(), 'CONNECT');

            """
        let outcome = try apply(update(["upgrades/8.0.2.sql": script]))
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try server.sql("SELECT came FROM account", in: name) == "f", "\((try? trace()) ?? "")")
        #expect(try server.sql("SELECT 1", in: name, user: role) == "1")
    }

    @Test func `ends all who use it before the first step, where it is told to`() throws {
        let idle = try server.session(in: name, program: "idle-client")
        try idle.run("SELECT 1;")
        #expect(try apply(update(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\n"])).code == 0)
        #expect(try idle.run("SELECT 1;").contains("terminating connection"))
    }

    @Test func `of which a statement is wrong changes nothing, and a corrected archive fixes it`() throws {
        let wrong = ["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\nUPDATE acount SET amount = 0;\n"]
        #expect(try apply(update(wrong)).code == 1)
        #expect(try host.job(1)["code"] as? String == "sql")
        #expect(
            message(1).contains(
                "8.0.2.sql, statement 2 of 2, line 2 (UPDATE acount SET amount = 0): relation \"acount\" does not exist"
            ))
        #expect(message(1).contains("SQLSTATE 42P01"))
        #expect(try server.sql("SELECT count(*) FROM account", in: name) == "1")
        #expect(try server.sql("SELECT code FROM patchd_revision", in: name) == "9999")
        #expect(try apply(update(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\n"])).code == 0)
        #expect(try server.sql("SELECT count(*) FROM account", in: name) == "2")
    }

    @Test func `whose worker is killed in mid-script runs once`() throws {
        try update([
            "upgrades/8.0.2.sql":
                "INSERT INTO account VALUES ('b', 2);\nSELECT pg_sleep(4);\nUPDATE account SET amount = amount + 1;\n"
        ]).pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(name)' AND query LIKE 'SELECT pg_sleep%'"
        #expect(host.until("asleep") { (try? server.sql(sleeping)) == "1" })
        let workers = RunningProcess.all().filter { process in
            process.name == "patchd-worker" && process.hasOpenBelow("\(host.root)/srv/SEED")
        }
        #expect(workers.count == 1)
        for worker in workers { kill(worker.pid, SIGKILL) }
        #expect(daemon.end() == 0, "\(daemon.errors)")
        #expect(
            try server.sql("SELECT string_agg(name || amount, ' ' ORDER BY name) FROM account", in: name) == "a2 b3")
    }

    @Test func `goes back to its copy where a later script fails and the folder is to be reverted`() throws {
        try configure(["SEED": server.url(name)], "grace: 1s\nonFailure: revert\n")
        let outcome = try apply(
            update([
                "upgrades/8.0.1.5.sql": "CREATE TABLE made(a integer);\nDELETE FROM account;\n",
                "upgrades/8.0.2.sh": "exit 3\n", "downgrades/8.0.2.sh": "exit 0\n",
            ]))
        #expect(outcome.code == 1)
        #expect(
            try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.1", "\(outcome.errors)")
        #expect(try server.sql("SELECT count(*) FROM account", in: name) == "1")
        #expect(try server.sql("SELECT to_regclass('made') IS NULL", in: name) == "t")
        #expect(try trace().contains("dumping contents of table"))
        // The copy's own row would say something else: the root has the new version, and SEED is behind it now.
        #expect(try server.sql("SELECT code, phase FROM patchd_revision", in: name) == "9999|behind")
    }

    @Test func `has a schema for each folder, side by side, each with its own record`() throws {
        for schema in ["t1", "t2"] {
            try server.sql("CREATE SCHEMA \(schema); CREATE TABLE \(schema).pay(n integer)", in: name)
        }
        try configure(["SEED": server.url(name, schema: "t1"), "SEED2": server.url(name, schema: "t2")])
        let outcome = try apply(
            update([
                "upgrades/8.0.2.sql":
                    "DO $$ BEGIN IF current_schema() = 't2' THEN RAISE EXCEPTION 'no % today', current_schema(); END IF; END $$;\n"
                    + "INSERT INTO pay VALUES (1);\n",
                "upgrades/8.0.2.sh":
                    "psql -X -q -v ON_ERROR_STOP=1 \"$PATCHD_DATABASE_URL\" -c \"INSERT INTO pay VALUES (2)\"\n",
            ]))
        #expect(outcome.code == 1)
        #expect(
            message(1).contains("no t2 today, in PL/pgSQL function inline_code_block line 1 at RAISE [SQLSTATE P0001]"),
            "\(message(1))")
        #expect(try server.sql("SELECT sum(n) FROM t1.pay", in: name) == "3")
        #expect(try server.sql("SELECT count(*) FROM t2.pay", in: name) == "0")
        #expect(try server.sql("SELECT version FROM t1.patchd_step WHERE script = ''", in: name) == "8.0.2")
        #expect(try server.sql("SELECT code || phase FROM t2.patchd_revision", in: name).hasPrefix("9999"))
    }

    @Test func `logs in with credentials that stand nowhere else`() throws {
        let role = "secret\(UInt32.random(in: .min ... .max))"
        let password = "pw-\(UInt64.random(in: .min ... .max))"
        try server.sql("CREATE ROLE \(role) LOGIN PASSWORD '\(password)' IN ROLE secretive")
        try server.sql("GRANT ALL ON SCHEMA public TO \(role); GRANT ALL ON account TO \(role)", in: name)
        let file = "\(host.root)/credentials"
        try "user=\(role)\npassword=\(password)\n".write(toFile: file, atomically: false, encoding: .utf8)
        chmod(file, 0o644)
        try configure(["SEED": server.url(name, user: "nobody")], credentials: file)
        let update = update([
            "upgrades/8.0.2.sql": "INSERT INTO account VALUES (current_user, 1);\n",
            "upgrades/8.0.2.sh": "grep -c ^password= \"$PATCHD_CREDENTIALS\"; ps -ef -ww; env\n",
        ])
        #expect(try apply(update).code == 1)
        #expect(message(1).contains("others may read or write it; chmod 600 \(file)"), "\(message(1))")
        chmod(file, 0o600)
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done", "\(message(1))")
        #expect(try server.sql("SELECT count(*) FROM account WHERE name = '\(role)'", in: name) == "1")
        #expect(try trace().contains("\n") && !host.exists("run/credentials/patchd-job-1-payroll-SEED"))
        for place in ["state", "spool", "run"] {
            #expect(try Installation.run("/bin/grep", ["-rl", password, "\(host.root)/\(place)"]).output == "")
        }
    }

    @Test func `with a database that nobody can reach is refused by its preflight`() throws {
        try configure(["SEED": "postgresql:///\(name)?host=%2Fnowhere"])
        #expect(try apply(update(["upgrades/8.0.2.sql": "SELECT 1;\n"])).code == 1)
        #expect(try host.job(1)["code"] as? String == "database")
        #expect(message(1).contains("/nowhere"), "\(message(1))")
        #expect(!host.exists("srv/SEED/update.lock"))
    }
}

extension RunningProcess {
    /// Whether it has something open below a directory.
    fileprivate func hasOpenBelow(_ directory: String) -> Bool {
        let links = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        return links.contains { link in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(link)"))?.hasPrefix(
                directory)
                == true
        }
    }
}
