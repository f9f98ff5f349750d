import Foundation
import Support
import Testing

/// Rows that data jobs load (`datafiles.json`).
@Suite struct `Rows of a data job` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1")
        try sql("CREATE TABLE Rates (code TEXT PRIMARY KEY, rate REAL, own TEXT)")
    }

    @discardableResult
    private func sql(_ statement: String) throws -> String { try host.sql(statement) }

    private func pack(
        _ command: String, _ rows: String, version: String, dependency: String, to place: String
    ) throws {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "X3V8_P2/FILPATCH/jobs.json": "[[\"\(command)\", \"Rates\"]]",
            "X3V8_P2/FILPATCH/datafiles.json":
                #"{"Rates": {"files": ["Data/RATES.DBM"], "record": {"index": 7}, "rows": "rates.csv", "key": ["code"], "preserve": ["own"]}}"#,
            "X3V8_P2/FILPATCH/Data/RATES.DBM": "\(version)\n", "X3V8_P2/FILPATCH/rates.csv": rows,
            "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
        ]
        try update.pack(to: "\(host.root)/\(place)")
    }

    private func apply(_ command: String, _ rows: String, version: String, dependency: String) throws -> Int32 {
        try pack(command, rows, version: version, dependency: dependency, to: "spool/incoming/update.zip")
        return try host.once().code
    }

    private func job(_ number: Int) throws -> [String: Any] { try host.json("state/jobs/\(number)/job.json") }

    @Test func `are added and changed by their key, and what is the folder's own stays`() throws {
        #expect(try apply("installdata", "code,rate,own\nA,1.5,x\nB,2,y\n", version: "8.0.2", dependency: "8.0.1") == 0)
        try sql("UPDATE Rates SET own = 'mine' WHERE code = 'A'")
        #expect(try apply("replacedata", "code,rate,own\nA,9,z\nC,3,z\n", version: "8.0.3", dependency: "8.0.2") == 0)
        let rows = try sql("SELECT * FROM Rates ORDER BY code")
        #expect(rows == "A|9.0|mine\nB|2.0|y\nC|3.0|z")
        #expect(try host.json("srv/PAIE/registry.json")["tables"] != nil)
        // Without discarding data they cannot be taken out again.
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
        #expect(try job(3)["code"] as? String == "irreversible")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE", "discardData": true}"#)
        #expect(try job(4)["state"] as? String == "done", "\((try? job(4)) ?? [:])")
        #expect(try sql("SELECT * FROM Rates ORDER BY code") == "A|1.5|mine\nB|2.0|y")
        #expect(try host.read("srv/PAIE/Data/RATES.DBM") == "8.0.2\n")
    }

    @Test func `that the table has already are skipped and counted as equal`() throws {
        let rows = "code,rate,own\nA,1.5,x\nB,2,y\n"
        #expect(try apply("installdata", rows, version: "8.0.2", dependency: "8.0.1") == 0)
        try sql("UPDATE Rates SET own = 'mine' WHERE code = 'A'")
        try sql("CREATE TRIGGER noticed BEFORE UPDATE ON Rates BEGIN SELECT raise(ABORT, 'written'); END")
        try pack("replacedata", rows, version: "8.0.3", dependency: "8.0.2", to: "plan.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/plan.zip", "--json")
        #expect(!plan.output.contains("rows"), "\(plan.output)")
        #expect(try apply("replacedata", rows, version: "8.0.3", dependency: "8.0.2") == 0)
        let folder = try #require((try job(2)["folders"] as? [String: [String: Any]])?["PAIE"])
        let progress = try #require(folder["progress"] as? [String: Any])
        #expect(progress["done"] as? Int == progress["total"] as? Int)
        // The other patch's file, the directory and the registry are as they were, too; the table's file is a new one.
        #expect(folder["equal"] as? Int == 4, "\(folder)")
        let trace = try host.read("state/jobs/2/traces/PAIE.log")
        #expect(trace.contains("rows Rates") && trace.contains("has these rows already"), "\(trace)")
        #expect(!trace.contains("copying the database"))
        #expect(try sql("SELECT version, state FROM patchd_step WHERE script LIKE 'rows:% 8.0.3'") == "8.0.3|done")
        // Nothing ran that could not be undone.
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
        #expect(try job(3)["state"] as? String == "done", "\((try? job(3)) ?? [:])")
        #expect(try sql("SELECT * FROM Rates ORDER BY code") == "A|1.5|mine\nB|2.0|y")
        try sql("DROP TRIGGER noticed")
        try sql("UPDATE Rates SET rate = 7 WHERE code = 'B'")
        #expect(try apply("replacedata", rows, version: "8.0.3", dependency: "8.0.2") == 0)
        #expect(try sql("SELECT * FROM Rates ORDER BY code") == "A|1.5|mine\nB|2.0|y")
    }

    @Test func `that a script before them may change are loaded in any case`() throws {
        let rows = "code,rate,own\nA,1.5,x\n"
        #expect(try apply("installdata", rows, version: "8.0.2", dependency: "8.0.1") == 0)
        var update = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
        update.files = [
            "X3V8_P2/FILPATCH/upgrades/8.0.3.sql": "UPDATE Rates SET rate = 0;\n",
            "X3V8_P2BIS/FILPATCH/jobs.json": #"[["replacedata", "Rates"]]"#,
            "X3V8_P2BIS/FILPATCH/datafiles.json":
                #"{"Rates": {"rows": "rates.csv", "key": ["code"], "preserve": ["own"]}}"#,
            "X3V8_P2BIS/FILPATCH/rates.csv": rows,
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(try sql("SELECT * FROM Rates") == "A|1.5|x")
    }

    @Test(arguments: [
        ("code,rate,colour\nA,1,red\n", "no column \"colour\""), ("code,rate\nA,1\nB,\"2\n", "line"),
        ("code,rate\nA,1\nB\n", "line 3"),
    ])
    func `that are wrong load nothing, and the line is told`(_ rows: String, _ told: String) throws {
        #expect(try apply("installdata", rows, version: "8.0.2", dependency: "8.0.1") == 1)
        #expect(try job(1)["code"] as? String == "sql")
        let message = try job(1)["message"] as? String ?? ""
        #expect(message.contains(told), "\(message)")
        #expect(try sql("SELECT count(*) FROM Rates") == "0")
        // Seen before anything was touched.
        #expect(!host.exists("srv/PAIE/update.lock") && !host.exists("srv/PAIE/registry.json"))
        #expect(try apply("installdata", "code,rate\nA,1\n", version: "8.0.2", dependency: "8.0.1") == 0)
        #expect(try sql("SELECT code FROM Rates") == "A")
    }

    @Test func `that a NOT NULL column refuses fail the preflight, before a folder is locked`() throws {
        try sql("CREATE TABLE Rules (code TEXT PRIMARY KEY, name TEXT NOT NULL)")
        var update = ExampleUpdate(version: "8.0.2", dependency: "8.0.1")
        update.files = [
            "X3V8_P2/FILPATCH/jobs.json": #"[["installdata", "Rules"]]"#,
            "X3V8_P2/FILPATCH/datafiles.json": #"{"Rules": {"rows": "rules.csv", "key": ["code"]}}"#,
            "X3V8_P2/FILPATCH/rules.csv": "code,name\nA,a\nB,\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try job(1)["code"] as? String == "sql")
        let message = try job(1)["message"] as? String ?? ""
        #expect(message.contains("line 3: NOT NULL constraint failed: Rules.name"), "\(message)")
        #expect(try job(1)["disconnectedAt"] == nil)
    }
}
