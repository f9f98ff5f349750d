import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `The words of MariaDB` {
    private func texts(_ text: String) throws -> [String] {
        try SQLScript(Array(text.utf8), name: "8.0.2.sql", dialect: .mariadb).statements.map(\.text)
    }

    private func actions(_ text: String) throws -> [StatementAction] {
        try MariaDBSession.actions(of: TestMariaDB.script(text))
    }

    /// The lexer calls itself for each: a million of them were the end of the process.
    @Test func `are cut into statements through a few comments within comments, and not through many`() throws {
        let few = String(repeating: "/*! ", count: 20) + "select 1" + String(repeating: " */", count: 20)
        #expect(try texts(few + "; x") == [few, "x"])
        let error = try #require(throws: SQLError.self) { try texts(String(repeating: "/*!", count: 1_000_000)) }
        #expect(error.description.contains("lies in"), "\(error)")
    }

    @Test(arguments: [
        ("select 'delimiter $$\n'; x", ["select 'delimiter $$\n'", "x"]),
        ("-- delimiter $$\nselect 1; x", ["select 1", "x"]),
        ("/*\ndelimiter $$\n*/ select 1; x", ["select 1", "x"]),
        ("delimiter $$   and more\nselect 1; select 2$$\ndelimiter ;\nx;", ["select 1; select 2", "x"]),
        ("select `a;``b`, \"c;\"\"d\", 'e;''f\\'g;'; x", ["select `a;``b`, \"c;\"\"d\", 'e;''f\\'g;'", "x"]),
        ("select `a\\`; x", ["select `a\\`", "x"]),
        ("select 5--1; x -- y; z\n; w", ["select 5--1", "x", "w"]),
        ("/*!50003 create trigger t set a = '*/' */; x", ["/*!50003 create trigger t set a = '*/' */", "x"]),
        ("/*!40101 set a = 1 /* b; */ */; x", ["/*!40101 set a = 1 /* b; */ */", "x"]),
        ("/*!80023 it's MySQL's */ select 1; x", ["select 1", "x"]),
        ("/*M!999999\\- enable the sandbox mode */ \nselect 1; x", ["select 1", "x"]),
        ("/*M!100100 select 1 */; x", ["/*M!100100 select 1 */", "x"]),
        (
            "set sql_mode = 'NO_BACKSLASH_ESCAPES'; select 'a\\'; x",
            ["set sql_mode = 'NO_BACKSLASH_ESCAPES'", "select 'a\\'", "x"]
        ),
        (
            "set sql_mode = 'NO_BACKSLASH_ESCAPES'; set sql_mode = @old; select 'a\\';'; x",
            [
                "set sql_mode = 'NO_BACKSLASH_ESCAPES'", "set sql_mode = @old", "select 'a\\';'", "x",
            ]
        ),
        (
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI_QUOTES' */; select \"a\\\"; x",
            [
                "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI_QUOTES' */", "select \"a\\\"", "x",
            ]
        ),
        (
            "set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES'); select \"a\\\", 'b\\';'; x",
            [
                "set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')", "select \"a\\\", 'b\\';'", "x",
            ]
        ),
    ])
    func `are cut into statements where its client cuts them`(text: String, expected: [String]) throws {
        #expect(try texts(text) == expected)
    }

    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "/*!40000 INSERT INTO t VALUES (1) */", "SET NAMES utf8mb4", "SELECT 1",
        "CREATE TEMPORARY TABLE t (a INT)", "DROP TEMPORARY TABLE t", "PREPARE s FROM 'SELECT 1'", "(SELECT 1)",
        "WITH a AS (SELECT 1) SELECT * FROM a", "LOAD DATA INFILE 'a' INTO TABLE t",
        "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t",
    ])
    func `that stay in a transaction run in one, with their record`(text: String) throws {
        #expect(try actions(text) == [.run])
    }

    @Test(arguments: [
        "CREATE TABLE t (a INT)",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN END */",
        "ALTER TABLE t ADD a INT", "/*!40000 ALTER TABLE `t` DISABLE KEYS */", "DROP VIEW v", "RENAME TABLE a TO b",
        "TRUNCATE t", "GRANT SELECT ON t TO u", "CALL p()", "EXECUTE s", "BEGIN NOT ATOMIC SELECT 1", "ANALYZE TABLE t",
        "SET PASSWORD = 'x'", "SET STATEMENT lock_wait_timeout = 1 FOR ALTER TABLE t ADD a INT",
        "LOAD INDEX INTO CACHE t",
        "CREATE OR REPLACE TABLE t (a INT)",
    ])
    func `that end a transaction by themselves run alone`(text: String) throws {
        #expect(try actions(text) == [.alone])
    }

    @Test(arguments: [
        "USE other", "SOURCE other.sql", "system rm -rf /", "CREATE DATABASE a", "DROP SCHEMA a",
        "CREATE OR REPLACE DATABASE a", "ROLLBACK", "SAVEPOINT a", "FLUSH TABLES WITH READ LOCK",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", "SET autocommit = 0, time_zone = '+00:00'",
        "INSERT INTO t SELECT ROW_COUNT()",
    ])
    func `that no script may say are refused with their line`(text: String) throws {
        let script = try TestMariaDB.script("SELECT 1;\n\(text);")
        let problem = try #require(MariaDBSession.problems(of: script).first)
        #expect(problem.place?.line == 2 && !problem.wayOut.isEmpty, "\(problem)")
    }

    @Test func `that are an order to the client and no statement are refused as the script is read`() throws {
        let error = try #require(throws: SQLError.self) { try TestMariaDB.script("SELECT 1;\n\\. other.sql\n") }
        #expect(error.place?.line == 2)
    }

    @Test(arguments: [
        ("CREATE TABLE a (x INT)", "+table a"), ("CREATE TABLE `b`.`a;b` LIKE c", "+table a;b"),
        ("CREATE TABLE IF NOT EXISTS a (x INT)", "again"), ("CREATE OR REPLACE VIEW a AS SELECT 1", "again"),
        ("CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`%` SQL SECURITY DEFINER VIEW v AS SELECT 1", "+view v"),
        ("CREATE UNIQUE INDEX i ON t (a)", "+index t.i"), ("DROP INDEX i ON t", "-index t.i"),
        ("CREATE DEFINER=`r`@`%` PROCEDURE p(IN t INT) BEGIN CREATE TABLE x (a INT); END", "+routine PROCEDURE.p"),
        ("CREATE SEQUENCE s", "+sequence s"), ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "+event e"),
        (
            "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = 1 */",
            "+trigger t"
        ),
        ("DROP TABLE a, b", "-table a -table b"), ("DROP TABLE IF EXISTS a", "again"),
        ("DROP FUNCTION f", "-routine FUNCTION.f"),
        ("RENAME TABLE a TO old, new TO a", "+table a -table new +table old"),
        ("ALTER TABLE t ADD COLUMN a INT AFTER b, ADD c DECIMAL(10,2) DEFAULT 1", "+column t.a +column t.c"),
        ("ALTER TABLE t ADD (a INT, b DECIMAL(3,1))", "+column t.a +column t.b"),
        ("ALTER TABLE t ADD INDEX i (a, b), DROP KEY j", "+index t.i -index t.j"),
        ("ALTER TABLE t ADD UNIQUE KEY `u` (a), ADD PRIMARY KEY (b)", "+index t.PRIMARY +index t.u"),
        (
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (b), DROP FOREIGN KEY d",
            "+constraint t.c -constraint t.d"
        ),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)", "+index t.c"), ("ALTER TABLE t ADD INDEX (a)", "open"),
        ("ALTER TABLE t DROP a, DROP COLUMN b", "-column t.a -column t.b"),
        ("ALTER TABLE t MODIFY a BIGINT NOT NULL", "again"),
        ("ALTER TABLE t CHANGE a b INT", "-column t.a +column t.b"), ("ALTER TABLE t CHANGE a a BIGINT", "again"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "-column t.a +column t.b"),
        ("ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "open"),
        ("ALTER TABLE t RENAME INDEX a TO b", "-index t.a +index t.b"),
        ("ALTER TABLE t RENAME TO u", "-table t +table u"),
        ("ALTER TABLE t ENGINE=InnoDB, COMMENT='a, b'", "again"), ("ALTER TABLE t ADD PARTITION (PARTITION p)", "open"),
        ("ALTER TABLE t DROP CONSTRAINT c", "-constraint t.c"), ("TRUNCATE TABLE t", "again"), ("CALL p()", "open"),
        ("REVOKE SELECT ON t FROM u", "open"), ("GRANT SELECT ON t TO u", "again"),
        ("BEGIN NOT ATOMIC SELECT 1; END", "open"),
    ])
    func `tell what shows in the catalogue once they took effect`(text: String, expected: String) {
        let evidence = MariaDBEffect(MariaDBWords(text)).evidence
        let shown =
            switch evidence {
            case .repeatable: "again"
            case .none: "open"
            case .signs(let signs):
                signs.map { sign in
                    "\(sign.exists ? "+" : "-")\(sign.kind) \(sign.owner.isEmpty ? "" : sign.owner + ".")\(sign.name)"
                }.sorted { $0.drop { $0 != " " } < $1.drop { $0 != " " } }.joined(separator: " ")
            }
        #expect(shown == expected)
    }

    @Test(arguments: [
        ("a?b", "'a?b'"), ("it's", "'it''s'"), ("", "_utf8mb4 X''"), ("a\\", "_utf8mb4 X'615C'"),
        ("ä", "_utf8mb4 X'C3A4'"),
    ])
    func `that are values stand for themselves whatever sql_mode is`(value: String, literal: String) {
        #expect(MariaDBLiteral.literal(value) == literal)
        #expect(
            MariaDBLiteral.bind("SELECT '?', `?` FROM t WHERE a = ? AND b = ?", [value, nil])
                == "SELECT '?', `?` FROM t WHERE a = \(literal) AND b = NULL")
    }
}
