import Foundation
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A script's run` {
    @Test(arguments: TestDatabase.Journal.allCases)
    func `takes effect together with its marker, once`(journal: TestDatabase.Journal) throws {
        let database = try TestDatabase(journal)
        #expect(try database.record() == nil)
        #expect(try database.run("INSERT INTO pay VALUES (3, 'Mary');\nUPDATE pay SET name = upper(name);"))
        #expect(try !database.run("INSERT INTO pay VALUES (4, 'again')"))
        #expect(try database.program("SELECT group_concat(name) FROM pay") == "ADA,GRACE,MARY")
        let marker = try #require(try database.record()?[.sample()])
        #expect(marker.state == .done && marker.job == 12 && marker.version.description == "8.0.2")
        #expect(marker.statements == 2 && marker.total == 2)
        #expect(
            try marker.hash == script("INSERT INTO pay VALUES (3, 'Mary'); UPDATE pay SET name = upper(name)").hash())
        #expect(try database.program("PRAGMA journal_mode") == journal.rawValue.lowercased())
    }

    @Test func `tells of each statement, of what it changed and of what it returned`() throws {
        let database = try TestDatabase()
        var told: [String] = []
        try database.run(
            "PRAGMA synchronous=OFF;\nUPDATE pay SET name='x'; SELECT id, name, NULL FROM pay; CREATE TABLE t(a);"
        ) {
            switch $0 {
            case .started(let statement): told.append("\(statement.number): \(statement.summary)")
            case .finished(_, let result): told.append("\(result.changes) \(result.rows) \(result.output)")
            case .skipped(let statement, let why): told.append("\(statement.number) skipped: \(why)")
            case .committed(let count): told.append("committed \(count)")
            }
        }
        #expect(
            told == [
                "1 skipped: patchd's commits are always durable",
                "2: UPDATE pay SET name='x'", "2 0 []",
                "3: SELECT id, name, NULL FROM pay", #"0 2 ["1|x|", "2|x|"]"#,
                "4: CREATE TABLE t(a)", "0 0 []",
                "committed 4",
            ])
    }

    @Test func `that fails in statement 7 of 12 leaves nothing and says where and why`() throws {
        let database = try TestDatabase()
        let lines = (1...12).map {
            $0 == 7
                ? "-- the seventh\nALTER TABLE pay\n  ATT COLUMN x;"
                : "INSERT INTO pay(id, name) VALUES (\($0 + 10), 'n');"
        }
        let error = try #require(throws: SQLError.self) { try database.run(lines.joined(separator: "\n")) }
        #expect(
            error.description == """
                cannot run 8.0.2.sql, statement 7 of 12, line 9 (ALTER TABLE pay …): near "ATT": syntax error; \
                nothing of the script took effect
                """)
        #expect(error.code == .sql)
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
        #expect(try database.record()?.steps == [])
        // Corrected, it runs.
        #expect(try database.run(lines.joined(separator: "\n").replacing("ATT ", with: "ADD ")))
        #expect(try database.program("SELECT count(*) FROM pay") == "13")
    }

    @Test func `names the line of the error within a statement`() throws {
        let error = try #require(throws: SQLError.self) {
            try TestDatabase().run("SELECT 1;\nSELECT id,\n nowhere\nFROM pay")
        }
        #expect(error.place?.line == 3)
        #expect(error.cause == "no such column: nowhere")
    }

    @Test func `whose rows break a rule fails in that statement`() throws {
        let database = try TestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run("DELETE FROM pay WHERE id=1;\nINSERT INTO pay VALUES (2, 'twice')")
        }
        #expect(error.description.contains("statement 2 of 2, line 2"))
        #expect(error.description.contains("UNIQUE constraint failed: pay.id"))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test(arguments: ["COMMIT", "END TRANSACTION", "ROLLBACK", "BEGIN"])
    func `that ends the transaction by itself is refused before anything runs`(word: String) throws {
        let database = try TestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run("DELETE FROM pay;\n\(word);\nSELECT 1") { _ in Issue.record("it ran") }
        }
        #expect(error.code == .sql && error.place?.line == 2)
        #expect(error.description.contains("-- patchd:transaction none"))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `may use savepoints`() throws {
        let database = try TestDatabase()
        try database.run(
            "SAVEPOINT a; DELETE FROM pay; ROLLBACK TO a; RELEASE a; INSERT INTO pay VALUES (3, 'Mary')")
        #expect(try database.program("SELECT count(*) FROM pay") == "3")
    }

    @Test func `lets a rule of the database roll everything back`() throws {
        let database = try TestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run(
                "DELETE FROM pay; INSERT INTO pay VALUES (1, 'a'); INSERT OR ROLLBACK INTO pay VALUES (1, 'b')")
        }
        #expect(error.place?.statement == 3)
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
        #expect(try database.record()?.steps == [])
    }

    @Test func `takes the form that .dump writes`() throws {
        let source = try TestDatabase(
            .delete, "CREATE TABLE t(a); CREATE TRIGGER tt AFTER INSERT ON t BEGIN SELECT 1; END;")
        let dump = try #require(try source.program(".dump t%"))
        #expect(dump.hasPrefix("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;") && dump.hasSuffix("COMMIT;"))
        let database = try TestDatabase()
        #expect(try database.run(dump))
        #expect(try database.program("SELECT group_concat(name) FROM sqlite_schema WHERE name LIKE 't%'") == "t,tt")
    }

    @Test func `without a transaction runs what needs none, and starts again`() throws {
        let database = try TestDatabase()
        let text =
            "-- patchd:transaction none\nPRAGMA journal_mode=WAL;\nINSERT OR IGNORE INTO pay VALUES (3, 'M');VACUUM;"
        #expect(throws: SQLError.self) { try database.run(text + "SELECT nothing") }
        #expect(try database.record()?[.sample()]?.state == .running)
        #expect(try database.program("SELECT count(*) FROM pay") == "3")
        #expect(try database.run(text))
        #expect(try database.record()?[.sample()]?.state == .done)
        #expect(try database.program("PRAGMA journal_mode") == "wal")
        #expect(try !database.run(text))
    }

    @Test func `without a transaction may have its own, but has to end it`() throws {
        let database = try TestDatabase()
        let text = "-- patchd:transaction none\nBEGIN; DELETE FROM pay; "
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.description.contains("did not end it"))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
        #expect(try database.run(text + "COMMIT"))
        #expect(try database.program("SELECT count(*) FROM pay") == "0")
    }

    @Test func `with reconnect commits what is before it, and goes on behind it`() throws {
        let database = try TestDatabase()
        let first = "CREATE TEMP TABLE t(a); CREATE TABLE once(a);\n-- patchd:reconnect\n"
        #expect(throws: SQLError.self) {
            try TestDatabase().run("CREATE TEMP TABLE t(a);\n-- patchd:reconnect\nSELECT * FROM t")
        }
        let error = try #require(throws: SQLError.self) {
            try database.run(first + "INSERT INTO once VALUES (1); SELECT x")
        }
        #expect(error.description.contains("since the last patchd:reconnect"))
        let marker = try #require(try database.record()?[.sample()])
        #expect(marker.state == .running && marker.statements == 2 && marker.total == 4)
        #expect(try database.program("SELECT count(*) FROM once") == "0")
        // What is done must still be what it was; behind it everything may change. The temporary table is gone.
        #expect(throws: SQLError.self) { try database.run("CREATE TABLE other(a);" + first) }
        #expect(throws: SQLError.self) { try database.run(first + "SELECT * FROM t") }
        #expect(try database.run("-- corrected\n" + first + "INSERT INTO once VALUES (2);\n-- patchd:reconnect"))
        #expect(try database.program("SELECT a FROM once") == "2")
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `that takes too long is interrupted and leaves nothing`() throws {
        let database = try TestDatabase()
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        let error = try #require(throws: SQLError.self) {
            try database.run("DELETE FROM pay; \(endless)", seconds: 0.2)
        }
        #expect(error.description.contains("statement 2 of 2") && error.description.contains("scriptTimeout"))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `is interrupted in a statement, and leaves nothing, when its worker has to end`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        session.shouldEnd = { true }
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        #expect(throws: SQLError.self) {
            try session.run(script("DELETE FROM pay; \(endless)"), as: .sample())
        }
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test(arguments: [
        ("ATTACH '/tmp/other.db' AS other", "attaches"),
        ("EXPLAIN ATTACH '/tmp/o' || 'ther.db' AS other", "attaches"),
        ("SELECT load_extension('/tmp/x.so')", "loads an extension"),
        (
            "CREATE TRIGGER t AFTER INSERT ON pay BEGIN SELECT load_extension('x'); END; INSERT INTO pay VALUES(9,'x')",
            "loads an extension"
        ),
        ("VACUUM", "-- patchd:transaction none"),
        ("-- patchd:transaction none\nVACUUM INTO '/tmp/other.db'", "another file"),
        ("PRAGMA journal_mode = OFF", "broken database"),
        ("PRAGMA main.journal_mode('memory')", "broken database"),
        ("EXPLAIN PRAGMA busy_timeout = 0", "patchd's own"),
    ])
    func `never does what no script may`(text: String, cause: String) throws {
        let database = try TestDatabase()
        let error = try #require(throws: SQLError.self) { try database.run("DELETE FROM pay;" + text) }
        #expect(error.code == .sql && error.description.contains(cause), "\(error)")
        if !text.contains("none") { #expect(try database.program("SELECT count(*) FROM pay") == "2") }
    }

    @Test func `cannot write the schema's own table`() throws {
        #expect(throws: SQLError.self) {
            try TestDatabase().run("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='x'")
        }
    }

    @Test func `may do what SQLite does with statements of its own`() throws {
        let database = try TestDatabase()
        try database.run(
            """
            CREATE VIRTUAL TABLE words USING fts5(word); INSERT INTO words VALUES ('payroll'), ('tax');
            CREATE TABLE hits AS SELECT * FROM words WHERE words MATCH 'pay*'; DROP TABLE words;
            ALTER TABLE pay ADD COLUMN rate; ALTER TABLE pay RENAME COLUMN rate TO r; ALTER TABLE pay DROP COLUMN r;
            CREATE INDEX byName ON pay(name); REINDEX; ANALYZE; PRAGMA user_version = 7;
            """)
        #expect(try database.program("SELECT * FROM hits; PRAGMA user_version") == "payroll\n7")
    }

    @Test func `of nothing but remarks is recorded as well`() throws {
        let database = try TestDatabase()
        #expect(try database.run("-- nothing to do on SQLite\n"))
        #expect(try database.record()?[.sample()]?.state == .done)
        #expect(try !database.run(""))
    }

    @Test func `leaves no settings to the next one in the same session`() throws {
        let database = try TestDatabase(.delete, "CREATE TABLE child(p REFERENCES pay(id));")
        let session = try database.open()
        try session.run(script("PRAGMA foreign_keys=ON"), as: .sample("1.sql"))
        try session.run(script("INSERT INTO child VALUES (99)"), as: .sample("2.sql"))
        try session.run(script("CREATE TEMP TABLE t(a)"), as: .sample("3.sql"))
        try session.run(script("CREATE TEMP TABLE t(a)"), as: .sample("4.sql"))
        #expect(try session.record()?.steps.map(\.key.script) == ["1.sql", "2.sql", "3.sql", "4.sql"])
    }
}

@Suite struct `Foreign keys` {
    private let children = """
        CREATE TABLE child(id INTEGER PRIMARY KEY, p INTEGER REFERENCES pay(id) ON DELETE CASCADE);
        INSERT INTO child VALUES (1, 1), (2, 2);
        """

    /// SQLite's twelve steps for what ALTER TABLE cannot do (https://www.sqlite.org/lang_altertable.html#otheralter).
    @Test func `survive the rebuilding of a table`() throws {
        let database = try TestDatabase(.delete, children)
        let rebuild = """
            PRAGMA foreign_keys=OFF;
            CREATE TABLE new_pay(id INTEGER PRIMARY KEY, name TEXT NOT NULL, rate REAL DEFAULT 1);
            INSERT INTO new_pay(id, name) SELECT id, name FROM pay;
            DROP TABLE pay;
            ALTER TABLE new_pay RENAME TO pay;
            PRAGMA foreign_keys=ON;
            """
        #expect(try database.run(rebuild))
        // Had the pragma been ignored within the transaction, DROP TABLE would have deleted the children.
        #expect(try database.program("SELECT count(*) FROM child") == "2")
    }

    @Test func `are on for a script that switches them on`() throws {
        let database = try TestDatabase(.delete, children)
        #expect(throws: SQLError.self) { try database.run("PRAGMA foreign_keys=ON; INSERT INTO child VALUES (3, 99)") }
        #expect(try database.run("PRAGMA foreign_keys='yes'; DELETE FROM pay WHERE id=1"))
        #expect(try database.program("SELECT count(*) FROM child") == "1")
    }

    @Test func `are checked at the end of a script that switches them off`() throws {
        let database = try TestDatabase(.delete, children)
        let error = try #require(throws: SQLError.self) {
            try database.run("PRAGMA foreign_keys=OFF; DELETE FROM pay WHERE id=1")
        }
        #expect(error.code == .sql && error.description.contains("nothing: child to pay"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `that were broken before are not the script's fault`() throws {
        let database = try TestDatabase(.delete, children + "DELETE FROM pay WHERE id=2;")
        #expect(try database.run("PRAGMA foreign_keys=OFF; INSERT INTO pay VALUES (3, 'Mary')"))
        #expect(throws: SQLError.self) {
            try database.run("PRAGMA foreign_keys=OFF; DELETE FROM pay WHERE id=1", name: "8.0.3.sql")
        }
    }

    @Test func `with foreign_keys off passes over old mismatches and old rows that nobody touches`() throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE old(a); CREATE TABLE child(x REFERENCES old(a)); INSERT INTO child VALUES (1);
            CREATE TABLE parent(id INTEGER PRIMARY KEY); CREATE TABLE lost(p REFERENCES parent(id));
            INSERT INTO lost VALUES (7);
            """)
        #expect(
            try database.run(
                """
                PRAGMA foreign_keys=OFF;
                CREATE TABLE pay2(id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT);
                INSERT INTO pay2 SELECT id, name, NULL FROM pay; DROP TABLE pay; ALTER TABLE pay2 RENAME TO pay;
                PRAGMA foreign_keys=ON;
                """))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test(arguments: [
        ("INSERT INTO lost VALUES (8)", "rows that refer to nothing: lost to parent"),
        ("DROP INDEX pay_name", "foreign key mismatch"),
    ])
    func `with foreign_keys off fails for what it breaks itself`(sql: String, message: String) throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE old(a); CREATE TABLE child(x REFERENCES old(a)); INSERT INTO child VALUES (1);
            CREATE TABLE parent(id INTEGER PRIMARY KEY); CREATE TABLE lost(p REFERENCES parent(id));
            INSERT INTO lost VALUES (7);
            CREATE UNIQUE INDEX pay_name ON pay(name); CREATE TABLE note(n REFERENCES pay(name));
            """)
        let error = try #require(throws: SQLError.self) { try database.run("PRAGMA foreign_keys=OFF;\n\(sql)") }
        #expect(error.code == .sql && error.description.contains(message), "\(error)")
        #expect(try database.program("SELECT count(*) FROM lost") == "1")
    }

    /// Rows that refer to nothing were only counted, so that a new one could take the place of one that was put right.
    @Test(arguments: [
        "DELETE FROM lost WHERE p = 7; INSERT INTO lost VALUES (9, 'c')",
        "UPDATE lost SET p = 9 WHERE p = 7", "INSERT INTO parent VALUES (7); DELETE FROM parent WHERE id = 1",
    ]) func `with foreign_keys off fails for a row that takes an old one's place`(sql: String) throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE parent(id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1);
            CREATE TABLE lost(p REFERENCES parent(id), name); INSERT INTO lost VALUES (7, 'a'), (1, 'b');
            """)
        let error = try #require(throws: SQLError.self) { try database.run("PRAGMA foreign_keys=OFF;\n\(sql)") }
        #expect(error.code == .sql && error.description.contains("nothing: lost to parent"), "\(error)")
    }

    @Test(arguments: ["", " WITHOUT ROWID"])
    func `with foreign_keys off rebuilds a table with old rows that refer to nothing, whatever its row numbers`(
        kind: String
    ) throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE parent(id INTEGER PRIMARY KEY, b, UNIQUE(id, b));
            CREATE TABLE lost(k TEXT PRIMARY KEY, p REFERENCES parent(id), b, FOREIGN KEY(p, b) REFERENCES parent(id, b))\(kind);
            INSERT INTO lost VALUES ('b', 7, 'x'), ('a', 8, x'00'), ('c', NULL, 1), ('d', 7, 'x');
            DELETE FROM lost WHERE k = 'b';
            """)
        #expect(
            try database.run(
                """
                PRAGMA foreign_keys=OFF;
                CREATE TABLE new(note, b, p REFERENCES parent(id), k TEXT PRIMARY KEY, FOREIGN KEY(p, b) REFERENCES parent(id, b))\(kind);
                INSERT INTO new(k, p, b) SELECT k, p, b FROM lost ORDER BY k; DROP TABLE lost; ALTER TABLE new RENAME TO lost;
                """))
        #expect(try database.program("SELECT count(*) FROM lost") == "3")
    }

    @Test func `with foreign_keys off is not kept from running by a collation of the application's own`() throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE p(a TEXT UNIQUE); CREATE TABLE c(a REFERENCES p(a)); INSERT INTO c VALUES ('x');
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'TEXT UNIQUE', 'TEXT COLLATE german UNIQUE') WHERE name = 'p';
            """)
        #expect(try database.run("PRAGMA foreign_keys=OFF;\nUPDATE pay SET name = 'x'"))
    }
}
