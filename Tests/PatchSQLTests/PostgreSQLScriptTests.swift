import Foundation
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A script on PostgreSQL` {
    @Test func `takes effect together with its marker, once`() throws {
        let database = try PostgreSQLFixture()
        #expect(try database.record() == nil)
        #expect(try database.run("INSERT INTO pay VALUES (3, 'Mary');\nUPDATE pay SET name = upper(name);"))
        #expect(try !database.run("INSERT INTO pay VALUES (4, 'again')"))
        #expect(try database.sql("SELECT string_agg(name, ',' ORDER BY id) FROM pay") == "ADA,GRACE,MARY")
        let marker = try #require(try database.record()?[.sample()])
        #expect(marker.state == .done && marker.job == 12 && marker.statements == 2 && marker.total == 2)
    }

    @Test func `leaves nothing where a statement fails, and says where, why and with what code`() throws {
        let database = try PostgreSQLFixture()
        let error = try #require(throws: SQLError.self) {
            try database.run("CREATE TABLE t(a int);\n-- the second\nUPDATE pay\n  SET nme = 'x';")
        }
        #expect(
            error.description == """
                cannot run 8.0.2.sql, statement 2 of 2, line 4 (UPDATE pay …): column "nme" of relation "pay" does not exist \
                [SQLSTATE 42703]; nothing of the script took effect
                """)
        #expect(try database.sql("SELECT to_regclass('t') IS NULL") == "t")
        #expect(try database.record()?[.sample()] == nil)
    }

    @Test func `has dollar quotes, nested comments, rules, and bodies that are SQL, each in one statement`() throws {
        let database = try PostgreSQLFixture()
        try database.run(
            """
            /* a /* nested; */ comment; */
            CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END; $body$;
            CREATE FUNCTION two(n int) RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT CASE n WHEN 1 THEN 2 ELSE 3 END; SELECT 2; END;
            CREATE TABLE log(what text);
            CREATE RULE r AS ON DELETE TO pay DO ALSO (INSERT INTO log VALUES ('a;'); INSERT INTO log VALUES (E'b\\';'));
            DO $$ BEGIN PERFORM one(); RAISE NOTICE 'half; way'; END $$;
            """)
        #expect(try database.sql("SELECT one() + two(1)") == "3")
        try database.sql("DELETE FROM pay WHERE id = 1")
        #expect(try database.sql("SELECT string_agg(what, '' ORDER BY what) FROM log") == "a;b';")
        #expect(try database.record()?[.sample()]?.total == 5)
    }

    @Test func `has the rows of COPY behind it, as a dump has them`() throws {
        let database = try PostgreSQLFixture()
        try database.run(
            """
            \\restrict aBc
            SET statement_timeout = 0;
            SET lock_timeout = 0;
            SET client_encoding = 'UTF8';
            SELECT pg_catalog.set_config('search_path', '', false);
            COPY public.pay (id, name) FROM stdin;
            3\tMary; \\\\ x
            4\t\\N4
            \\.
            UPDATE public.pay SET name = 'four' WHERE id = 4;
            \\unrestrict aBc
            """)
        #expect(try database.sql("SELECT string_agg(name, ',' ORDER BY id) FROM pay WHERE id > 2") == "Mary; \\ x,four")
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `names the line of the data that COPY refuses`() throws {
        let database = try PostgreSQLFixture()
        let error = try #require(throws: SQLError.self) {
            try database.run("SELECT 1;\nCOPY pay FROM stdin;\n3\tMary\nx\tJoan\n\\.\n")
        }
        #expect(error.place?.line == 4, "\(error)")
        #expect(error.description.contains("invalid input syntax for type integer: \"x\""))
        #expect(try database.sql("SELECT count(*) FROM pay") == "2")
    }

    @Test(arguments: [
        ("SELECT 1;\n\\i other.sql", 2, "order to a client program"), ("SELECT 1 \\gexec", 1, "command of psql"),
        ("SELECT 1;\nCOMMIT;\nSELECT 2;", 2, "says COMMIT by itself"),
        ("CREATE DATABASE x", 1, "its folder's own database"),
        ("COPY pay FROM stdin;\n1\tx\n", 1, "never ends"), ("SET client_encoding = 'LATIN1'", 1, "scripts are UTF-8"),
        ("SELECT 'open", 1, "never ends"), ("COPY pay TO STDOUT", 1, "nobody reads"),
    ])
    func `is refused with its line where it says what no script may`(text: String, line: Int, why: String) throws {
        let database = try PostgreSQLFixture()
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.place?.line == line && error.code == .sql && error.description.contains(why), "\(error)")
        #expect(try database.record() == nil)
    }

    @Test func `runs in a transaction of patchd's where it says BEGIN and COMMIT around itself`() throws {
        let database = try PostgreSQLFixture()
        _ = try? database.run(
            "BEGIN;\nINSERT INTO pay VALUES (3, 'x');\nINSERT INTO pay VALUES (1, 'double');\nCOMMIT;")
        #expect(try database.sql("SELECT count(*) FROM pay") == "2")
    }

    @Test func `runs what no transaction can hold by itself, and goes on behind it`() throws {
        let database = try PostgreSQLFixture()
        var told: [Int] = []
        try database.run(
            """
            CREATE TABLE t(a int);
            CREATE INDEX CONCURRENTLY byname ON pay (name);
            VACUUM pay;
            INSERT INTO t VALUES (1);
            """
        ) { if case .committed(let count) = $0 { told.append(count) } }
        #expect(told == [1, 2, 3, 4])
        #expect(try database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'byname'::regclass") == "t")
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `gives a new value of an enumeration to the statements behind it`() throws {
        let database = try PostgreSQLFixture(nil, "CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE m(v mood);")
        try database.run("ALTER TYPE mood ADD VALUE 'sad';\nINSERT INTO m VALUES ('sad');")
        #expect(try database.sql("SELECT v FROM m") == "sad")
    }

    @Test func `removes the invalid index of a try that failed, and builds it when it is run again`() throws {
        let database = try PostgreSQLFixture(nil, "INSERT INTO pay VALUES (3, 'Ada');")
        let text = "INSERT INTO pay VALUES (4, 'first');\nCREATE UNIQUE INDEX CONCURRENTLY byname ON pay (name);"
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.description.contains("SQLSTATE 23505"), "\(error)")
        #expect(try database.sql("SELECT to_regclass('byname') IS NULL") == "t")
        #expect(try database.sql("SELECT count(*) FROM pay") == "4", "what is before it took effect")
        try database.sql("DELETE FROM pay WHERE id = 3")
        #expect(try database.run(text))
        #expect(try database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'byname'::regclass") == "t")
        #expect(try database.sql("SELECT count(*) FROM pay") == "3", "what took effect is not run again")
    }

    @Test func `finds out whether what was cut off took effect`() throws {
        let database = try PostgreSQLFixture()
        let text = "CREATE INDEX CONCURRENTLY byname ON pay (name);\nCREATE TABLE after_it(a int);"
        let script = try SQLScript(Array(text.utf8), name: "8.0.2.sql", dialect: .postgresql)
        // As a kill between the statement and its record leaves it.
        let session = try database.open()
        try session.prepareTables()
        let marker = StepMarker(
            .sample(), version: try ScriptRun.sample().version, state: .executing, job: 12, statements: 0, total: 2,
            hash: script.hash(first: 0))
        try session.transaction { () throws(SQLError) in try session.write(marker) }
        try database.sql("CREATE INDEX byname ON pay (name)")
        let node = try database.sql("SELECT 'byname'::regclass::oid")
        #expect(try database.run(text))
        #expect(try database.sql("SELECT 'byname'::regclass::oid") == node)
        #expect(try database.sql("SELECT to_regclass('after_it') IS NOT NULL") == "t")
    }

    @Test func `goes on behind its last reconnect, and not with other statements than it began with`() throws {
        let database = try PostgreSQLFixture()
        let text = "CREATE TABLE a(x int);\n-- patchd:reconnect\nINSERT INTO pay VALUES (1, 'double');"
        #expect(throws: SQLError.self) { try database.run(text) }
        #expect(try database.sql("SELECT to_regclass('a') IS NOT NULL") == "t")
        let changed = try #require(throws: SQLError.self) {
            try database.run(text.replacing("a(x int)", with: "b(x int)"))
        }
        #expect(changed.description.contains("its first 1 statements are done"))
        #expect(try database.run(text.replacing("(1, 'double')", with: "(7, 'seven')")))
        #expect(try database.sql("SELECT count(*) FROM pay") == "3")
    }

    @Test func `is ended when it takes longer than it may`() throws {
        let database = try PostgreSQLFixture()
        let error = try #require(throws: SQLError.self) { try database.run("SELECT pg_sleep(60)", seconds: 0.2) }
        #expect(error.code == .sql && error.description.contains("scriptTimeout"), "\(error)")
    }

    @Test func `shows what it says and returns`() throws {
        let database = try PostgreSQLFixture()
        var shown: [String] = []
        try database.run(
            "DO $$ BEGIN RAISE NOTICE 'hello'; END $$;\nSELECT id, name, NULL FROM pay ORDER BY id;\nDELETE FROM pay;"
        ) {
            if case .finished(_, let result) = $0 { shown += result.output + ["\(result.changes)"] }
        }
        #expect(shown == ["NOTICE:  hello", "0", "1|Ada|", "2|Grace|", "0", "2"])
    }
}
