import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `Rows for MariaDB` {
    private static let table = """
        CREATE TABLE rate(id INT PRIMARY KEY, title VARCHAR(20) CHARACTER SET latin1, amount DECIMAL(8,2) NOT NULL CHECK (amount > 0),
          since DATE, own VARCHAR(9) DEFAULT 'x', twice DECIMAL(9,2) AS (amount * 2));
        """

    /// Calls with a file of these rows.
    private func with<Value>(_ rows: String, _ body: (borrowing File) throws -> Value) throws -> Value {
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(rows.utf8).write(to: URL(fileURLWithPath: folder + "/r.csv"))
        return try body(File.open(folder + "/r.csv"))
    }

    private func has(_ rows: String, _ target: RowTarget, _ session: any Session) throws -> Bool {
        try with(rows) { try session.has($0, name: "r.csv", in: target) }
    }

    private func load(_ rows: String, _ target: RowTarget, _ session: any Session) throws -> RowCount? {
        try with(rows) { try session.load($0, name: "r.csv", into: target, as: .sample("r.csv")) }
    }

    private let keyed = RowTarget(table: "rate", key: ["id"], preserve: ["own"])

    @Test func `are added or changed by their key, once, and compared before`() throws {
        let database = try TestMariaDB(
            Self.table + "INSERT INTO rate (id, title, amount, own) VALUES (1, 'old', 1, 'mine');")
        let rows = "id,title,amount,since,own\n1,Größe,2.50,2026-01-31,theirs\n2,\"it's \"\"\\\",3,,two\n"
        let session = try database.open()
        #expect(try !has(rows, keyed, session))
        #expect(try load(rows, keyed, session) == RowCount(added: 1, changed: 1))
        #expect(try load(rows, keyed, session) == nil)
        #expect(try has(rows, keyed, session))
        #expect(
            try database.program("SELECT id, title, amount, since, own, twice FROM rate ORDER BY id")
                == "1\tGröße\t2.50\t2026-01-31\tmine\t5.00\n2\tit's \"\\\\\t3.00\tNULL\ttwo\t6.00")
        try database.program("UPDATE rate SET title = 'GRÖSSE' WHERE id = 1")
        #expect(try !has(rows, keyed, session))
        try database.program("UPDATE rate SET title = 'Größe ' WHERE id = 1")
        #expect(try !has(rows, keyed, session))
    }

    @Test func `without a key are the same where the table has these and no others`() throws {
        let database = try TestMariaDB("CREATE TABLE t(a VARCHAR(9), n DECIMAL(6,2), d DATETIME);")
        let rows = "a,n,d\nx,1.50,2026-01-31 10:00:00\nx,1.50,2026-01-31 10:00:00\n,2,\n"
        let target = RowTarget(table: "t")
        let session = try database.open()
        #expect(try !has(rows, target, session))
        #expect(try load(rows, target, session)?.added == 3)
        #expect(try has(rows, target, session))
        try database.program("UPDATE t SET a = 'X' WHERE n = 1.50 LIMIT 1")
        #expect(try !has(rows, target, session))
        #expect(try database.tables == "pay,t")
    }

    @Test(arguments: [
        ("id,amount\n3,\n", "cannot be null", 2), ("id,amount\n4,1\n3,-1\n", "CONSTRAINT", 3),
        ("id,amount,since\n3,1,never\n", "date", 2),
        ("id,amount,title\n3,1,\"a title that is far too long\"\n", "too long", 2),
        ("id,amount,twice\n1,1,2\n", "no column \"twice\"", 1),
    ])
    func `that break a rule are found before anything is loaded`(rows: String, cause: String, line: Int) throws {
        let database = try TestMariaDB(Self.table)
        let session = try database.open()
        let error = try #require(throws: SQLError.self) { try has(rows, keyed, session) }
        #expect(error.code == .sql && error.place?.line == line && error.description.contains(cause), "\(error)")
        #expect(throws: SQLError.self) { try load(rows, keyed, session) }
        #expect(try database.program("SELECT count(*) FROM rate") == "0")
    }
}
