import Foundation
import Support
import Testing

/// PAIE has a SQLite database and a vendor who numbers his changes by himself.
@Suite struct `Migrations` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1", settings: "grace: 1s\n")
        try host.sql("CREATE TABLE ran (name TEXT)")
    }

    private func update(_ names: [String], _ version: String = "8.0.2", _ dependency: String = "8.0.1") -> ExampleUpdate
    {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "X3V8_P2/FILPATCH/lib/\(version).dat": "here\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
        ]
        for name in names {
            let file = name.contains(".") ? name : name + ".sql"
            let stem = file.replacing(".down.sql", with: "").replacing(".up.sql", with: "").replacing(".sql", with: "")
            update.files["X3V8_P2/FILPATCH/migrations/\(file)"] =
                file.contains(".down.")
                ? "INSERT INTO ran VALUES ('back \(stem)');\nDROP TABLE \"\(stem)\";\n"
                : "CREATE TABLE \"\(stem)\" (x);\nINSERT INTO ran VALUES ('\(stem)');\n"
        }
        return update
    }

    private func drop(_ update: ExampleUpdate) throws { try update.pack(to: "\(host.root)/spool/incoming/update.zip") }

    private func apply(_ update: ExampleUpdate) throws -> Int32 {
        try drop(update)
        return try host.once().code
    }

    private func ran() throws -> String {
        try host.sql("SELECT group_concat(name, ' ') FROM (SELECT name FROM ran ORDER BY rowid)")
    }

    private func told(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }

    private func plan(_ update: ExampleUpdate) throws -> (steps: [String], faults: [String], warnings: [String]) {
        try update.pack(to: "\(host.root)/plan.zip")
        defer { try? FileManager.default.removeItem(atPath: "\(host.root)/plan.zip") }
        let outcome = try host.run("patchctl", "plan", "\(host.root)/plan.zip", "--json")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.errors)")
        let endpoint = try #require((report["endpoints"] as? [[String: Any]])?.first)
        let folder = try #require((endpoint["folders"] as? [[String: Any]])?.first)
        let steps = try #require(folder["steps"] as? [[String: Any]])
        let faults = endpoint["faults"] as? [[String: Any]] ?? []
        return (
            steps.filter { $0["kind"] as? String == "script" }.compactMap { $0["path"] as? String },
            faults.map { "\($0["code"] ?? ""): \($0["message"] ?? "")" }, endpoint["warnings"] as? [String] ?? []
        )
    }

    private func changed(_ update: ExampleUpdate) throws -> [String] {
        try plan(update).warnings.filter { $0.contains("another than the one that ran") }
    }

    @Test func `run once whichever update brings them, by their numbers and after the upgrades`() throws {
        var first = update(["10_c", "V2__b.up.sql", "0001_a"])
        first.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sql"] = "INSERT INTO ran VALUES ('upgrade');\n"
        #expect(try plan(first).steps.count == 4)
        #expect(try apply(first) == 0, "\(told(1))")
        #expect(try ran() == "upgrade 0001_a V2__b 10_c")
        #expect(
            try host.sql(
                "SELECT update_name || '|' || patch || '|' || script || '|' || state FROM patchd_step ORDER BY 1"
            )
            .contains("|$ROOT|0001_a.sql|done"))
        // Another update with another name brings all of them again, and one more.
        var second = update(["0001_a", "V2__b", "10_c", "11_d"], "8.0.3", "8.0.2")
        second.name = "X3V8_P3"
        #expect(try plan(second).steps == ["migrations/11_d.sql"])
        #expect(try apply(second) == 0, "\(told(2))")
        #expect(try ran() == "upgrade 0001_a V2__b 10_c 11_d")
        let listed = try host.read("state/jobs/2/plan/1/PAIE")
        #expect(listed.contains("INSERT INTO ran VALUES ('11_d')") && !listed.contains("10_c"), "\(listed)")
    }

    @Test func `whose number is used or passed fail the preflight, and nothing is touched`() throws {
        #expect(try apply(update(["1_a", "3_c"])) == 0, "\(told(1))")
        for (number, names) in [(2, ["1_a", "2_b", "3_c"]), (3, ["2_b"]), (4, ["3_d"]), (5, ["4_d", "4_e"])] {
            let late = update(names, "8.0.3", "8.0.2")
            #expect(try plan(late).faults.allSatisfy { $0.hasPrefix("sql: cannot run the migrations") })
            #expect(try apply(late) == 1)
            #expect(try host.job(number)["code"] as? String == "sql", "\(told(number))")
        }
        #expect(try ran() == "1_a 3_c")
        var allowed = update(["1_a", "2_b", "3_c", "3_d"], "8.0.3", "8.0.2")
        allowed.isOutOfOrder = true
        #expect(try apply(allowed) == 0, "\(told(6))")
        #expect(try ran() == "1_a 3_c 2_b 3_d")
    }

    @Test func `that were changed after they ran are not run again, and that is said`() throws {
        #expect(try apply(update(["1_a"])) == 0)
        var same = update(["1_a", "2_b"], "8.0.3", "8.0.2")
        let text = same.files["X3V8_P2/FILPATCH/migrations/1_a.sql"] ?? ""
        same.files["X3V8_P2/FILPATCH/migrations/1_a.sql"] = "-- a licence\r\n" + text.replacing("\n", with: "\r\n")
        #expect(try changed(same).isEmpty, "blanks and comments make no other script of it")
        same.files["X3V8_P2/FILPATCH/migrations/1_a.sql"] = text + "INSERT INTO ran VALUES ('more');\n"
        let found = try changed(same)
        #expect(found.count == 1 && found[0].contains("migrations/1_a.sql"), "\(found)")
        #expect(try apply(same) == 0)
        #expect(try ran() == "1_a 2_b")
    }

    @Test func `go back by what is beside them, the last one first, and run again afterwards`() throws {
        #expect(try apply(update(["1_a", "1_a.down.sql"])) == 0)
        let second = update(
            ["1_a", "1_a.down.sql", "2_b", "2_b.down.sql", "3_c.up.sql", "3_c.down.sql"], "8.0.3", "8.0.2")
        #expect(try apply(second) == 0, "\(told(2))")
        #expect(try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)["ok"] as? Bool == true)
        #expect(try host.job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try ran() == "1_a 2_b 3_c back 3_c back 2_b", "what the job did not run stays")
        #expect(try host.sql("SELECT group_concat(script) FROM patchd_step WHERE update_name = ''") == ",1_a.sql")
        #expect(try apply(second) == 0, "\(told(4))")
        #expect(try ran() == "1_a 2_b 3_c back 3_c back 2_b 2_b 3_c")
    }

    @Test func `without a way back cannot be undone, but by the copy of the database`() throws {
        #expect(try apply(update(["1_a"])) == 0)
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
        #expect(try host.job(2)["code"] as? String == "irreversible", "\(told(2))")
        #expect(told(2).contains("no 1_a.down.sql beside it"), "\(told(2))")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE", "discardData": true}"#)
        #expect(try host.job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try ran() == "")
        try host.configureDatabase(version: "8.0.1", settings: "grace: 1s\nbackup: none\nonFailure: revert\n")
        #expect(try apply(update(["1_a"])) == 1)
        #expect(try host.job(4)["code"] as? String == "irreversible", "\(told(4))")
    }

    @Test func `of which one is wrong go on with it in a corrected archive, or behind it where an admin says so`()
        throws
    {
        var wrong = update(["1_a", "1_a.down.sql", "2_b", "2_b.down.sql", "3_c", "3_c.down.sql"])
        wrong.files["X3V8_P2/FILPATCH/migrations/2_b.sql"] = "INSERT INTO nowhere VALUES (1);\n"
        #expect(try apply(wrong) == 1)
        #expect(try host.job(1)["code"] as? String == "sql")
        #expect(told(1).contains("migrations/2_b.sql, statement 1 of 1"), "\(told(1))")
        let answer = try host.ask(#"{"command": "resume", "job": 1, "assumeDone": "2_b.sql"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try ran() == "1_a 3_c")
        #expect(try host.sql("SELECT state FROM patchd_step WHERE script = '2_b.sql'") == "assumed")
        var next = update(["4_d"], "8.0.3", "8.0.2")
        next.files["X3V8_P2/FILPATCH/migrations/4_d.sql"] = "INSERT INTO nowhere VALUES (1);\n"
        #expect(try apply(next) == 1)
        #expect(try apply(update(["4_d"], "8.0.3", "8.0.2")) == 0, "\(told(3))")
        #expect(try ran() == "1_a 3_c 4_d")
    }

    /// With a copy that is restored, by the ways back, and by the ways back at once.
    @Test(arguments: ["", "backup: none\n", "backup: none\nonFailure: revert\n"])
    func `are undone as far as they ran where one fails, and all run in a corrected archive`(_ settings: String) throws
    {
        try host.configureDatabase(version: "8.0.1", settings: "grace: 1s\n" + settings)
        let names = ["1_a", "1_a.down.sql", "2_b", "2_b.down.sql", "3_c", "3_c.down.sql"]
        var wrong = update(names)
        wrong.files["X3V8_P2/FILPATCH/migrations/2_b.sql"] =
            "CREATE TABLE \"2_b\" (x);\nINSERT INTO nowhere VALUES (1);\n"
        #expect(try apply(wrong) == 1)
        #expect(try ran() == (settings.contains("revert") ? "1_a back 1_a" : "1_a"))
        #expect(try apply(update(names)) == 0, "\(told(2))")
        #expect(try ran() == (settings.isEmpty ? "1_a 2_b 3_c" : "1_a back 1_a 1_a 2_b 3_c"))
        #expect(try host.sql("SELECT count(*) FROM patchd_step WHERE patch = '$ROOT' AND state = 'done'") == "3")
    }

    @Test func `of a dump that is restored are run as far as the dump lacks them`() throws {
        #expect(try apply(update(["1_a"])) == 0)
        try host.sql("VACUUM INTO '\(host.root)/dump.db'")
        #expect(try apply(update(["1_a", "2_b"], "8.0.3", "8.0.2")) == 0)
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/PAIE/app.db")
        try FileManager.default.copyItem(atPath: "\(host.root)/dump.db", toPath: "\(host.root)/srv/PAIE/app.db")
        let answer = try host.ask(#"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.2"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try apply(update(["1_a", "2_b", "3_c"], "8.0.4", "8.0.2")) == 0, "\(told(3))")
        #expect(try ran() == "1_a 2_b 3_c")
    }

    @Test func `of another host that brought them count as done`() throws {
        #expect(try apply(update(["1_a"])) == 0)
        // The state is lost, or the database went to another host: its version is that of the configuration again.
        try FileManager.default.removeItem(atPath: "\(host.root)/state")
        try FileManager.default.createDirectory(atPath: "\(host.root)/state", withIntermediateDirectories: true)
        try host.configureDatabase(version: "8.0.2", settings: "grace: 1s\n")
        #expect(try apply(update(["1_a", "2_b"], "8.0.3", "8.0.2")) == 0, "\(told(1))")
        #expect(try ran() == "1_a 2_b")
    }

    @Test(arguments: ["0002_b", "0002_b.sql", "V2__other.up.sql"])
    func `up to one that an admin names count as done, without an archive`(_ name: String) throws {
        let answer = try host.ask(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.1", "migrations": "\#(name)"}"#)
        let stem = name.replacing(".up.sql", with: "").replacing(".sql", with: "")
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect((answer["message"] as? String)?.contains("up to \(stem).sql") == true, "\(answer)")
        #expect(
            (try host.json("state/endpoints/payroll/PAIE.json")["message"] as? String)?.contains("\(stem).sql") == true)
        #expect(try apply(update(["1_a", "0002_b", "3_c"])) == 0, "\(told(1))")
        #expect(try ran() == "3_c")
        // The mark outlives the update; a lower one has what is above it run.
        #expect(try apply(update(["1_a", "0002_b", "3_c", "4_d"], "8.0.3", "8.0.2")) == 0, "\(told(2))")
        #expect(try ran() == "3_c 4_d")
        _ = try host.ask(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.3", "migrations": "3_c"}"#)
        try host.sql("DROP TABLE \"4_d\"")
        #expect(try apply(update(["3_c", "4_d"], "8.0.4", "8.0.3")) == 0, "\(told(3))")
        #expect(try ran() == "3_c 4_d 4_d")
    }

    @Test func `that an admin names without a number are no request`() throws {
        let answer = try host.ask(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.1", "migrations": "init.sql"}"#)
        #expect(answer["ok"] as? Bool == false && answer["code"] as? String == "requestInvalid", "\(answer)")
        let refused = try host.run(
            "patchctl", "baseline", "payroll/PAIE", "8.0.1", "--migrations", "init.sql", "--help")
        #expect(refused.output.contains("--migrations"))
    }

    @Test func `that are cut off again and again are each done exactly once`() throws {
        let names = (1...30).map { "\($0)_m" }
        try drop(update(names.shuffled()))
        for point in stride(from: 1, to: 300, by: 7) {
            if try host.once(environment: ["PATCHD_FAULT_POINT": "patchd-worker:kill:\(point)"]).code == 0 { break }
        }
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try ran() == names.joined(separator: " "))
    }

    @Test func `that were done while the job waited are left alone, and not undone with it`() throws {
        // SQLite's exclusive lock: nobody can ask, so that all are planned and the record decides later.
        #expect(try apply(update(["1_a", "1_a.down.sql"])) == 0)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        holder.arguments = ["\(host.root)/srv/PAIE/app.db"]
        let (orders, said) = (Pipe(), Pipe())
        holder.standardInput = orders
        holder.standardOutput = said
        try holder.run()
        defer { holder.terminate() }
        try orders.fileHandleForWriting.write(contentsOf: Data("BEGIN EXCLUSIVE;\nSELECT 'held';\n".utf8))
        #expect(String(decoding: said.fileHandleForReading.availableData, as: UTF8.self).contains("held"))
        let next = update(["1_a", "1_a.down.sql", "2_b", "2_b.down.sql"], "8.0.3", "8.0.2")
        #expect(try plan(next).warnings.contains { $0.contains("which migrations are done is not known") })
        #expect(try apply(next) == 0, "\(told(2))")
        #expect(try ran() == "1_a 2_b")
        #expect(try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)["ok"] as? Bool == true)
        #expect(try host.job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try ran() == "1_a 2_b back 2_b")
        #expect(try host.sql("SELECT count(*) FROM patchd_step WHERE script = '1_a.sql'") == "1")
    }

    @Test func `need a database, as scripts in SQL do`() throws {
        try host.configure("payroll", settings: "grace: 1s\n")
        #expect(try apply(update(["1_a"])) == 1)
        #expect(try host.job(1)["code"] as? String == "database", "\(told(1))")
        #expect(told(1).contains("migrations/1_a.sql: the folder has no database"), "\(told(1))")
    }

    @Test func `reach a folder that catches up`() throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            folders:
              - {name: PAIE, version: 8.0.1, database: "sqlite:app.db"}
              - {name: SEED, parent: PAIE, database: "sqlite:app.db"}

            """, "etc/endpoints.d/payroll.yaml")
        try host.sql("CREATE TABLE ran (name TEXT)", in: "srv/SEED/app.db")
        try host.write("{\"exclude\": [\"SEED\"]}", "spool/incoming/update.zip.json")
        #expect(try apply(update(["1_a"])) == 0, "\(told(1))")
        try host.write("{\"exclude\": [\"SEED\"]}", "spool/incoming/update.zip.json")
        #expect(try apply(update(["1_a", "2_b"], "8.0.3", "8.0.2")) == 0, "\(told(2))")
        let answer = try host.ask(#"{"command": "catchup", "target": "payroll/SEED"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.once().code == 0)
        #expect(try host.sql("SELECT group_concat(name, ' ') FROM ran", in: "srv/SEED/app.db") == "1_a 2_b")
    }
}
