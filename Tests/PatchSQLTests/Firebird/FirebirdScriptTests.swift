import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A script on Firebird` {
    @Test func `takes effect a statement at a time, with its marker, once`() throws {
        let database = try FirebirdTestDatabase()
        #expect(try database.record() == nil)
        let text = """
            CREATE TABLE extra(a integer);
            INSERT INTO extra VALUES (1);
            COMMIT WORK;
            UPDATE pay SET name = upper(name);
            """
        #expect(try database.run(text))
        #expect(try !database.run("INSERT INTO extra VALUES (2)"))
        #expect(try database.isql("SELECT name FROM pay; SELECT a FROM extra;") == "ADA\nGRACE\n1")
        let marker = try #require(try database.record()?[.sample()])
        #expect(marker.state == .done && marker.job == 12 && marker.version.description == "8.0.2")
        #expect(marker.statements == 4 && marker.total == 4)
        #expect(try marker.hash == FirebirdTestDatabase.script(text).hash())
    }

    @Test func `tells of each statement, of what it changed and of what it returned`() throws {
        let database = try FirebirdTestDatabase("ALTER TABLE pay ADD note blob sub_type text, ADD at_time timestamp;")
        var told: [String] = []
        try database.run(
            """
            SET AUTODDL ON; SET NAMES WIN1252;
            UPDATE pay SET name = 'Zoë', note = 'a long text', at_time = '2026-01-02 03:04:05';
            SELECT id, name, note, at_time, 1.50 FROM pay ORDER BY id;
            DELETE FROM pay WHERE id = 2 RETURNING name;
            """
        ) {
            switch $0 {
            case .started(let statement): told.append("\(statement.number)")
            case .finished(_, let result): told.append("\(result.changes) \(result.rows) \(result.output)")
            case .skipped(let statement, let why): told.append("\(statement.number) skipped: \(why)")
            case .committed(let count): told.append("committed \(count)")
            }
        }
        let rows = [1, 2].map { "\($0)|Zoë|a long text|02-JAN-2026 3:04:05.0000|1.50" }
        #expect(
            told == [
                "1 skipped: it is an order to isql about what it shows", "2 skipped: patchd's scripts are UTF-8",
                "3", "2 0 []", "4", "0 2 \(rows)", "5", "1 1 [\"Zoë\"]", "committed 5",
            ])
    }

    @Test func `has procedures and triggers between SET TERM, in both of its forms`() throws {
        let database = try FirebirdTestDatabase()
        try database.run(
            """
            SET TERM ^ ;
            CREATE PROCEDURE twice(a integer) RETURNS (b integer) AS
            BEGIN
              /* ; ^ */ b = a * 2; -- ^
              SUSPEND;
            END^
            SET TERM ;^
            SET TERM !!;
            CREATE OR ALTER TRIGGER pay_bi FOR pay BEFORE INSERT AS
            BEGIN
              new.name = q'{;'^!!}' || new.name;
            END!!
            SET TERM ; !!
            INSERT INTO pay VALUES (3, 'x;''y');
            """)
        #expect(try database.isql("SELECT b FROM twice(21); SELECT name FROM pay WHERE id = 3;") == "42\n;'^!!x;'y")
    }

    @Test(arguments: [
        "CREATE PROCEDURE p AS BEGIN DELETE FROM pay; END;", "EXECUTE BLOCK AS DECLARE a integer; BEGIN a = 1; END",
        "CREATE OR ALTER TRIGGER t FOR pay BEFORE INSERT AS BEGIN new.id = 1; END;",
    ])
    func `with a body and no SET TERM is refused before anything runs`(body: String) throws {
        let database = try FirebirdTestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run("DELETE FROM pay;\n\(body)") { _ in Issue.record("it ran") }
        }
        #expect(error.code == .sql && error.place?.line == 2 && error.description.contains("SET TERM ^ ;"), "\(error)")
    }

    @Test(arguments: [
        "ROLLBACK", "SAVEPOINT a", "SET TRANSACTION READ ONLY", "CONNECT 'x.fdb'", "CREATE DATABASE 'x.fdb'",
        "DROP DATABASE", "INPUT 'x.sql'", "OUTPUT 'x.txt'", "SHELL ls", "EXIT", "QUIT",
    ])
    func `with what no script may say is refused before anything runs`(statement: String) throws {
        let database = try FirebirdTestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run("DELETE FROM pay;\n\(statement);") { _ in Issue.record("it ran") }
        }
        #expect(error.code == .sql && error.place?.line == 2 && !error.wayOut.isEmpty, "\(error)")
        #expect(try database.isql("SELECT count(*) FROM pay;") == "2")
    }

    @Test func `may leave triggers alone, call procedures and define external functions without SET TERM`() throws {
        let actions = FirebirdSession.actions(
            of: try FirebirdTestDatabase.script(
                "ALTER TRIGGER t INACTIVE; EXECUTE PROCEDURE p(1); DROP PROCEDURE p; CREATE VIEW v AS SELECT 1 x FROM a;"
                    + "CREATE FUNCTION f(a integer) RETURNS integer EXTERNAL NAME 'm!f' ENGINE udr;"))
        #expect(actions.allSatisfy { $0 == .run })
    }

    @Test func `that fails keeps what is before it, says where and why, and goes on behind it`() throws {
        let database = try FirebirdTestDatabase()
        let text =
            "CREATE TABLE extra(a integer);\nINSERT INTO extra VALUES (1);\nINSERT INTO extra\n  SELECT nowhere FROM pay;"
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.code == .sql)
        #expect(
            error.description.hasPrefix(
                "cannot run 8.0.2.sql, statement 3 of 3, line 4 (INSERT INTO extra …): Column unknown, NOWHERE "
                    + "(SQLSTATE 42S22, code 335544569)"), "\(error)")
        let marker = try #require(try database.record()?[.sample()])
        #expect(marker.state == .running && marker.statements == 2 && marker.total == 3)
        // What was done must still be what it was.
        let other = try #require(throws: SQLError.self) { try database.run("SELECT 1 FROM pay; " + text) }
        #expect(other.description.contains("its first 2 statements are done"))
        #expect(try database.run(text.replacing("nowhere", with: "id")))
        #expect(try database.isql("SELECT a FROM extra;") == "1\n1\n2")
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `whose DDL fails at its commit names that statement`() throws {
        let database = try FirebirdTestDatabase("INSERT INTO pay VALUES (3, 'Ada');")
        let error = try #require(throws: SQLError.self) {
            try database.run("SELECT 1 FROM pay;\nCREATE UNIQUE INDEX pay_name\n ON pay(name);")
        }
        #expect(error.code == .sql && error.place?.statement == 2 && error.place?.line == 2, "\(error)")
        #expect(error.description.contains("duplicate value"), "\(error)")
        #expect(try database.record()?[.sample()]?.statements == 1)
    }

    @Test(arguments: ["RECONNECT", "reconnect", "-- patchd:reconnect\n"])
    func `with reconnect goes on in a session of its own`(word: String) throws {
        let database = try FirebirdTestDatabase(
            "CREATE GLOBAL TEMPORARY TABLE t(a integer) ON COMMIT PRESERVE ROWS; CREATE TABLE seen(n integer);")
        try database.run(
            "INSERT INTO t VALUES (1); INSERT INTO seen SELECT count(*) FROM t;\n\(word);\n"
                .replacing("\n;", with: "\n") + "INSERT INTO seen SELECT count(*) FROM t;")
        #expect(try database.isql("SELECT n FROM seen;") == "1\n0")
    }

    @Test func `that takes too long is interrupted, and so is one whose worker has to end`() throws {
        let database = try FirebirdTestDatabase()
        let endless = "SET TERM ^ ;\nEXECUTE BLOCK AS BEGIN DELETE FROM pay; WHILE (1 = 1) DO BEGIN END END^"
        let error = try #require(throws: SQLError.self) { try database.run(endless, seconds: 0.2) }
        #expect(error.description.contains("scriptTimeout"), "\(error)")
        let session = try database.open()
        session.shouldEnd = { true }
        let stopped = try #require(throws: SQLError.self) {
            try session.run(FirebirdTestDatabase.script(endless), as: .sample())
        }
        #expect(stopped.description.contains("interrupted"))
        #expect(try database.isql("SELECT count(*) FROM pay;") == "2")
    }

    /// Firebird keeps at most 255 descriptions of a table's rows.
    @Test func `that changes a table once too often says how that is cured`() throws {
        let database = try FirebirdTestDatabase()
        let lines = (1...260).map { "ALTER TABLE pay ADD c\($0) integer;" }
        let error = try #require(throws: SQLError.self) { try database.run(lines.joined(separator: "\n")) }
        #expect(error.code == .sql && error.wayOut.contains("gbak"), "\(error)")
        #expect(try #require(error.place?.statement) > 250)
    }

    @Test func `of nothing but remarks is recorded as well`() throws {
        let database = try FirebirdTestDatabase()
        #expect(try database.run("/* nothing */ -- to do\n"))
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `has names of any characters, and a version that is settled and taken back`() throws {
        let database = try FirebirdTestDatabase()
        let session = try database.open()
        try session.run(FirebirdTestDatabase.script("SELECT 1 FROM pay"), as: .sample("8.0.2_Zulagen_für_Ärzte.sql"))
        try session.settle(Version("8.0.2"), adding: [])
        var record = try #require(try session.record())
        #expect(record.version?.description == "8.0.2")
        #expect(record.steps.map(\.key.script) == ["8.0.2_Zulagen_für_Ärzte.sql"])
        try session.baseline(#require(Version("8.0.1")))
        record = try #require(try session.record())
        #expect(record.version?.description == "8.0.1" && record.steps == [])
    }

    @Test func `is told before that a table can hardly be altered any more`() throws {
        let database = try FirebirdTestDatabase()
        let session = try database.open()
        #expect(try session.nearLimits() == [])
        let changes = (1...205).map { "ALTER TABLE pay ADD c\($0) smallint;" }.joined(separator: "\n")
        try database.run(changes)
        let warnings = try session.nearLimits()
        #expect(warnings.count == 1)
        let left =
            try Int(
                database.server.isql(
                    "SELECT 255 - RDB$FORMAT FROM RDB$RELATIONS WHERE RDB$RELATION_NAME = 'PAY';", database.path)) ?? -1
        #expect(left > 40 && left < 52)
        #expect(warnings.first?.hasPrefix("the table PAY can be altered \(left) times more") ?? false, "\(warnings)")
        try database.run(
            (206...260).map { "ALTER TABLE pay ADD c\($0) smallint;" }.prefix(left).joined(separator: "\n"),
            name: "8.0.3.sql")
        #expect(throws: SQLError.self) { try database.run("ALTER TABLE pay ADD last smallint", name: "8.0.4.sql") }
    }
}
