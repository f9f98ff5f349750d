import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `Rows of a CSV file` {
    private let taxes = """
        CREATE TABLE taxes(code TEXT, year INTEGER, rate REAL, note TEXT, own TEXT, PRIMARY KEY (code, year));
        INSERT INTO taxes VALUES ('A', 2025, 1.5, 'old', 'mine'), ('B', 2025, 2.5, 'old', 'mine');
        """

    private func load(
        _ text: String, _ database: TestDatabase, key: [String] = [], preserve: [String] = [],
        name: String = "rows:TAXES",
        bytes: [UInt8]? = nil
    ) throws -> RowCount? {
        let path = database.folder + "/TAXES.csv"
        try Data(bytes ?? Array(text.utf8)).write(to: URL(fileURLWithPath: path))
        return try database.open().load(
            File.open(path), name: "TAXES.csv", into: RowTarget(table: "taxes", key: key, preserve: preserve),
            as: .sample(name))
    }

    private func rows(_ database: TestDatabase) throws -> String {
        try #require(try database.program("SELECT * FROM taxes ORDER BY code, year"))
    }

    @Test func `are added, once`() throws {
        let database = try TestDatabase(.delete, taxes)
        let text = "code,year,rate\r\nC,2025,\r\n\"D\"\"d, e\nf\",2026,3\r\n"
        #expect(try load(text, database) == RowCount(added: 2, changed: 0))
        #expect(try rows(database).hasSuffix("C|2025|||\nD\"d, e\nf|2026|3.0||"))
        #expect(try database.program("SELECT typeof(rate) || typeof(year) FROM taxes WHERE code='C'") == "nullinteger")
        #expect(try load(text, database) == nil)
        #expect(try database.program("SELECT count(*) FROM taxes") == "4")
    }

    @Test func `with a key change the rows that have it, but for the columns to preserve`() throws {
        let database = try TestDatabase(.wal, taxes)
        let text = "\u{FEFF}YEAR,code,rate,own,note\n2025,A,9,yours,\"\"\n2026,A,10,new,n"
        #expect(try load(text, database, key: ["code", "year"], preserve: ["own"]) == RowCount(added: 1, changed: 1))
        #expect(try rows(database) == "A|2025|9.0||mine\nA|2026|10.0|n|new\nB|2025|2.5|old|mine")
        #expect(try database.program("SELECT note IS NULL FROM taxes WHERE code='A' AND year=2025") == "0")
    }

    @Test func `with nothing but a key and columns to preserve change nothing that is there`() throws {
        let database = try TestDatabase(.delete, taxes)
        #expect(
            try load("code,year,own\nA,2025,x\nZ,2025,x", database, key: ["code", "year"], preserve: ["OWN"])
                == RowCount(added: 1, changed: 1))
        #expect(try rows(database).hasPrefix("A|2025|1.5|old|mine\n"))
    }

    @Test(arguments: [
        ("code,yaer\nC,2025", 1, #"has no column "yaer"; it has code, year, rate, note, own"#),
        ("code,code\nC,D", 1, "named twice"),
        ("code,rate\nC,1", 1, #"the column "year" of the key is not in the header"#),
        ("code,year\nC,2025\nD", 3, "the row has 1 fields, the header 2"),
        ("code,year\nC,2025,7", 2, "3 fields"),
        ("code,year\nC,2025\n\nD,2025", 3, "1 fields"),
        ("code,year\nC,2025\nD,\"20\"25", 3, "between a closing quote"),
        ("code,year\nC,2025\nD,20\"25\"", 3, "in the middle of a field"),
        ("code,year\nC,2025\n\"D\nE,2025\n", 3, "never closed"),
        ("code,year\nC,2025\rD,2025\n", 2, "carriage return"),
        ("code,year\nC,2025\n,2026", 3, "is empty"),
        ("", 1, "it is empty"),
    ])
    func `that are wrong load nothing, and the line is told`(text: String, line: Int, cause: String) throws {
        let database = try TestDatabase(.delete, taxes)
        let before = try rows(database)
        let error = try #require(throws: SQLError.self) { try load(text, database, key: ["code", "year"]) }
        #expect(error.code == .sql)
        #expect(error.description.hasPrefix("cannot load the rows of TAXES.csv, line \(line): "), "\(error)")
        #expect(error.description.contains(cause), "\(error)")
        #expect(try rows(database) == before)
        #expect(try database.record()?.steps == [])
    }

    @Test func `that are not UTF-8 or break a rule of the table load nothing`() throws {
        let database = try TestDatabase(.delete, taxes)
        let latin = Array("code,year\nC,2025\n".utf8) + [0xE4] + Array(",2025\n".utf8)
        let first = try #require(throws: SQLError.self) { try load("", database, bytes: latin) }
        #expect(first.place?.line == 3 && first.cause.contains("not UTF-8"))
        let second = try #require(throws: SQLError.self) { try load("code,year\nC,2025\nA,2025\n", database) }
        #expect(second.place?.line == 3 && second.cause.contains("UNIQUE constraint failed"))
        #expect(try database.program("SELECT count(*) FROM taxes") == "2")
    }

    @Test func `into a table that is not there, or whose key is not unique, load nothing`() throws {
        let missing = try TestDatabase()
        let first = try #require(throws: SQLError.self) { try load("code\nA", missing) }
        #expect(first.cause == "there is no table taxes")
        let database = try TestDatabase(.delete, taxes + "INSERT INTO taxes(code, year) VALUES ('A', 2026);")
        let second = try #require(throws: SQLError.self) { try load("code,rate\nA,7", database, key: ["code"]) }
        #expect(second.place?.line == 2 && second.cause.contains("several rows"))
        #expect(try database.program("SELECT count(*) FROM taxes WHERE rate = 7") == "0")
    }

    @Test func `are cut alike wherever the blocks of the file end`() throws {
        let text = Array("a,\"b\"\"\r\nc\",\r\n\"\",é,x".utf8)
        let expected: [[String?]] = [["a", "b\"\r\nc", nil], ["", "é", "x"]]
        for cut in 0...text.count {
            var reader = RowReader(name: "x.csv")
            var rows: [[String?]] = []
            var lines: [Int] = []
            for piece in [text[..<cut], text[cut...]] {
                try piece.withUnsafeBytes { bytes in
                    try reader.read(bytes) { (line, row) throws(SQLError) in
                        lines.append(line)
                        rows.append(row)
                    }
                }
            }
            try reader.finish { (line, row) throws(SQLError) in
                lines.append(line)
                rows.append(row)
            }
            #expect(rows == expected && lines == [1, 3], "cut at \(cut)")
        }
    }

    @Test func `with odd names reach their columns and no others`() throws {
        let database = try TestDatabase(
            .delete, #"CREATE TABLE "od""d; DROP TABLE pay"("a""b" TEXT, "x,y" TEXT, g AS (1));"#)
        let path = database.folder + "/odd.csv"
        try Data("\"a\"\"b\",\"x,y\"\n1,\"'); DROP TABLE pay; --\"\n".utf8).write(to: URL(fileURLWithPath: path))
        let session = try database.open()
        #expect(
            try session.load(
                File.open(path), name: "odd.csv", into: RowTarget(table: #"od"d; DROP TABLE pay"#, key: [#"a"b"#]),
                as: .sample("rows:odd")) == RowCount(added: 1, changed: 0))
        #expect(try database.program(#"SELECT "x,y" FROM "od""d; DROP TABLE pay""#) == "'); DROP TABLE pay; --")
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    private func has(
        _ text: String, _ database: TestDatabase, key: [String] = [], preserve: [String] = [], table: String = "taxes"
    ) throws -> Bool {
        let path = database.folder + "/TAXES.csv"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try database.open().has(
            File.open(path), name: "TAXES.csv", in: RowTarget(table: table, key: key, preserve: preserve))
    }

    /// The folder's settings are other ones; numbers and texts are spelt otherwise than the table has them.
    @Test(arguments: [
        ("code,year,rate,own\nA,2025,1.50,yours\n", true), ("rate,code,year,note\n2.5,B,\"2025\",old\n", true),
        ("code,year,rate\n", true), ("code,year,own\nB,2025,x\nA,2025,x\n", true),
        ("code,year,rate\nA,2025,1.5\nB,2025,2.6\n", false), ("code,year,rate\nA,2025,1.5\nC,2025,2.5\n", false),
        ("code,year,note\nA,2025,OLD\n", false), ("code,year,note\nA,2025,\n", false),
        ("code,year,note\nA,2025,\"\"\n", false), ("code,year,note\nA,2025,new\nA,2025,old\n", false),
    ])
    func `with a key are there already where loading them would change nothing`(_ text: String, _ isThere: Bool) throws
    {
        let database = try TestDatabase(.delete, taxes)
        let before = try Data(contentsOf: URL(fileURLWithPath: database.path))
        #expect(try has(text, database, key: ["code", "year"], preserve: ["own"]) == isThere)
        #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == before)
        let rows = try rows(database)
        _ = try load(text, database, key: ["code", "year"], preserve: ["own"])
        #expect(try (self.rows(database) == rows) == isThere || text.contains("new"))
    }

    @Test(arguments: [
        ("word,number\nb,2\n,\na,1.0\na,1\n", true), ("word,number\na,1\na,1\nb,2\n,\n", true),
        ("word,number\na,1\nb,2\nb,2\n,\n", false), ("word,number\na,1\nb,2\n,\n", false),
        ("word,number\na,1\na,1\nb,2\n,\n,\n", false), ("word,number\nA,1\na,1\nb,2\n,\n", false),
        ("word,number\na,1\na,1\nb,2\n\"\",\n", false), ("word\na\na\nb\n\"\"\n", false), ("word,number\n", true),
    ])
    func `without a key are there already where the table has these and no others`(
        _ text: String, _ isThere: Bool
    ) throws {
        let database = try TestDatabase(
            .wal,
            """
            CREATE TABLE list(word TEXT COLLATE NOCASE, number INTEGER, own TEXT);
            INSERT INTO list VALUES ('a', 1, 'x'), ('a', 1, 'y'), ('b', 2, NULL), (NULL, NULL, NULL);
            """)
        #expect(try has(text, database, preserve: ["own"], table: "list") == isThere)
        #expect(try has(text, database, preserve: ["word", "number"], table: "list") == (text == "word,number\n"))
        #expect(try database.program("SELECT count(*) FROM list") == "4")
        #expect(try database.program("SELECT name FROM sqlite_master WHERE name LIKE 'patchd%'") == "")
    }

    @Test func `that are wrong are told when they are compared, too`() throws {
        let database = try TestDatabase(.delete, taxes)
        for (text, cause) in [
            ("code,yaer\nC,2025", "no column"), ("code,year\nC,2025\nD,\"20\"25", "between a closing quote"),
            ("code,year\nC,2025\nD,1,2", "3 fields"), ("code,year\nC,2025\n,2026", "is empty"), ("", "it is empty"),
        ] {
            let error = try #require(throws: SQLError.self) { try has(text, database, key: ["code", "year"]) }
            #expect(error.code == .sql && error.cause.contains(cause), "\(error)")
        }
    }

    @Test(arguments: [
        ("a,b\n1,2\n", nil), ("a,b\n1,\"2\n", "never closed"), ("a,b\n1\n", "1 fields"), ("", "it is empty"),
    ])
    func `can be checked without a table`(_ text: String, _ cause: String?) throws {
        let path = try TestDatabase.makeFolder() + "/x.csv"
        defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        guard let cause else { return try RowFile.check(File.open(path), name: "x.csv") }
        let error = try #require(throws: SQLError.self) { try RowFile.check(File.open(path), name: "x.csv") }
        #expect(error.cause.contains(cause), "\(error)")
    }

    @Test(arguments: [
        ("code,name,rate\nA,a,1\nB,,2\n", "line 3: NOT NULL constraint failed: rule.name"),
        ("code,rate\nA,1\nB,2\n", "line 2: NOT NULL constraint failed: rule.name"),
        ("code,name,rate\nB,b,-1\n", "line 2: CHECK constraint failed: rate > 0"),
        ("code,name\nOLD,\n", "line 2: NOT NULL constraint failed: rule.name"),
        ("code,rate\nOLD,-5\n", "line 2: CHECK constraint failed: rate > 0"),
    ])
    func `that break a rule of the table are refused before anything is loaded`(_ text: String, _ cause: String) throws
    {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE rule(id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT NOT NULL,
                rate REAL NOT NULL DEFAULT 1 CHECK (rate > 0), big AS (rate > 5));
            INSERT INTO rule(code, name) VALUES ('OLD', 'old');
            """)
        let error = try #require(throws: SQLError.self) { try has(text, database, key: ["code"], table: "rule") }
        #expect(error.code == .sql && error.description.contains(cause), "\(error)")
        #expect(try database.program("SELECT count(*) FROM rule") == "1")
    }

    @Test func `are no error where a default, the key of the row or the table's other columns make them right`() throws
    {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE rule(id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT NOT NULL, rate REAL NOT NULL DEFAULT 1);
            INSERT INTO rule(id, code, name) VALUES (1, 'OLD', 'old'), (2, 'OLDER', 'older');
            """)
        #expect(try !has("code,name\nA,a\nB,b\n", database, key: ["code"], table: "rule"))
        // An existing row keeps its name, and does not conflict with the rows that are tried.
        #expect(try !has("code,rate\nOLD,5\nOLDER,6\n", database, key: ["code"], table: "rule"))
        #expect(try !has("id,code,name\n,X,x\n1,OLD,old\n", database, key: ["code"], table: "rule"))
    }

    @Test func `of a table whose rules only the application can check are left to the load`() throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE rule(code TEXT, name TEXT CHECK (length(name) > 0));
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'length(', 'own_length(') WHERE name = 'rule';
            """)
        #expect(try !has("code,name\nA,a\n", database, table: "rule"))
    }

    @Test func `to load are prepared once, not once a row`() throws {
        let database = try TestDatabase(.delete, taxes)
        let text = "code,year,rate\n" + (0..<2000).map { "C\($0),2025,1\n" }.joined()
        #expect(try load(text, database, key: ["code", "year"]) == RowCount(added: 2000, changed: 0))
        #expect(try has(text, database, key: ["code", "year"]))
    }
}
