import Foundation
import Support
import Testing

/// PAIE has a Firebird database that no server has open.
@Suite struct `A folder's Firebird file` {
    let host: Installation

    init() throws {
        host = try Installation()
        try FileManager.default.createDirectory(atPath: "\(host.root)/srv/PAIE/data", withIntermediateDirectories: true)
        try FirebirdServer.isql(
            """
            CREATE DATABASE '\(path)' DEFAULT CHARACTER SET UTF8; COMMIT;
            CREATE TABLE account (name varchar(20) NOT NULL PRIMARY KEY, amount integer NOT NULL); COMMIT;
            INSERT INTO account VALUES ('a', 1);
            """, in: "", "SYSDBA")
        try configure()
    }

    private var path: String { "\(host.root)/srv/PAIE/data/app.fdb" }

    private func configure(_ settings: String = "grace: 1s\n") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)\(settings)folders:
              - {name: PAIE, version: 8.0.1, database: "firebird:\(path)"}

            """, "etc/endpoints.d/payroll.yaml")
    }

    private func sql(_ statements: String) throws -> String {
        try FirebirdServer.isql(statements, in: path, "SYSDBA")
    }

    private func drop(_ scripts: [String: String], version: String = "8.0.2", dependency: String = "8.0.1") throws {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2/FILPATCH/lib/\(version).dat": "here\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        for (name, text) in scripts { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func job(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }
    private func state(_ number: Int) -> String { (try? host.job(number)["state"] as? String) ?? "" }

    @Test func `runs its scripts once, knows them and its version, and shows the lock meanwhile`() throws {
        try drop([
            "upgrades/8.0.2.sql": """
            SET TERM ^ ;
            CREATE PROCEDURE codes RETURNS (code integer) AS
            BEGIN
              FOR SELECT code FROM patchd_revision INTO :code DO SUSPEND;
            END^
            SET TERM ; ^
            ALTER TABLE account ADD code integer;
            UPDATE account SET code = (SELECT code FROM codes);
            COMMIT;
            """
        ])
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors) \(job(1))")
        #expect(try sql("SELECT name, amount, code FROM account;") == "a|1|9999")
        #expect(
            try sql("SELECT script, version, state FROM patchd_step ORDER BY version, script;")
                == "8.0.2|done\n8.0.2.sql|8.0.2|done")
        #expect(try sql("SELECT count(*) FROM patchd_revision;") == "0")
        let trace = try host.read("state/jobs/1/traces/PAIE.log")
        #expect(trace.contains("ALTER TABLE account ADD code integer") && trace.contains("1 rows changed"))
        #expect(trace.contains("writing data for table ACCOUNT"))
        #expect(try host.read("state/jobs/1/plan/1/PAIE").contains("UPDATE account SET code"))
    }

    @Test func `keeps what is before a wrong statement, and goes on there with a corrected archive`() throws {
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\nINSERT INTO nowhere\n VALUES (1);\n"])
        #expect(try host.once().code == 1)
        #expect(job(1).contains("statement 2 of 2, line 2") && job(1).contains("Table unknown, NOWHERE"), "\(job(1))")
        #expect(try host.job(1)["code"] as? String == "sql")
        #expect(try sql("SELECT code FROM patchd_revision;") == "9999")
        try drop([
            "upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);\nINSERT INTO account\n VALUES ('c', 3);\n"
        ])
        #expect(try host.once().code == 0, "\(job(2))")
        #expect(try sql("SELECT name FROM account ORDER BY 1;") == "a\nb\nc")
    }

    @Test func `is put back from its copy when the folder is reverted by itself`() throws {
        try configure("grace: 1s\nonFailure: revert\n")
        try drop(["upgrades/8.0.2.sql": "DELETE FROM account; DROP TABLE account; INSERT INTO nowhere VALUES (1);"])
        #expect(try host.once().code == 1)
        #expect((try host.job(1)["folders"] as? [String: [String: Any]])?["PAIE"]?["state"] as? String == "reverted")
        #expect(try sql("SELECT name FROM account;") == "a")
        #expect(!host.exists("srv/PAIE/lib/8.0.2.dat"))
    }

    @Test func `is left by whoever has it open, or he is ended`() throws {
        let holder = try FirebirdServer.fileHolder("SELECT name FROM account;", path)
        try drop(["upgrades/8.0.2.sql": "INSERT INTO account VALUES ('b', 2);"])
        #expect(try host.once().code == 0, "\(job(1))")
        holder.leave()
        #expect(try host.read("state/jobs/1/traces/PAIE.log").contains("in use by isql-fb (pid \(holder.pid)"))
        #expect(try sql("SELECT name FROM account ORDER BY 1;") == "a\nb")
    }

    @Test func `has each statement once although its worker is killed in the middle of the script`() throws {
        try drop([
            "upgrades/8.0.2.sql": FirebirdServer.slowScript
        ])
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        let trace = "state/jobs/1/traces/PAIE.log"
        #expect(
            host.until("the slow statement runs") {
                (try? host.read(trace))?.contains("statement 3, line 4") == true
            })
        let worker = try #require(Installation.child(of: daemon.processIdentifier, named: "patchd-worker"))
        kill(worker, SIGKILL)
        #expect(host.until("it is done") { state(1) == "done" }, "\(job(1))")
        #expect(try sql("SELECT entry FROM log;") == "first\nslow\nlast")
        // It did run twice, and was taken back once.
        let told = try host.read(trace)
        #expect(told.split(separator: "\n").count { $0.contains("statement 3, line 4") } == 2, "\(told)")
    }
}
