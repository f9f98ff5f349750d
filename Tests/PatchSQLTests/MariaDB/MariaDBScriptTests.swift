import Foundation
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A script on MariaDB` {
    @Test func `runs once, statement by statement, with a record of each`() throws {
        let database = try TestMariaDB()
        var committed: [Int] = []
        let text = """
            CREATE TABLE extra(a INT PRIMARY KEY);
            INSERT INTO extra VALUES (1), (2);
            UPDATE pay SET name = upper(name);
            """
        #expect(
            try database.run(text) {
                if case .committed(let count) = $0 { committed.append(count) }
            })
        #expect(try database.program("SELECT group_concat(name) FROM pay") == "ADA,GRACE")
        #expect(try database.program("SELECT count(*) FROM extra") == "2")
        #expect(try database.marker == "done 3")
        #expect(committed == [1, 3])
        #expect(try !database.run(text))
    }

    @Test func `that fails keeps what is before it, names the place, and goes on there once corrected`() throws {
        let database = try TestMariaDB()
        let text =
            "UPDATE pay SET name = concat(name, '!');\nINSERT INTO pay VALUES (3, 'Mary');\n\nINSERT INTO pay\n VALUES (1, 'twice');\nSELECT 1;"
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.code == .sql)
        #expect(
            error.description.hasPrefix("cannot run 8.0.2.sql, statement 3 of 4, line 4 (INSERT INTO pay …): "),
            "\(error)")
        #expect(
            error.description.contains("Duplicate entry '1'") && error.description.contains("1062, SQLSTATE 23000"),
            "\(error)")
        #expect(try database.marker == "running 2")
        #expect(try database.run(text.replacing("(1, 'twice')", with: "(4, 'new')")))
        #expect(try database.program("SELECT group_concat(name ORDER BY id) FROM pay") == "Ada!,Grace!,Mary,new")
        #expect(try database.marker == "done 4")
    }

    @Test func `names the line of a syntax error within a statement`() throws {
        let error = try #require(throws: SQLError.self) {
            try TestMariaDB().run("SELECT 1;\nSELECT id,\n name,\n FROM pay;")
        }
        #expect(error.place?.line == 4, "\(error)")
    }

    @Test func `whose corrected file changes what was done is refused`() throws {
        let database = try TestMariaDB()
        #expect(throws: SQLError.self) { try database.run("DELETE FROM pay WHERE id = 1; SELECT nowhere") }
        let error = try #require(throws: SQLError.self) { try database.run("DELETE FROM pay WHERE id = 2; SELECT 1") }
        #expect(error.description.contains("its first 1 statements are done, but they are others"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM pay") == "1")
    }

    @Test func `may define what the next statement uses, also with DELIMITER`() throws {
        let database = try TestMariaDB()
        try database.run(
            """
            DELIMITER $$
            CREATE PROCEDURE raise(IN what INT)
            BEGIN
              UPDATE pay SET name = concat(name, what); -- a ; in a comment
              IF what > 1 THEN SELECT 'big;' AS b; END IF;
            END$$
            CREATE TRIGGER t BEFORE INSERT ON pay FOR EACH ROW BEGIN SET NEW.name = upper(NEW.name); END$$
            DELIMITER ;
            CALL raise(2);
            INSERT INTO pay VALUES (3, 'mary');
            """)
        #expect(try database.program("SELECT group_concat(name ORDER BY id) FROM pay") == "Ada2,Grace2,MARY")
    }

    @Test func `takes a dump with routines, triggers, events and views as mariadb-dump writes it`() throws {
        let source = try TestMariaDB(
            """
            DELIMITER $$
            CREATE FUNCTION f() RETURNS VARCHAR(9) DETERMINISTIC BEGIN DECLARE x VARCHAR(9) DEFAULT 'a;''\\\\'; RETURN x; END$$
            CREATE TRIGGER t BEFORE INSERT ON pay FOR EACH ROW BEGIN SET NEW.name = concat(NEW.name, '*/;'); END$$
            CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO BEGIN DELETE FROM pay WHERE id < 0; END$$
            DELIMITER ;
            CREATE VIEW v AS SELECT name FROM pay; CREATE SEQUENCE s; INSERT INTO pay VALUES (3, 'O''Neil; \\\\ # -- /*');
            """)
        let dump = "/tmp/patchd-dump-\(source.name)"
        defer { unlink(dump) }
        let code = try Command.start(
            [
                "/usr/bin/mariadb-dump", "--no-defaults", "-uroot", "-S", source.server.socket, "--routines",
                "--events",
                "--triggers", source.name,
            ], output: dump
        ).end(wait: true)
        #expect(code == 0)
        let text = try String(contentsOfFile: dump, encoding: .utf8)
        #expect(text.contains("LOCK TABLES") && text.contains("/*!50003 CREATE*/"))
        let database = try TestMariaDB("DROP TABLE pay;")
        var skipped = 0
        try database.run(text) { if case .skipped = $0 { skipped += 1 } }
        #expect(skipped >= 2)
        #expect(
            try database.program("SELECT group_concat(name ORDER BY id) FROM pay")
                == source.program("SELECT group_concat(name ORDER BY id) FROM pay"))
        #expect(try database.program("SELECT f()") == source.program("SELECT f()"))
        #expect(try database.program("SELECT count(*) FROM v; SHOW TRIGGERS; SHOW EVENTS").contains("ENABLED"))
        #expect(
            try database.program("INSERT INTO pay VALUES (9, 'x'); SELECT name FROM pay WHERE id = 9")
                == "x*/;*/;".dropLast(3))
    }

    @Test func `that begins and commits by itself is run without, and told so`() throws {
        let database = try TestMariaDB()
        var skipped: [Int] = []
        try database.run(
            "START TRANSACTION; SET autocommit=0; DELETE FROM pay WHERE id = 1; COMMIT; LOCK TABLES pay WRITE; UNLOCK TABLES"
        ) {
            if case .skipped(let statement, _) = $0 { skipped.append(statement.number) }
        }
        #expect(skipped == [1, 2, 4, 5, 6])
        #expect(try database.program("SELECT count(*) FROM pay") == "1")
        #expect(try database.marker == "done 6")
    }

    @Test func `has its time, and is interrupted when that is over`() throws {
        let database = try TestMariaDB()
        let begun = ContinuousClock.now
        let error = try #require(throws: SQLError.self) {
            try database.run("UPDATE pay SET name = 'x' WHERE sleep(600) = 0", seconds: 0.3)
        }
        #expect(ContinuousClock.now - begun < .seconds(20))
        #expect(error.code == .sql && error.description.contains("raise scriptTimeout"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM pay WHERE name = 'x'") == "0")
    }

    @Test func `is interrupted when the worker is told to stop`() throws {
        let database = try TestMariaDB()
        let session = try database.open()
        var asked = 0
        session.shouldEnd = {
            asked += 1
            return asked > 2
        }
        #expect(throws: SQLError.self) { try session.run(TestMariaDB.script("SELECT sleep(600)"), as: .sample()) }
        #expect(try database.marker == "none" || database.marker == "running 0")
        session.shouldEnd = { false }
        #expect(try session.run(TestMariaDB.script("SELECT 1"), as: .sample()))
    }

    @Test func `that ends its session without patchd's doing fails with database`() throws {
        let database = try TestMariaDB()
        let error = try #require(throws: SQLError.self) { try database.run("KILL CONNECTION_ID()") }
        #expect(error.code == .database || error.code == .sql, "\(error)")
        #expect(try database.run("SELECT 1"))
    }

    /// Capitals and blanks at the end make another name in the record, whatever the database's collation.
    @Test func `has a record of its own although another's name differs in capitals only`() throws {
        let database = try TestMariaDB()
        #expect(try database.run("SELECT 1", name: "8.0.2_a.sql"))
        #expect(try database.run("SELECT 1", name: "8.0.2_A.sql"))
        #expect(try database.open().record()?.steps.count == 2)
    }

    @Test func `leaves settings that patchd's own statements do not mind`() throws {
        let database = try TestMariaDB()
        try database.run(
            """
            SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,ORACLE,EMPTY_STRING_IS_NULL';
            SET NAMES latin1;
            INSERT INTO "pay" VALUES (3, 'a\\');
            INSERT INTO pay VALUES (4, 'b');
            """)
        #expect(try database.program("SELECT group_concat(name ORDER BY id) FROM pay") == "Ada,Grace,a\\\\,b")
        #expect(try database.marker == "done 4")
        let session = try database.open()
        try session.settle(Version("8.0.2"))
        try session.show(Revision(code: 9999, phase: .updating, message: "Größe 'x' \\ ?", deadline: nil))
        #expect(try database.program("SELECT message FROM patchd_revision") == "Größe 'x' \\\\ ?")
        #expect(try session.record()?.version == Version("8.0.2"))
    }
}
