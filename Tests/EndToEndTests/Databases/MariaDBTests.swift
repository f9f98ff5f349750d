import Foundation
import Support
import Testing

/// SEED has a database on a MariaDB server; the other folders have none.
@Suite struct `A folder's MariaDB database` {
    let host: Installation
    let server: MariaDBServer
    let name: String

    init() throws { try self.init(on: MariaDBServer.shared()) }

    private init(on server: MariaDBServer) throws {
        self.server = server
        host = try Installation()
        name = try server.makeDatabase()
        try configure()
        try sql(
            "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, amount INT NOT NULL); INSERT INTO account VALUES ('a', 1)"
        )
    }

    private func configure(_ settings: String = "grace: 1s\n") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)\(settings)folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM], database: "\(server.url(name))"}

            """, "etc/endpoints.d/payroll.yaml")
    }

    @discardableResult
    private func sql(_ statement: String) throws -> String { try server.run(statement, in: name) }

    private func pack(_ scripts: [String: String], version: String = "8.0.2") throws {
        var update = ExampleUpdate(version: version, dependency: "8.0.1")
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n", "X3V8_P2/FILPATCH/lib/\(version).dat": "here\n"]
        for (name, text) in scripts { update.files["X3V8_P2BIS/FILPATCH/\(name)"] = text }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func apply(_ scripts: [String: String]) throws -> Installation.Outcome {
        try pack(scripts)
        return try host.once()
    }

    private func told(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }

    private func steps() throws -> String {
        try sql("SELECT group_concat(script, ' ', state ORDER BY script) FROM patchd_step")
    }

    @Test func `runs its scripts once, knows them and its version, and shows the lock meanwhile`() throws {
        let outcome = try apply([
            "upgrades/8.0.2.sql":
                "ALTER TABLE account ADD COLUMN code INT;\nUPDATE account SET code = (SELECT code FROM patchd_revision);\n",
            "upgrades/8.0.2.sh": "echo \"$PATCHD_DATABASE_URL\" >url\n",
        ])
        #expect(outcome.code == 0, "\(outcome.errors)\(told(1))")
        #expect(try sql("SELECT name, amount, code FROM account") == "a\t1\t9999")
        #expect(try steps() == " done,8.0.2.sh done,8.0.2.sql done")
        #expect(try sql("SELECT count(*) FROM patchd_revision") == "0")
        #expect(try host.read("srv/SEED/url") == server.url(name) + "\n")
        let trace = try host.read("state/jobs/1/traces/SEED.log")
        #expect(trace.contains("ALTER TABLE account ADD COLUMN code INT") && trace.contains("1 rows changed"))
    }

    @Test(arguments: ["upgrades/8.0.2.sql", "migrations/1_x.sql"])
    func `goes on with the statement that a corrected archive has instead of the one that failed`(
        _ name: String
    ) throws {
        try configure("grace: 1s\nbackup: none\n")
        let text = "INSERT INTO account VALUES ('b', 2);\nCREATE TABLE extra (x INT);\n"
        #expect(try apply([name: text + "INSERT INTO nowhere VALUES (1);\n"]).code == 1)
        let outcome = try apply([name: text + "INSERT INTO extra VALUES (1);\n"])
        #expect(outcome.code == 0, "\(outcome.errors)\(told(2))")
        #expect(try sql("SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM extra)") == "3")
    }

    @Test func `goes on behind the statement that failed when it is resumed`() throws {
        try configure("grace: 1s\nbackup: none\n")
        let text =
            "INSERT INTO account VALUES ('b', 2);\nCREATE TABLE extra (x INT);\nINSERT INTO nowhere VALUES (1);\n"
        #expect(try apply(["upgrades/8.0.2.sql": text]).code == 1)
        let message = try host.job(1)["message"] as? String ?? ""
        #expect(
            message.contains("statement 3 of 3, line 3") && message.contains("nowhere' doesn't exist"), "\(message)")
        #expect(try sql("SELECT code FROM patchd_revision") == "9999")
        try sql("CREATE TABLE nowhere (x INT)")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try sql("SELECT count(*) FROM account") == "2")
    }

    @Test func `is put back from its copy where there are no downgrades, if data may be discarded`() throws {
        let outcome = try apply(["upgrades/8.0.2.sql": "DROP TABLE account; CREATE TABLE other (a INT);"])
        #expect(outcome.code == 0, "\(outcome.errors)\(told(1))")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/SEED"}"#)
        #expect(try host.job(2)["code"] as? String == "irreversible")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/SEED", "discardData": true}"#)
        #expect(try host.job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try sql("SELECT name FROM account") == "a")
        #expect(try sql("SHOW TABLES LIKE 'other'") == "")
    }

    @Test func `is put back from its copy when the folder is reverted by itself`() throws {
        try configure("grace: 1s\nonFailure: revert\n")
        #expect(try apply(["upgrades/8.0.2.sql": "DROP TABLE account; INSERT INTO nowhere VALUES (1);"]).code == 1)
        let folders = try host.job(1)["folders"] as? [String: [String: Any]]
        #expect(folders?["SEED"]?["state"] as? String == "reverted", "\(told(1))")
        #expect(try sql("SELECT name FROM account") == "a")
    }

    @Test func `that is not there, or whose server is not, is a fault before anything is touched`() throws {
        try sql("DROP DATABASE \(name)")
        #expect(try apply(["upgrades/8.0.2.sql": "SELECT 1;"]).code == 1)
        #expect(try host.job(1)["code"] as? String == "database")
        #expect(told(1).contains("Unknown database"))
        #expect(!host.exists("srv/SEED/update.lock"))
        try server.run("CREATE DATABASE \(name)")
    }

    // MARK: In use

    /// Another session, in the middle of a transaction that has what the statements need. It ends with its program, which the
    /// server notices.
    private func hold(_ statements: String) throws -> RunningProgram {
        let holder = try RunningProgram(
            "/usr/bin/mariadb",
            [
                "--no-defaults", "-n", "-N", "-B", "-uroot", "-S", server.socket, name, "-e",
                "\(statements); SELECT 'held'; SELECT sleep(600)",
            ])
        #expect(host.until("it holds the lock") { holder.output.contains("held") }, "\(holder.errors)")
        return holder
    }

    @Test(
        arguments: ["always", "onDemand"], ["BEGIN; UPDATE account SET amount = 7", "BEGIN; SELECT name FROM account"])
    func `that somebody has in use is waited for, and whoever stays is ended`(_ disconnect: String, _ held: String)
        throws
    {
        try configure("grace: 1s\ndisconnect: \(disconnect)\n")
        let holder = try hold(held)
        let outcome = try apply([
            "upgrades/8.0.2.sql": "ALTER TABLE account ADD COLUMN b INT; UPDATE account SET b = amount;"
        ])
        #expect(outcome.code == 0, "\(outcome.errors)\(told(1))")
        #expect(try sql("SELECT b FROM account") == "1")
        let trace = try host.read("state/jobs/1/traces/SEED.log")
        #expect(trace.contains("user root, for ") && trace.contains("who are ended now"), "\(trace)")
        holder.send(SIGKILL)
    }

    @Test func `that somebody has in use who is spared fails the folder and names them`() throws {
        try configure("grace: 0s\ndisconnect: onDemand\nspare: [root]\n")
        let holder = try hold("BEGIN; SELECT name FROM account")
        #expect(try apply(["upgrades/8.0.2.sql": "ALTER TABLE account ADD COLUMN b INT;"]).code == 1)
        #expect(try host.job(1)["code"] as? String == "inUse", "\(told(1))")
        #expect(told(1).contains("may not be ended (spare)"), "\(told(1))")
        holder.send(SIGKILL)
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
    }

    // MARK: Cut off

    static let text = """
        SET @step = 10;
        CREATE TABLE ledger (id INT PRIMARY KEY, note VARCHAR(20));
        INSERT INTO ledger SELECT amount, name FROM account;
        ALTER TABLE ledger ADD COLUMN twice INT;
        UPDATE ledger SET twice = id * 2;
        INSERT INTO ledger SELECT id + @step, note, twice FROM ledger;
        DROP TABLE account;

        """

    private func expectDone() throws {
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try sql("SELECT group_concat(id, ':', twice ORDER BY id) FROM ledger") == "1:2,11:2")
        #expect(try sql("SHOW TABLES LIKE 'account'") == "")
        #expect(try steps() == " done,8.0.2.sql done")
    }

    /// Every start of a worker is killed one fault point later than the one before; each statement and each commit is one.
    @Test func `comes to the same end when the worker is killed at each next fault point`() throws {
        try pack(["upgrades/8.0.2.sql": Self.text])
        let order = "patchd-worker:kill:next:\(host.root)/next"
        for _ in 0..<200 {
            try host.once(environment: ["PATCHD_FAULT_POINT": order])
            let job = try host.job(1)["state"] as? String
            if job == "done" { break }
            // Three restarts are by itself.
            if job == "failed" { _ = try host.ask(#"{"command": "resume", "job": 1}"#) }
        }
        let kills = (Int(try host.read("next")) ?? 1) - 1
        #expect(kills > 20, "\(kills)")
        try expectDone()
    }

    /// The processes of a daemon that update folders.
    private func workers(of daemon: Process) -> [Int32] {
        let tasks = "/proc/\(daemon.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        let children = threads.flatMap { thread in
            ((try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)) ?? "").split(separator: " ")
        }
        return children.compactMap { Int32($0) }.filter {
            (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "patchd-worker\n"
        }
    }

    private func isWaiting() -> Bool {
        let text =
            "SELECT count(*) FROM information_schema.processlist WHERE db = '\(name)' AND info LIKE 'UPDATE ledger%'"
        return (try? server.run(text)) == "1"
    }

    @Test func `goes on when the worker is killed in the middle of a statement`() throws {
        try configure("grace: 600s\ndisconnect: onDemand\n")
        try sql("CREATE TABLE ledger (id INT PRIMARY KEY, note VARCHAR(20))")
        let text = Self.text.replacingOccurrences(of: "CREATE TABLE ledger", with: "CREATE TABLE IF NOT EXISTS ledger")
        try sql("INSERT INTO ledger VALUES (77, 'held')")
        let holder = try hold("BEGIN; UPDATE ledger SET note = 'x' WHERE id = 77")
        // The statement that adds the column waits for nobody who holds only a row; the change of that row does.
        try pack([
            "upgrades/8.0.2.sql": text.replacingOccurrences(of: "ALTER TABLE ledger ADD COLUMN twice INT;\n", with: "")
                .replacingOccurrences(of: "twice = id * 2", with: "note = 'y'").replacingOccurrences(
                    of: "note, twice", with: "note")
        ])
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("it waits") { isWaiting() }, "\(told(1))")
        let worker = try #require(workers(of: daemon).first)
        kill(worker, SIGKILL)
        #expect(
            host.until("another worker waits") {
                workers(of: daemon).first.map { $0 != worker } ?? false && isWaiting()
            })
        holder.send(SIGKILL)
        #expect(host.until("it is done") { (try? host.job(1)["state"] as? String) == "done" }, "\(told(1))")
        #expect(try sql("SELECT group_concat(id, ':', note ORDER BY id) FROM ledger") == "1:y,11:y,77:y,87:y")
        #expect(try steps() == " done,8.0.2.sql done")
    }

    @Test func `fails when the server is killed in the middle of a statement, and goes on when it runs again`() throws {
        let own = try Self(on: MariaDBServer())
        try own.sql("CREATE TABLE gate (a INT); INSERT INTO gate VALUES (1)")
        try own.pack([
            "upgrades/8.0.2.sql": Self.text
                + "SELECT sleep(600) FROM gate;\nINSERT INTO ledger VALUES (99, 'end', 1);\n"
        ])
        let daemon = try own.host.start()
        defer { daemon.terminate() }
        let sleeping = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT sleep(600)%'"
        #expect(own.host.until("it runs") { (try? own.server.run(sleeping)) == "1" }, "\(own.told(1))")
        try own.server.killServer()
        #expect(own.host.until("it fails") { (try? own.host.job(1)["state"] as? String) == "failed" }, "\(own.told(1))")
        #expect(try own.host.job(1)["code"] as? String == "database", "\(own.told(1))")
        try own.server.waitUntilReady()
        try own.sql("DELETE FROM gate")
        try own.host.request(#"{"command": "resume", "job": 1}"#, as: "resume.json")
        #expect(own.host.until("it is done") { (try? own.host.job(1)["state"] as? String) == "done" }, "\(own.told(1))")
        #expect(try own.sql("SELECT group_concat(id, ':', twice ORDER BY id) FROM ledger") == "1:2,11:2,99:1")
    }
}
