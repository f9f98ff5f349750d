import Foundation
import Support
import Testing

/// `lint --dialect`: the SQL of an archive, held against what patchd runs in that database.
@Suite struct `The SQL that lint looks through` {
    let host: Installation

    init() throws { host = try Installation() }

    /// The findings of code `scriptSyntax`, each as `level place: message`, and the exit code.
    private func lint(_ scripts: [String: String], _ dialect: String? = nil) throws -> (found: [String], code: Int32) {
        var update = ExampleUpdate()
        for (name, text) in scripts { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        try update.pack(to: "\(host.root)/update.zip")
        defer { try? FileManager.default.removeItem(atPath: "\(host.root)/update.zip") }
        let path = "\(host.root)/update.zip"
        let outcome =
            try dialect.map { try host.run("patchctl", "lint", path, "--json", "--dialect", $0) }
            ?? host.run("patchctl", "lint", path, "--json")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.errors)")
        let findings = report["findings"] as? [[String: Any]] ?? []
        let found = findings.filter { $0["code"] as? String == "scriptSyntax" }.map {
            "\($0["level"] ?? "") \($0["place"] ?? ""): \($0["message"] ?? "")"
        }
        return (found, outcome.code)
    }

    @Test(arguments: [
        ("sqlite", "SELECT 1;\nSELECT 'a;\n", "line 2"), ("sqlite", ".read x.sql\n", "line 1"),
        ("sqlite", "CREATE TABLE a (x);\nROLLBACK;\n", "ROLLBACK"), ("sqlite", "SELECT 1; /* a\n", "never ends"),
        ("postgresql", "SELECT 1;\n\\i other.sql\n", "line 2"), ("postgresql", "DO $x$ BEGIN END;\n", "never ends"),
        ("postgresql", "COPY t FROM stdin;\n1\n", "line"), ("mariadb", "SELECT 1;\nUSE other;\n", "line 2"),
        ("mariadb", "DELIMITER\n", "DELIMITER names nothing"), ("firebird", "SELECT 1;\nCONNECT 'x';\n", "line 2"),
        ("firebird", "CREATE PROCEDURE p AS BEGIN x = 1; END;\n", "line 1"),
    ])
    func `is an error where the dialect does not run it, with its line`(
        _ dialect: String, _ text: String, _ words: String
    ) throws {
        let names = ["downgrades/8.0.2_x.sql", "migrations/1_x.down.sql", "migrations/1_x.sql", "upgrades/8.0.2.sql"]
        let (found, code) = try lint(Dictionary(uniqueKeysWithValues: names.map { ($0, text) }), dialect)
        #expect(found.count == names.count && code == 4, "\(found)")
        for (line, name) in zip(found.sorted(), names) {
            #expect(line.hasPrefix("error X3V8_P2/FILPATCH/\(name): \(dialect): "), "\(line)")
            #expect(line.contains(words), "\(line)")
        }
    }

    @Test func `is fine in the dialect that it is written in, and elsewhere only looked at where it runs`() throws {
        let texts = [
            "sqlite": "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END;\n",
            "postgresql": "DO $x$ BEGIN PERFORM 1; END $x$;\nCREATE INDEX CONCURRENTLY i ON a (b);\n",
            "mariadb": "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;\n# a 'remark\n",
            "firebird": "SET TERM ^ ;\nEXECUTE BLOCK AS BEGIN END^\nSET TERM ; ^\n",
        ]
        for (dialect, text) in texts {
            let (found, code) = try lint(["upgrades/8.0.2.sql": text, "data/other.sql": "SELECT 'a;\n"], dialect)
            #expect(found.isEmpty && code == 0, "\(dialect): \(found)")
        }
    }

    @Test func `gets a warning without a dialect only where no database takes it`() throws {
        let (found, code) = try lint(["migrations/1_x.sql": "SELECT 'a;\n", "upgrades/8.0.2.sql": "\\i x\n"])
        #expect(code == 0 && found.count == 2 && found.allSatisfy { $0.hasPrefix("warning ") }, "\(found)")
        let text = "DELIMITER $$\nSELECT 1$$\n"
        #expect(try lint(["upgrades/8.0.2.sql": text]).found.isEmpty)
        #expect(try lint(["upgrades/8.0.2.sql": "-- patchd:transacton none\nSELECT 1;\n"]).found.count == 1)
    }

    @Test func `is for a dialect that there is`() throws {
        let outcome = try host.run("patchctl", "lint", "\(host.root)/update.zip", "--dialect", "oracle")
        #expect(outcome.code == 2 && outcome.errors.contains("firebird"), "\(outcome.errors)")
    }
}
