import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `Rows of a CSV file on Firebird` {
    private let taxes = """
        CREATE TABLE taxes(code varchar(10) NOT NULL COLLATE UNICODE_CI, tax_year integer NOT NULL, rate numeric(9,2),
            note blob sub_type text, own varchar(10), since date, twice computed by (rate * 2),
            PRIMARY KEY (code, tax_year));
        CREATE TABLE "Mixed Case"("a""b" varchar(10), "order" integer);
        COMMIT;
        INSERT INTO taxes(code, tax_year, rate, note, own) VALUES ('A', 2025, 1.5, 'old', 'mine');
        INSERT INTO taxes(code, tax_year, rate, note, own) VALUES ('B', 2025, 2.5, 'old', 'mine');
        COMMIT;
        """

    private func withFile<Value>(_ text: String, _ body: (borrowing File) throws -> Value) throws -> Value {
        let path = "/tmp/patchd-sql-\(UInt64.random(in: .min ... .max)).csv"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        return try body(File.open(path))
    }

    private func load(
        _ text: String, _ database: FirebirdTestDatabase, table: String = "taxes", key: [String] = [],
        preserve: [String] = [], name: String = "rows:TAXES"
    ) throws -> RowCount? {
        try withFile(text) { file in
            try database.open().load(
                file, name: "TAXES.csv", into: RowTarget(table: table, key: key, preserve: preserve), as: .sample(name))
        }
    }

    private func has(
        _ text: String, _ database: FirebirdTestDatabase, key: [String], preserve: [String] = []
    ) throws -> Bool {
        try withFile(text) { file in
            try database.open().has(
                file, name: "TAXES.csv", in: RowTarget(table: "Taxes", key: key, preserve: preserve))
        }
    }

    private func rows(_ database: FirebirdTestDatabase) throws -> String {
        try database.isql(
            "SELECT code, tax_year, rate, coalesce(cast(note as varchar(20)), '-'), own, since FROM taxes ORDER BY 1, 2;"
        )
    }

    @Test func `are added once, and changed where their key is there, but for the columns to preserve`() throws {
        let database = try FirebirdTestDatabase(taxes)
        let text = "CODE,tax_year,rate,own,note,since\nA,2025,9,yours,\"x, y\",2026-02-28\nC,2026,,new,,\n"
        let key = ["code", "tax_year"]
        #expect(try load(text, database, key: key, preserve: ["own"]) == RowCount(added: 1, changed: 1))
        #expect(
            try rows(database)
                == "A|2025|9.00|x,|y|mine|2026-02-28\nB|2025|2.50|old|mine|<null>\nC|2026|<null>|-|new|<null>")
        #expect(try load(text, database, key: key, preserve: ["own"]) == nil)
    }

    @Test func `reach tables and columns with odd names, and others whatever case they are written in`() throws {
        let database = try FirebirdTestDatabase(taxes)
        #expect(
            try load("\"a\"\"b\",order\nx,1\n", database, table: "Mixed Case", name: "rows:1")
                == RowCount(added: 1, changed: 0))
        #expect(try database.isql("SELECT \"order\" FROM \"Mixed Case\";") == "1")
        #expect(try load("Code,Tax_Year\nZ,1\n", database, table: "TAXES", name: "rows:2")?.added == 1)
        let error = try #require(throws: SQLError.self) { try load("a\n1", database, table: "nowhere") }
        #expect(error.cause == "there is no table nowhere")
    }

    @Test(arguments: [
        ("code,tax_year\nC,2026\nA,2025\n", 3, "violation of PRIMARY or UNIQUE KEY"),
        ("code,tax_year\nC,twenty\n", 2, "conversion error"), ("code,tax_year\nC,\n", 2, "validation error"),
        ("code,twice,tax_year\nC,1,2\n", 1, "no column \"twice\""),
    ])
    func `that break a rule of the table load nothing, and the line is told`(
        text: String, line: Int, cause: String
    ) throws {
        let database = try FirebirdTestDatabase(taxes)
        let error = try #require(throws: SQLError.self) { try load(text, database) }
        #expect(error.code == .sql && error.place?.line == line && error.cause.contains(cause), "\(error)")
        #expect(try database.isql("SELECT count(*) FROM taxes;") == "2")
    }

    @Test func `are the same only where every byte is, whatever the collation says`() throws {
        let database = try FirebirdTestDatabase(taxes)
        let key = ["code", "tax_year"]
        #expect(try has("code,tax_year,rate,note\nA,2025,1.50,old\nB,2025,2.5,old\n", database, key: key))
        #expect(try !has("code,tax_year,rate\nA,2025,1.51\n", database, key: key))
        #expect(try !has("code,tax_year,note\nA,2025,OLD\n", database, key: key))
        #expect(try !has("code,tax_year,own\nA,2025,mine \n", database, key: key))
        #expect(try has("code,tax_year,own\nA,2025,theirs\n", database, key: key, preserve: ["own"]))
        #expect(try !has("code,tax_year\nD,2025\n", database, key: key))
    }

    @Test func `without a key never count as there`() throws {
        let database = try FirebirdTestDatabase(taxes)
        #expect(try !has("code,tax_year,rate,note,own\nA,2025,1.5,old,mine\nB,2025,2.5,old,mine\n", database, key: []))
    }

    @Test func `may be longer than a row of Firebird's where their column is a blob`() throws {
        let database = try FirebirdTestDatabase(taxes)
        let long = String(repeating: "ä", count: 50_000)
        #expect(try load("code,tax_year,note\nL,1,\(long)\n", database)?.added == 1)
        #expect(try database.isql("SELECT octet_length(note) FROM taxes WHERE code = 'L';") == "100000")
        #expect(try database.open().query("SELECT note FROM taxes WHERE code = ?", ["L"]) == [[long]])
        let error = try #require(throws: SQLError.self) {
            try load("code,tax_year\n\(long),1\n", database, name: "rows:2")
        }
        #expect(error.code == .sql && error.description.contains("fits in a blob only"), "\(error)")
    }
}
