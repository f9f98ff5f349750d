import Foundation
import PatchModel
import Support
import Testing

@testable import PatchSQL

/// The record says that a statement was begun, as after a kill in the middle of it.
@Suite struct `A statement on MariaDB that was cut off` {
    static let cases = [
        ("CREATE TABLE extra(a INT)", "SELECT count(*) FROM extra"),
        ("ALTER TABLE pay ADD COLUMN a INT, ADD INDEX i (name)", "SELECT count(a) FROM pay FORCE INDEX (i)"),
        ("ALTER TABLE pay DROP COLUMN name", "SELECT count(*) - 2 FROM pay"),
        ("ALTER TABLE pay CHANGE name title VARCHAR(60)", "SELECT count(title) - 2 FROM pay"),
        ("RENAME TABLE pay TO wages", "SELECT count(*) - 2 FROM wages"),
        ("CREATE INDEX i ON pay (name)", "SELECT count(*) - 2 FROM pay FORCE INDEX (i)"),
        ("CREATE VIEW v AS SELECT 0 AS n", "SELECT n FROM v"),
        ("CREATE PROCEDURE p() SELECT 0", "CALL p()"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON pay FOR EACH ROW SET NEW.name = 'x'",
            "SELECT count(*) - 1 FROM information_schema.triggers WHERE event_object_schema = database()"
        ),
        ("ALTER TABLE pay MODIFY name VARCHAR(90)", "SELECT count(*) - 2 FROM pay"),
        ("TRUNCATE pay", "SELECT count(*) FROM pay"),
    ]

    @Test(arguments: cases, [false, true])
    func `is run where it had no effect, and is not run again where it had`(
        statement: (text: String, check: String), tookEffect: Bool
    ) throws {
        let database = try TestMariaDB()
        let text = "SELECT 1; \(statement.text); SELECT 2"
        try database.cut(text, before: 2)
        if tookEffect { try database.program(statement.text) }
        #expect(try database.run(text))
        #expect(try database.program(statement.check) == "0")
        #expect(try database.marker == "done 3")
    }

    @Test(arguments: ["CALL p()", "REVOKE SELECT ON pay FROM root", "DROP TABLE a, b"])
    func `and that does not show whether it took effect fails, and an admin decides`(statement: String) throws {
        let database = try TestMariaDB("CREATE TABLE b(x INT); CREATE PROCEDURE p() DELETE FROM pay;")
        let text = "SELECT 1; \(statement); DELETE FROM pay WHERE id = 1"
        try database.cut(text, before: 2)
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.code == .sql && error.description.contains("does not show whether it took effect"), "\(error)")
        // As the message says.
        try database.program("UPDATE patchd_step SET state = 'running', hash = '', statements = 2 WHERE script <> ''")
        #expect(try database.run(text))
        #expect(try database.program("SELECT count(*) FROM pay") == "1")
    }

    @Test func `and failed is no longer uncertain, so that the corrected file runs`() throws {
        let database = try TestMariaDB()
        #expect(throws: SQLError.self) { try database.run("CREATE TABLE pay(a INT); SELECT 1") }
        #expect(try database.marker == "running 0")
        #expect(try database.run("CREATE TABLE pay2(a INT); SELECT 1"))
        #expect(try database.tables == "pay,pay2")
    }

    @Test func `that changes a table without transactions has a record before it, as it cannot be taken back`() throws {
        let database = try TestMariaDB("CREATE TABLE old(a INT) ENGINE=MyISAM;")
        var committed: [Int] = []
        try database.run("INSERT INTO old VALUES (1); DELETE FROM pay WHERE id = 1; UPDATE old SET a = 2") {
            if case .committed(let count) = $0 { committed.append(count) }
        }
        #expect(committed == [1, 3])
        let text = "INSERT INTO old VALUES (3); SELECT 1"
        try database.program("DELETE FROM patchd_step")
        try database.cut(text, before: 1)
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.description.contains("does not show"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM old") == "1")
    }

    // MARK: Settings

    @Test func `leaves its script's settings to the new session`() throws {
        let database = try TestMariaDB()
        let text = """
            SET @OLD_TIME_ZONE=@@TIME_ZONE;
            SET TIME_ZONE='+05:00', @a = 'first';
            SET sql_mode = concat(@@sql_mode, ',ANSI_QUOTES');
            SET @b = concat(@a, '!');
            /*!40101 SET NAMES latin1 */;
            DELETE FROM pay WHERE id = 1;
            INSERT INTO pay VALUES (3, concat_ws("name", @@time_zone, @b, @@character_set_client));
            SET TIME_ZONE=@OLD_TIME_ZONE;
            """.replacing("\"name\"", with: "' '")
        #expect(throws: SQLError.self) {
            try database.run(text.replacing("INSERT INTO pay", with: "INSERT INTO \"nowhere\""))
        }
        #expect(try database.marker == "running 6")
        #expect(try database.run(text))
        #expect(try database.program("SELECT name FROM pay WHERE id = 3") == "+05:00 first! latin1")
    }

    @Test(arguments: [
        ("SET @n = (SELECT count(*) FROM pay)", "INSERT INTO pay VALUES (@n + 9, 'n')", "@n"),
        ("SELECT max(id) INTO @n FROM pay", "INSERT INTO pay VALUES (@n + 1, 'n')", "@n"),
        ("CREATE TEMPORARY TABLE gone (a INT)", "INSERT INTO pay SELECT a, 'n' FROM gone", "gone"),
        ("INSERT INTO auto VALUES ()", "INSERT INTO pay VALUES (LAST_INSERT_ID() + 9, 'n')", "LAST_INSERT_ID"),
    ])
    func `lost what cannot be brought about again, and a statement that needs it is not run without`(
        made: String, used: String, name: String
    ) throws {
        let database = try TestMariaDB("CREATE TABLE auto (a INT AUTO_INCREMENT PRIMARY KEY);")
        let text = "\(made); DELETE FROM pay WHERE id = 1; \(used);"
        #expect(throws: SQLError.self) { try database.run(text.replacing("\(used)", with: "SELECT nowhere")) }
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(
            error.place?.statement == 3 && error.description.contains("it uses \(name), which statement 1 made"),
            "\(error)")
        #expect(try database.program("SELECT count(*) FROM pay") == "1")
        // Without a cut it runs.
        let other = try TestMariaDB("CREATE TABLE auto (a INT AUTO_INCREMENT PRIMARY KEY);")
        try other.run(text)
    }

    @Test(arguments: [false, true])
    func `by EXECUTE is found in the catalogue like any other`(tookEffect: Bool) throws {
        let database = try TestMariaDB()
        let text = """
            UPDATE pay SET name = 'x' WHERE id = 1;
            SET @there = (SELECT count(*) FROM information_schema.columns WHERE table_schema = '\(database.name)' AND column_name = 'a');
            SET @sql = IF(@there = 0, 'ALTER TABLE pay ADD COLUMN a INT', 'SELECT 1');
            PREPARE s FROM @sql;
            EXECUTE s;
            DEALLOCATE PREPARE s;
            UPDATE pay SET a = 7;
            """
        try database.program("UPDATE pay SET name = 'x' WHERE id = 1")
        try database.cut(text, before: 5)
        if tookEffect { try database.program("ALTER TABLE pay ADD COLUMN a INT") }
        #expect(try database.run(text))
        #expect(try database.program("SELECT sum(a) FROM pay") == "14")
    }

    // MARK: Real cuts

    static let text = """
        CREATE TABLE one(a INT);
        INSERT INTO one VALUES (1);
        ALTER TABLE one ADD COLUMN b INT;
        UPDATE one SET b = a + 1;
        CREATE VIEW v AS SELECT b FROM one;
        INSERT INTO one SELECT a + 10, b + 10 FROM one;
        """

    /// The child is killed as soon as it has heard of an event: before the statement has begun, or before the record of it.
    @Test(arguments: 1...6, [false, true])
    func `by a kill of the worker at any statement is gone on with, and nothing is done twice`(
        number: Int, isBehind: Bool
    ) async throws {
        let database = try TestMariaDB()
        let url = database.server.url(database.name)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [url = url as String, number = number as Int, isBehind = isBehind as Bool] in
            let session = try TestMariaDB.find(url).open(lockTimeout: 1, create: false)
            try session.run(TestMariaDB.script(Self.text), as: .sample()) {
                switch $0 {
                case .started(let statement) where !isBehind && statement.number == number: kill(getpid(), SIGKILL)
                case .finished(let statement, _) where isBehind && statement.number == number: kill(getpid(), SIGKILL)
                default: break
                }
            }
        }
        #expect(
            try database.run(Self.text) { _ in
            } tryAgain: { _ in
                true
            })
        #expect(try database.program("SELECT group_concat(a, ':', b ORDER BY a) FROM one") == "1:2,11:12")
        #expect(try database.program("SELECT count(*) FROM v") == "2")
        #expect(try database.marker == "done 6")
    }

    @Test func `by a kill of the server is an error, and the script goes on with the next one`() throws {
        let server = try MariaDBServer()
        let database = try TestMariaDB("", on: server)
        var isKilled = false
        let error = try #require(throws: SQLError.self) {
            try database.run(Self.text) {
                if case .started(let statement) = $0, statement.number == 3, !isKilled {
                    isKilled = true
                    try? server.killServer()
                }
            }
        }
        #expect(error.code == .database, "\(error)")
        try server.waitUntilReady()
        #expect(try database.marker == "executing 2")
        #expect(try database.run(Self.text))
        #expect(try database.program("SELECT group_concat(a, ':', b ORDER BY a) FROM one") == "1:2,11:12")
    }
}
