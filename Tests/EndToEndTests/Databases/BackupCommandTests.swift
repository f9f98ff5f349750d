import Foundation
import Support
import Testing

/// An endpoint whose databases are copied and put back by commands of the admin's own.
@Suite struct `An endpoint's backup and restore commands` {
    let host: Installation

    init() throws {
        host = try Installation()
        try configure()
        _ = try sql("CREATE TABLE account (name TEXT); INSERT INTO account VALUES ('a')")
    }

    private func configure(
        _ settings: String = "", backup: String = "/bin/cp data/app.db \"$PATCHD_BACKUP\"",
        restore: String = "/bin/cp \"$PATCHD_BACKUP\" data/app.db", version: String = "8.0.1"
    ) throws {
        func command(_ word: String, _ text: String) -> String {
            "\(word): '/bin/echo \(word) $PATCHD_ENDPOINT $PATCHD_FOLDER $PATCHD_DATABASE_URL >> calls; \(text)'\n"
        }
        try host.configureDatabase(
            version: version, at: "data/app.db",
            settings: settings + command("backup", backup) + command("restore", restore))
        try FileManager.default.createDirectory(
            atPath: "\(host.root)/srv/PAIE/data", withIntermediateDirectories: true)
    }

    private func sql(_ statement: String) throws -> String { try host.sql(statement, in: "srv/PAIE/data/app.db") }
    private func job(_ number: Int) throws -> [String: Any] { try host.json("state/jobs/\(number)/job.json") }
    private func told(_ number: Int) -> String { (try? job(number)).map { "\($0)" } ?? "" }
    private func calls() throws -> [String] {
        guard host.exists("srv/PAIE/calls") else { return [] }
        return try host.read("srv/PAIE/calls").split(separator: "\n").map { line in
            #expect(line.hasSuffix(" payroll PAIE sqlite:data/app.db") || line.contains("sqlite:/"), "\(line)")
            return String(line.prefix { $0 != " " })
        }
    }

    private func apply(_ scripts: [String: String]) throws -> Int32 {
        var update = ExampleUpdate()
        for (name, text) in scripts { update.files["X3V8_P2/FILPATCH/upgrades/\(name)"] = text }
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    @Test func `put the database back when the folder is reverted by itself`() throws {
        try configure("onFailure: revert\n")
        #expect(
            try apply(["8.0.2_a.sql": "DELETE FROM account;", "8.0.2_b.sql": "INSERT INTO nowhere VALUES (1);"]) == 1)
        #expect((try job(1)["folders"] as? [String: [String: Any]])?["PAIE"]?["state"] as? String == "reverted")
        #expect(try calls() == ["backup", "restore"])
        #expect(try sql("SELECT name FROM account") == "a")
        #expect(try host.json("state/endpoints/payroll/PAIE.json")["version"] as? String == "8.0.1")
        #expect(!host.exists("srv/PAIE/update.lock"))
        #expect(try apply(["8.0.2_a.sql": "INSERT INTO account VALUES ('b');"]) == 0)
        #expect(try sql("SELECT name FROM account") == "a\nb")
    }

    @Test func `put the database back in a rollback, if data may be discarded`() throws {
        #expect(try apply(["8.0.2.sql": "DELETE FROM account;"]) == 0)
        _ = try sql("INSERT INTO account VALUES ('since')")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
        #expect(try job(2)["code"] as? String == "irreversible")
        #expect(try calls() == ["backup"])
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE", "discardData": true}"#)
        #expect(try job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try calls() == ["backup", "restore"])
        #expect(try sql("SELECT name FROM account") == "a")
        #expect(try sql("SELECT version FROM patchd_step WHERE script = ''") == "8.0.1")
        #expect(try host.read("srv/PAIE/lib/a.dat") == "old\n")
    }

    @Test func `that fail stop the folder before anything is changed in the database, and a resume runs them again`()
        throws
    {
        try configure(backup: "[ -e room ] && /bin/cp data/app.db \"$PATCHD_BACKUP\"")
        #expect(try apply(["8.0.2.sql": "DELETE FROM account;"]) == 1)
        #expect(try job(1)["code"] as? String == "database")
        let message = try job(1)["message"] as? String ?? ""
        #expect(
            message.contains("backup") && message.contains("[ -e room ]") && message.contains("resume"), "\(message)")
        #expect(try sql("SELECT name FROM account") == "a")
        try host.write("", "srv/PAIE/room")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try calls() == ["backup", "backup"])
        #expect(try sql("SELECT count(*) FROM account") == "0")
    }

    @Test func `whose restore fails leave the folder failed and locked, and go on when it was fixed`() throws {
        try configure("onFailure: revert\n", restore: "[ -e fixed ] && /bin/cp \"$PATCHD_BACKUP\" data/app.db")
        #expect(
            try apply(["8.0.2_a.sql": "DELETE FROM account;", "8.0.2_b.sql": "INSERT INTO nowhere VALUES (1);"]) == 1)
        #expect(try job(1)["code"] as? String == "database", "\(told(1))")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        try host.write("", "srv/PAIE/fixed")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect((try job(1)["folders"] as? [String: [String: Any]])?["PAIE"]?["state"] as? String == "reverted")
        #expect(try sql("SELECT name FROM account") == "a")
        #expect(!host.exists("srv/PAIE/update.lock"))
    }
}
