import Foundation
import Support
import Testing

/// PAIE has a database of some engine; an update of it is tested.
@Suite struct `A rehearsal on a server` {
    let host: Installation
    /// Other tests use the same servers at the same time.
    private let endpoint = "p\(UInt32.random(in: .min ... .max))"

    init() throws { host = try Installation() }

    private func configure(_ url: String, _ keys: String = "") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: \(endpoint)
            path: \(host.root)/srv
            \(owner)grace: 1s
            rehearse: test
            folders:
              - {name: PAIE, version: 8.0.1, database: "\(url)"\(keys)}

            """, "etc/endpoints.d/payroll.yaml")
    }

    /// A file of credentials that only its owner reads.
    private func credentials(_ user: String, _ password: String, _ name: String) throws -> String {
        try host.write("user=\(user)\npassword=\(password)\n", "etc/\(name)")
        chmod("\(host.root)/etc/\(name)", 0o600)
        return "\(host.root)/etc/\(name)"
    }

    private func drop(_ scripts: [String: String]) throws {
        var update = ExampleUpdate()
        update.files = ["X3V8_P2/FILPATCH/lib/8.0.2.dat": "here\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        for (name, text) in scripts { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        try host.write(#"{"operation": "test"}"#, "spool/incoming/update.zip.json")
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func rehearse(_ script: String, program: String? = nil) throws -> Int32 {
        var scripts = ["upgrades/8.0.2.sql": script]
        if let program { scripts["upgrades/8.0.2.sh"] = program }
        try drop(scripts)
        return try host.once().code
    }

    private func report(_ job: Int) throws -> [String: Any] {
        let plan = try host.json("state/jobs/\(job)/plan.json")
        let endpoint = try #require((plan["endpoints"] as? [[String: Any]])?.first)
        let folders = (endpoint["rehearsal"] as? [String: Any])?["folders"] as? [[String: Any]]
        return try #require(folders?.first, "\(endpoint)")
    }

    private func lines(_ report: [String: Any]) -> [Int] {
        (report["statements"] as? [[String: Any]] ?? []).compactMap { $0["line"] as? Int }
    }

    private func omissions(_ report: [String: Any]) -> String {
        (report["notRehearsed"] as? [[String: Any]] ?? []).map { "\($0["script"] ?? ""): \($0["reason"] ?? "")" }
            .joined(separator: "\n")
    }

    private func told(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }
    private func message(_ number: Int) -> String { (try? host.job(number)["message"] as? String) ?? "" }

    private func isTidy() -> Bool { !host.exists("srv/PAIE/.patchd") && !host.exists("srv/PAIE/update.lock") }

    // MARK: PostgreSQL

    private func copies(_ server: PostgreSQLServer) throws -> String {
        try server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'patchd\\_rehearsal\\_\(endpoint)\\_PAIE%'")
    }

    @Test func `of PostgreSQL's has a database of its own, which goes`() throws {
        let server = try PostgreSQLServer.shared()
        let name = try server.createDatabase()
        try server.sql("CREATE TABLE account (name text PRIMARY KEY); INSERT INTO account VALUES ('a')", in: name)
        try configure(server.url(name))
        // Somebody works meanwhile, and nobody asks him to leave.
        let other = try server.session(in: name, program: "month-end")
        try other.run("BEGIN; SELECT name FROM account;")
        let code = try rehearse("ALTER TABLE account ADD COLUMN x integer;\nDELETE FROM account;\n", program: "true\n")
        #expect(code == 0, "\(told(1))")
        let found = try report(1)
        #expect(found["ok"] as? Bool == true && lines(found) == [1, 2], "\(found)")
        #expect(omissions(found).contains("upgrades/8.0.2.sh: with the copied database it would reach the live one"))
        #expect(try other.run("SELECT * FROM account;") == "a", "nothing of it happened here")
        #expect(try rehearse("DELETE FROM account;\nUPDATE acount SET x = 0;\n") == 1)
        #expect(
            message(2).contains("8.0.2.sql, statement 2 of 2, line 2") && message(2).contains("42P01"), "\(told(2))")
        #expect(try server.sql("SELECT * FROM account", in: name) == "a")
        #expect(try copies(server) == "0" && isTidy())
    }

    @Test func `of PostgreSQL's copies just the schema that is the folder's`() throws {
        let server = try PostgreSQLServer.shared()
        let name = try server.createDatabase()
        try server.sql(
            "CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.a (x int); CREATE TABLE two.a (x int); INSERT INTO one.a VALUES (1)",
            in: name)
        try configure(server.url(name, schema: "one"))
        #expect(try rehearse("DELETE FROM a;\nSELECT 1 / count(*) FROM pg_namespace WHERE nspname = 'two';\n") == 1)
        #expect(message(1).contains("division by zero"), "\(told(1))")
        #expect(try server.sql("SELECT count(*) FROM one.a", in: name) == "1")
        #expect(try copies(server) == "0" && isTidy())
    }

    @Test func `of PostgreSQL's says what the role lacks, and what would reach beyond the copy`() throws {
        let server = try PostgreSQLServer.shared()
        let role = "r\(UInt32.random(in: .min ... .max))"
        try server.sql("CREATE ROLE \(role) LOGIN")
        let name = try server.createDatabase(owner: role)
        try configure(server.url(name, user: role))
        #expect(try rehearse("CREATE TABLE t (x int);\n") == 0, "\(told(1))")
        #expect(try report(1)["ok"] as? Bool == false)
        #expect(try omissions(report(1)).contains("ALTER ROLE \"\(role)\" CREATEDB"), "\(told(1))")
        try server.sql("ALTER ROLE \(role) CREATEDB")
        #expect(try rehearse("ALTER DATABASE \(name) SET work_mem TO '5MB';\n") == 0, "\(told(2))")
        #expect(try omissions(report(2)).contains("line 1 (ALTER DATABASE"), "\(told(2))")
        #expect(
            try server.sql(
                "SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = '\(name)'"
            ) == "0")
        #expect(try rehearse("CREATE TABLE t (x int);\n") == 0)
        #expect(try report(3)["ok"] as? Bool == true, "\(told(3))")
        #expect(try copies(server) == "0" && isTidy())
    }

    @Test func `takes an error behind a script that was not tried for what may come from that`() throws {
        let server = try PostgreSQLServer.shared()
        let name = try server.createDatabase()
        try configure(server.url(name))
        try drop([
            "upgrades/8.0.1.1.sh": "psql \"$PATCHD_DATABASE_URL\" -c 'CREATE TABLE made (x int)'\n",
            "upgrades/8.0.2.sql": "DELETE FROM made;\n",
        ])
        #expect(try host.once().code == 0, "\(told(1))")
        let found = try report(1)
        #expect(found["ok"] as? Bool == false && found["error"] is NSNull, "\(found)")
        #expect(omissions(found).contains("8.0.1.1.sh, which was not tried, may be missing: cannot run 8.0.2.sql"))
        let plan = try host.json("state/jobs/1/plan.json")
        let warnings = (plan["endpoints"] as? [[String: Any]])?.first?["warnings"] as? [String] ?? []
        #expect(warnings.contains { $0.contains("8.0.1.1.sh was not rehearsed: ") }, "\(warnings)")
        #expect(isTidy())
    }

    @Test func `of PostgreSQL's that is killed in the middle leaves no database`() throws {
        let server = try PostgreSQLServer.shared()
        let name = try server.createDatabase()
        try configure(server.url(name))
        try drop(["upgrades/8.0.2.sql": "SELECT pg_sleep(CASE WHEN pg_is_in_recovery() THEN 0 ELSE 3 END);\n"])
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        #expect(
            host.until("the script runs") {
                (try? host.read("state/jobs/1/traces/PAIE.jsonl"))?.contains("pg_sleep") == true
            }, "\(told(1))")
        #expect(try copies(server) == "1")
        kill(try #require(Installation.child(of: daemon.processIdentifier, named: "patchd-worker")), SIGKILL)
        #expect(host.until("it is done") { (try? host.job(1)["state"] as? String) == "done" }, "\(told(1))")
        #expect(try report(1)["ok"] as? Bool == true)
        #expect(try copies(server) == "0" && isTidy())
    }

    // MARK: MariaDB

    @Test func `of MariaDB's is made with an account whose rights end at the copy, and with no other`() throws {
        let server = try MariaDBServer.shared()
        let name = try server.makeDatabase()
        try server.run(
            "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY); INSERT INTO account VALUES ('a')", in: name)
        try server.run("CREATE VIEW names AS SELECT name FROM account", in: name)
        let user = "reh\(UInt32.random(in: .min ... .max))"
        let file = try credentials(user, "secret", "rehearse")
        try server.run("CREATE USER \(user)@localhost IDENTIFIED BY 'secret'")
        try configure(server.url(name))
        #expect(try rehearse("DELETE FROM account;\n") == 0, "\(told(1))")
        #expect(try omissions(report(1)).contains("rehearseCredentials"), "\(told(1))")
        try configure(server.url(name), ", rehearseCredentials: \"\(file)\"")
        try server.run("GRANT SELECT ON \(name).* TO \(user)@localhost")
        #expect(try rehearse("DELETE FROM account;\n") == 0, "\(told(2))")
        #expect(try omissions(report(2)).contains("may do more than work on copies"), "\(told(2))")
        try server.run("REVOKE SELECT ON \(name).* FROM \(user)@localhost")
        try server.run("GRANT ALL ON `patchd\\_rehearsal\\_%`.* TO \(user)@localhost")
        #expect(try rehearse("ALTER TABLE account ADD x INT;\nDELETE FROM account;\n") == 0, "\(told(3))")
        let found3 = try report(3)
        #expect(found3["ok"] as? Bool == true && lines(found3) == [1, 2], "\(found3)")
        #expect(try rehearse("DELETE FROM account;\nUPDATE acount SET x = 1;\n") == 1)
        #expect(message(4).contains("statement 2 of 2, line 2") && message(4).contains("acount' doesn't exist"))
        #expect(try rehearse("DELETE FROM `\(name)`.account;\n") == 1, "the live one is out of reach")
        #expect(message(5).contains("denied"), "\(told(5))")
        #expect(try server.run("SELECT * FROM account", in: name) == "a")
        #expect(try server.run("SHOW DATABASES LIKE 'patchd\\_rehearsal\\_\(endpoint)%'") == "" && isTidy())
        let leaked = try Installation.run("/usr/bin/grep", ["-rl", "secret", host.root])
        #expect(leaked.output == "\(file)\n")
    }

    // MARK: Firebird

    @Test func `of Firebird's has a file of its own, which no server knows`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try server.newDatabase()
        let file = try credentials(FirebirdServer.user, FirebirdServer.password, "credentials")
        try configure(server.url(path), ", credentials: \"\(file)\"")
        let code = try rehearse("ALTER TABLE pay ADD code integer;\nUPDATE pay SET code = 7;\n")
        #expect(code == 0, "\(told(1))")
        let found1 = try report(1)
        #expect(found1["ok"] as? Bool == true && lines(found1) == [1, 2], "\(found1)")
        #expect(try rehearse("DELETE FROM pay;\nINSERT INTO nowhere VALUES (1);\n") == 1)
        #expect(message(2).contains("statement 2 of 2, line 2"), "\(told(2))")
        #expect(try server.isql("SELECT id, name FROM pay ORDER BY 1;", path) == "1|Ada\n2|Grace")
        #expect(isTidy())
    }

    @Test func `of a Firebird file copies it, and runs programs with it`() throws {
        let path = "\(host.root)/srv/PAIE/app.fdb"
        try FirebirdServer.isql(
            "CREATE DATABASE '\(path)'; COMMIT; CREATE TABLE account (name varchar(20)); COMMIT; INSERT INTO account VALUES ('a');",
            in: "", "SYSDBA")
        try configure("firebird:\(path)")
        let program =
            "echo \"INSERT INTO account VALUES ('sh');\" | isql-fb -q -bail -user SYSDBA \"${PATCHD_DATABASE_URL#firebird:}\"\n"
        let code = try rehearse("INSERT INTO account VALUES ('b');\n", program: program)
        #expect(code == 0, "\(told(1))")
        let found1 = try report(1)
        #expect(found1["ok"] as? Bool == true && omissions(found1).isEmpty, "\(found1)")
        #expect(try FirebirdServer.isql("SELECT name FROM account;", in: path, "SYSDBA") == "a")
        #expect(isTidy())
    }
}
