import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A backup` {
    private func directory(_ database: TestDatabase) throws -> Directory {
        try Directory.open(database.folder).ensureDirectory(".patchd")
    }

    @Test(arguments: TestDatabase.Journal.allCases, TestDatabase.Journal.allCases)
    func `brings everything back as it was, the marker and the journal mode too`(
        journal: TestDatabase.Journal, other: TestDatabase.Journal
    ) throws {
        let database = try TestDatabase(journal, "CREATE VIEW v AS SELECT * FROM pay;")
        let session = try database.open()
        try session.run(script("INSERT INTO pay VALUES (3, 'Mary')"), as: .sample("8.0.1.sql"))
        try session.show(Revision(code: 9999, phase: .updating, message: "", deadline: nil))
        let before = try database.program(".dump pay v patchd_step")
        let backup = try session.backUp(to: directory(database), as: "app.db") { _ in }
        #expect(backup.mode == journal.rawValue.lowercased())
        try session.run(
            script(
                "PRAGMA journal_mode=\(other.rawValue); DROP VIEW v; DELETE FROM pay;"
                    + "CREATE TABLE big AS SELECT randomblob(100000)"
            ),
            as: .sample())
        try session.restore(backup, from: directory(database))
        #expect(try database.program(".dump pay v patchd_step") == before)
        #expect(try database.program("SELECT count(*) FROM sqlite_schema WHERE name='big'") == "0")
        #expect(try database.program("PRAGMA journal_mode") == journal.rawValue.lowercased())
        // The copy does not say that the folder is locked; whoever restores it does.
        #expect(try database.program("SELECT count(*) FROM patchd_revision") == "0")
        #expect(try session.run(script("SELECT 1"), as: .sample()))
    }

    @Test func `is one private file that is a database by itself`() throws {
        let database = try TestDatabase(.wal)
        let holder = try Holder(.idle, database.path)
        let backup = try database.open().backUp(to: directory(database), as: "app.db") { _ in }
        holder.leave()
        let folder = database.folder + "/.patchd"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["app.db"])
        let status = try #require(try directory(database).status("app.db"))
        #expect(status.mode == 0o600 && status.size == backup.size)
        #expect(try File.open(folder + "/app.db").sha256() == backup.sha256)
    }

    @Test func `takes in what others have committed, and nothing that they have not`() throws {
        let database = try TestDatabase(.wal)
        let writer = try Holder(.writes, database.path)
        let session = try database.open()
        let backup = try session.backUp(to: directory(database), as: "app.db") { _ in }
        writer.leave()
        try session.run(script("DELETE FROM pay"), as: .sample())
        try session.restore(backup, from: directory(database))
        #expect(try database.program("SELECT group_concat(id) FROM pay") == "1,2")
    }

    @Test func `that was changed is not put back`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        let backup = try session.backUp(to: directory(database), as: "app.db") { _ in }
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: database.folder + "/.patchd/app.db"))
        try handle.seek(toOffset: 5000)
        try handle.write(contentsOf: Data([7]))
        try handle.close()
        let error = try #require(throws: SQLError.self) { try session.restore(backup, from: directory(database)) }
        #expect(error.code == .database && error.description.contains("SHA-256"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
        #expect(throws: SQLError.self) {
            try session.restore(
                DatabaseBackup(name: "none", size: 1, sha256: "", mode: "wal"), from: directory(database))
        }
    }

    @Test(arguments: TestDatabase.Journal.allCases, [Holder.Use.reads, .writes, .idleInTransaction])
    func `is not put back under somebody, who is named`(journal: TestDatabase.Journal, use: Holder.Use) throws {
        let database = try TestDatabase(journal)
        let session = try database.open()
        let backup = try session.backUp(to: directory(database), as: "app.db") { _ in }
        let holder = try Holder(use, database.path)
        let error = try #require(throws: SQLError.self) { try session.restore(backup, from: directory(database)) }
        #expect(error.code == .inUse && error.blockers.map(\.pid) == [holder.pid], "\(error)")
        holder.leave()
        try session.restore(backup, from: directory(database))
    }

    @Test func `of a damaged database is none`() throws {
        let database = try TestDatabase(
            .delete, "INSERT INTO pay SELECT NULL, hex(randomblob(500)) FROM pragma_function_list;")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: database.path))
        try file.seek(toOffset: 4096 * 5)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 5))
        try file.close()
        let error = try #require(throws: SQLError.self) {
            try database.open().backUp(to: directory(database), as: "app.db") { _ in }
        }
        #expect(error.code == .database && error.description.contains("damaged"), "\(error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: database.folder + "/.patchd") == [])
    }

    /// A database that needs the application's own collation, functions and module. The sqlite3 program cannot make it, so
    /// its schema is edited.
    private func databaseWithOwnRules() throws -> TestDatabase {
        try TestDatabase(
            .delete,
            """
            CREATE TABLE t1(a TEXT UNIQUE); CREATE TABLE t2(a TEXT, b TEXT AS (upper(a)), CHECK (length(a) < 9));
            CREATE TABLE t3(a TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE t4(a); CREATE INDEX i4 ON t4(upper(a));
            CREATE TABLE t5(x); INSERT INTO t1 VALUES ('x'), ('y'); INSERT INTO t2 VALUES ('x');
            INSERT INTO t3 VALUES ('x'); INSERT INTO t4 VALUES ('x');
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'TEXT UNIQUE', 'TEXT COLLATE german UNIQUE') WHERE name = 't1';
            UPDATE sqlite_schema SET sql = replace(replace(sql, 'upper(', 'own_upper('), 'length(', 'own_length(')
              WHERE name = 't2';
            UPDATE sqlite_schema SET sql = replace(sql, 'TEXT PRIMARY', 'TEXT COLLATE german PRIMARY') WHERE name = 't3';
            UPDATE sqlite_schema SET sql = replace(sql, 'upper(', 'own_upper(') WHERE name = 'i4';
            UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE t5 USING own_module(x)', rootpage = 0 WHERE name = 't5';
            """)
    }

    @Test func `is made of a database with collations, functions and modules of the application's own`() throws {
        let database = try databaseWithOwnRules()
        let session = try database.open()
        var unchecked: [String] = []
        let backup = try session.backUp(to: directory(database), as: "app.db") { unchecked = $0 }
        #expect(unchecked.contains { $0.hasPrefix("t1: no such collation sequence: german") }, "\(unchecked)")
        #expect(!unchecked.contains { $0.hasPrefix("pay:") }, "\(unchecked)")
        try session.run(script("DELETE FROM pay"), as: .sample())
        try session.restore(backup, from: directory(database))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `is made of a database whose rows break a rule that came later`() throws {
        let database = try TestDatabase(
            .delete,
            """
            CREATE TABLE t(a, b INTEGER); INSERT INTO t VALUES (NULL, -1);
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a NOT NULL, b INTEGER CHECK (b > 0))' WHERE name = 't';
            """)
        var unchecked: [String]?
        _ = try database.open().backUp(to: directory(database), as: "app.db") { unchecked = $0 }
        #expect(unchecked == [])
    }

    @Test func `of a damaged table is none, also where another table cannot be checked`() throws {
        let database = try databaseWithOwnRules()
        try database.program("INSERT INTO pay SELECT NULL, hex(randomblob(500)) FROM pragma_function_list;")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: database.path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: size - 4096 * 5)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 5))
        try file.close()
        let error = try #require(throws: SQLError.self) {
            try database.open().backUp(to: directory(database), as: "app.db") { _ in }
        }
        #expect(error.code == .database && error.description.contains("damaged"), "\(error)")
    }
}
