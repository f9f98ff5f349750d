import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

/// A trigger on a table has its rows loaded one by one: loading many at once must not make a difference.
@Suite struct `Rows that are loaded many at a time` {
    /// A file, the key and the columns to preserve.
    struct Load: CustomTestStringConvertible {
        let text: String
        var key = ["code", "year"]
        var preserve: [String] = []
        var testDescription: String { String(text.prefix(60)) }
    }

    static let loads = [
        Load(text: "code,year,rate,own\nA,2025,9,yours\nA,2026,10,new\nB,2025,3,\n", preserve: ["own"]),
        Load(text: "code,year,rate\nC,2025,2\nC,2025,3\nC,2025,4\n"),
        Load(text: "code,year,rate\nC,2025,2\nC,2026,\n"),
        Load(text: "code,year,rate\nA,2025,-1\nC,2026,1\n"),
        Load(text: "code,year,rate\nC,2026,1\nlong,2026,1\n"),
        Load(text: "code,year,rate\nC,2026,1\nlong,2026,1\n", key: []),
        Load(text: "code,year,rate\nC,2026,1\nD,what,1\n"),
        Load(text: "code,year,rate\nC,2026,1\nD,2026.04,1\nD,2026,2\n"),
        Load(text: "code,year,rate\nC,2026,1\nA,2025,1\n", key: []),
        Load(text: "code,year,own\nA,2025,x\nZ,2025,x\n", preserve: ["own"]),
        Load(
            text: "code,year,note\nC,1,\"tab\tline\nreturn\r\\N \\. \\\\ é 'q' \"\"d\"\"\"\nD,1,\"\"\nE,1,\nF,1,\\N\n"),
        Load(text: "code,note\nA,all\n", key: ["code"]),
        Load(text: "year,note\n2025,both\n", key: ["year"]),
        Load(text: "code,year\nC,2025\nD\n"),
        Load(text: "code,year\nC,2025\n,2026\n"),
        Load(text: "code,year\n"),
    ]

    private static let table = """
        CREATE TABLE taxes(code VARCHAR(3) NOT NULL, year NUMERIC(5,1) NOT NULL, rate NUMERIC(6,2) NOT NULL DEFAULT 1 CHECK (rate > 0),
            note TEXT, own CHAR(6), id SERIAL, UNIQUE (code, year), UNIQUE (id));
        INSERT INTO taxes(code, year, rate, note, own) VALUES ('A', 2025, 1.5, 'old', 'mine'), ('B', 2025, 2.5, 'old', 'mine');
        """

    /// What became of a load: the count or the error, and the rows.
    private func outcome(of load: Load, in session: any Session) throws -> [String] {
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(load.text.utf8).write(to: URL(fileURLWithPath: folder + "/r.csv"))
        let target = RowTarget(table: "taxes", key: load.key, preserve: load.preserve)
        var outcome: [String]
        do {
            let count = try session.load(File.open(folder + "/r.csv"), name: "r.csv", into: target, as: .sample())
            outcome = ["\(String(describing: count))"]
        } catch let error as SQLError {
            // PostgreSQL shows the row, and what was tried before has used up numbers of the sequence.
            outcome = ["\(error)".replacing(/, \d+\)/, with: ", ID)")]
        }
        let rows = try session.query("SELECT code, year, rate, note, own FROM taxes ORDER BY code, year, note", [])
        outcome += rows.map { row in row.map { $0 ?? "NULL" }.joined(separator: "|") }
        let marker = try session.record()?[.sample()]
        return outcome + [marker.map { "\($0.state) \($0.statements)" } ?? "none"]
    }

    @Test(arguments: loads) func `have the same outcome on PostgreSQL`(_ load: Load) throws {
        let slow = try PostgreSQLFixture(
            nil,
            Self.table
                + "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                + "CREATE TRIGGER pass BEFORE INSERT ON taxes FOR EACH ROW EXECUTE FUNCTION pass();")
        let fast = try PostgreSQLFixture(nil, Self.table)
        #expect(
            try outcome(of: load, in: fast.open()).map { $0.replacing(fast.name, with: slow.name) }
                == outcome(of: load, in: slow.open()))
    }

    @Test(arguments: loads) func `have the same outcome on MariaDB`(_ load: Load) throws {
        let slow = try TestMariaDB(
            Self.table + "CREATE TRIGGER pass BEFORE INSERT ON taxes FOR EACH ROW SET NEW.note = NEW.note;")
        let fast = try TestMariaDB(Self.table)
        #expect(
            try outcome(of: load, in: fast.open()).map { $0.replacing(fast.name, with: slow.name) }
                == outcome(of: load, in: slow.open()))
    }

    private static let many = Load(
        text: "code,year,rate\n" + (0..<3000).map { "\($0 % 10),\($0 / 10),\($0 + 1).5\n" }.joined())

    @Test(arguments: [["code", "year"], []]) func `are added with one statement on PostgreSQL`(key: [String]) throws {
        let database = try PostgreSQLFixture(nil, Self.table)
        var load = Self.many
        load.key = key
        #expect(try outcome(of: load, in: database.open())[0] == "Optional(PatchSQL.RowCount(added: 3000, changed: 0))")
        // cmin: the number of the statement in its transaction.
        #expect(
            try database.sql("SELECT count(DISTINCT cmin::text) FROM taxes WHERE rate > 2 AND code NOT IN ('A', 'B')")
                == "1")
        #expect(
            try database.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM taxes WHERE code = '0' AND year < 3")
                == "3 13 23")
    }

    @Test(arguments: [["code", "year"], []]) func `are added with few statements on MariaDB`(key: [String]) throws {
        let database = try TestMariaDB(Self.table)
        var load = Self.many
        load.key = key
        let session = try database.open()
        #expect(try outcome(of: load, in: session)[0] == "Optional(PatchSQL.RowCount(added: 3000, changed: 0))")
        let inserts = try session.query("SHOW SESSION STATUS LIKE 'Com_insert'", []).first?[1].flatMap { Int($0) }
        #expect(try #require(inserts) < 20)
    }

    /// Without a strict mode, several rows at once turn a NULL into a zero, and tables without transactions keep what was
    /// added before the error.
    @Test(arguments: ["SET SESSION sql_mode = ''", "ALTER TABLE taxes ENGINE = MyISAM"])
    func `are added one by one on MariaDB where that makes a difference`(_ setting: String) throws {
        let database = try TestMariaDB(Self.table)
        let session = try database.open()
        try session.query(setting, [])
        let load = Load(text: "code,year,rate\nC,2026,1\nD,2026,\n", key: [])
        #expect(try outcome(of: load, in: session)[0].contains("line 3: "))
    }
}
