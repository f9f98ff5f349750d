import Foundation
import Support
import Testing

/// Scripts for dozens of versions, named as AlternC names its own, brought in one drop.
@Suite struct `A chain of upgrades` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "0.9")
        try sql("CREATE TABLE ran (name TEXT)")
    }

    @discardableResult
    private func sql(_ statement: String) throws -> String { try host.sql(statement) }

    /// In the order in which they have to run.
    private static let names =
        [
            "0.9.1.sql", "0.9.1_migrationldap.php", "0.9.2.sql", "0.9.2.php", "0.9.3.sql", "0.9.3.1.sql", "0.9.4.sql",
            "0.9.5.sql", "0.9.5.sh", "0.9.6.sql", "0.9.7.sql", "0.9.9.sql", "0.9.10.sql", "1.0.sql", "1.0.1.php",
            "1.0.3.sql", "1.0.4.sh", "1.1.sql", "1.1.sh", "1.1.php", "3.0.0~b.sh", "3.0.0.sql", "3.0.3~a.sql",
            "3.0.3~b.sql", "3.0.3.sql",
        ] + (4...28).map { "3.0.\($0).sql" } + ["3.5.3~20250703001.sql", "3.5.3~20250703002.sql", "3.5.3.sql"]

    private func update(_ names: [String], to version: String, from dependency: String) -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        for name in names {
            let statement = "INSERT INTO ran VALUES ('\(name)')"
            let text =
                name.hasSuffix(".sql")
                ? "CREATE TABLE \"t\(name)\" (x);\n\(statement);\n"
                : name.hasSuffix(".php")
                    ? "<?php passthru(\"sqlite3 app.db \\\"\(statement)\\\"\", $code); exit($code);\n"
                    : "sqlite3 app.db \"\(statement)\"\n"
            update.files["X3V8_P2/FILPATCH/upgrades/\(name)"] = text
        }
        return update
    }

    @Test func `from the oldest version to the newest runs each script once, in dpkg's order`() throws {
        // The zip's own order is another one.
        try update(Self.names.shuffled(), to: "3.5.3", from: "0.9").pack(to: "\(host.root)/spool/incoming/all.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try sql("SELECT name FROM ran ORDER BY rowid").split(separator: "\n").map(String.init) == Self.names)
        #expect(try sql("SELECT version FROM patchd_step WHERE script = ''") == "3.5.3")
        // All of it again, for a later version that adds one: from 3.5.3 on only that is due.
        let more = Self.names + ["3.5.4.sql"]
        try update(more, to: "3.5.4", from: "0.9").pack(to: "\(host.root)/spool/incoming/more.zip")
        #expect(try host.once().code == 0)
        #expect(try sql("SELECT name FROM ran ORDER BY rowid").split(separator: "\n").map(String.init) == more)
    }

    @Test func `that is cut off again and again leaves each script done exactly once`() throws {
        let some = Self.names.filter { $0.hasSuffix(".sql") }
        try update(some, to: "3.5.3", from: "0.9").pack(to: "\(host.root)/spool/incoming/all.zip")
        for point in stride(from: 1, to: 400, by: 7) {
            if try host.once(environment: ["PATCHD_FAULT_POINT": "patchd-worker:kill:\(point)"]).code == 0 { break }
        }
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try sql("SELECT name FROM ran ORDER BY rowid").split(separator: "\n").map(String.init) == some)
        #expect(try sql("SELECT count(*) FROM patchd_step WHERE state = 'done'") == "\(some.count + 1)")
    }
}
