import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A backup of MariaDB` {
    private static let objects = """
        CREATE TABLE child(a INT, FOREIGN KEY (a) REFERENCES pay (id)); INSERT INTO child VALUES (1);
        CREATE TABLE old(a INT) ENGINE=MyISAM; INSERT INTO old VALUES (7);
        CREATE VIEW v AS SELECT name FROM pay; CREATE SEQUENCE s START WITH 5; CREATE PROCEDURE p() SELECT 3;
        CREATE TRIGGER t BEFORE INSERT ON child FOR EACH ROW SET NEW.a = 2;
        CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO DELETE FROM child;
        """

    private static let everything = """
        SELECT * FROM pay; SELECT * FROM child; SELECT * FROM old; SELECT * FROM v; CALL p(); SHOW TABLES;
        SELECT script, state FROM patchd_step; SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = database();
        SELECT event_name FROM information_schema.events WHERE event_schema = database();
        """

    @Test func `brings everything back as it was, the record of scripts too, and nothing besides`() throws {
        let database = try TestMariaDB(Self.objects)
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let directory = try Directory.open(folder)
        let session = try database.open()
        try session.run(TestMariaDB.script("INSERT INTO pay VALUES (3, 'Größe')"), as: .sample("8.0.1.sql"))
        try session.show(Revision(code: 9999, phase: .updating, message: "", deadline: nil))
        let before = try database.program(Self.everything)
        let backup = try session.backUp(to: directory, as: "app.db") { _ in }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["app.db"])
        let status = try #require(try directory.status("app.db"))
        #expect(status.mode == 0o600 && status.size == backup.size)
        try session.run(
            TestMariaDB.script(
                "DROP VIEW v; DROP PROCEDURE p; DROP TABLE child; DELETE FROM pay; DELETE FROM old; CREATE TABLE big (a INT);"
                    + "CREATE FUNCTION f() RETURNS INT RETURN 1; CREATE VIEW w AS SELECT 1;"), as: .sample())
        try session.restore(backup, from: directory)
        #expect(try database.program(Self.everything) == before)
        #expect(
            try database.program("SELECT count(*) FROM information_schema.routines WHERE routine_schema = database()")
                == "1")
        // The copy does not say that the folder is locked; whoever restores it does.
        #expect(try database.program("SELECT count(*) FROM patchd_revision") == "0")
        #expect(try session.run(TestMariaDB.script("SELECT 1"), as: .sample()))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["app.db"])
    }

    @Test func `with a password gives it to no process list`() throws {
        let database = try TestMariaDB()
        let user = database.name
        try database.server.run(
            "CREATE USER \(user) IDENTIFIED BY 'se\"cr\\\\et #1'; GRANT ALL ON \(database.name).* TO \(user)")
        let credentials = try Credentials(Array("user=\(user)\npassword=se\"cr\\et #1\n".utf8), name: "c")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try TestMariaDB.find(database.server.url(database.name), credentials: credentials).open(
            lockTimeout: 1, create: false)
        let backup = try session.backUp(to: Directory.open(folder), as: "app.db") { _ in }
        try session.run(TestMariaDB.script("DELETE FROM pay"), as: .sample())
        try session.restore(backup, from: Directory.open(folder))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["app.db"])
    }

    /// The rights that docs/databases.md names.
    @Test func `is made and put back by a role with the rights that it needs, also of what others defined`() throws {
        let database = try TestMariaDB(Self.objects)
        let user = database.name
        try database.server.run(
            "CREATE USER \(user); GRANT ALL ON \(database.name).* TO \(user); GRANT SELECT ON mysql.proc TO \(user);"
                + "GRANT SET USER ON *.* TO \(user)")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try TestMariaDB.find(database.server.url(database.name, user: user)).open(
            lockTimeout: 1, create: false)
        try session.prepareTables()
        let before = try database.program(Self.everything)
        let backup = try session.backUp(to: Directory.open(folder), as: "app.db") { _ in }
        try session.run(TestMariaDB.script("DROP PROCEDURE p; DROP VIEW v; DROP TABLE child"), as: .sample())
        try session.restore(backup, from: Directory.open(folder))
        #expect(try database.program(Self.everything) == before)
        let definers =
            "SELECT group_concat(DISTINCT definer) FROM information_schema.routines WHERE routine_schema = database()"
        #expect(try database.program(definers) == "root@localhost")
    }

    @Test func `without the right to read routines is refused, not made without them`() throws {
        let database = try TestMariaDB(Self.objects)
        let user = database.name
        try database.server.run("CREATE USER \(user); GRANT ALL ON \(database.name).* TO \(user)")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = try #require(throws: SQLError.self) {
            try TestMariaDB.find(database.server.url(database.name, user: user)).open(lockTimeout: 1, create: false)
                .backUp(to: Directory.open(folder), as: "app.db") { _ in }
        }
        #expect(error.code == .database && error.description.contains("insufficient privileges"), "\(error)")
    }

    @Test func `that was changed or cut is not put back, and nothing is dropped for it`() throws {
        let database = try TestMariaDB()
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try database.open()
        var backup = try session.backUp(to: Directory.open(folder), as: "app.db") { _ in }
        let path = folder + "/app.db"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.dropLast(200).write(to: URL(fileURLWithPath: path))
        let changed = try #require(throws: SQLError.self) { try session.restore(backup, from: Directory.open(folder)) }
        #expect(changed.code == .database && changed.description.contains("SHA-256"), "\(changed)")
        // A half-written dump whose checksum is right, too.
        backup.size = Int64(whole.count - 200)
        backup.sha256 = try File.open(path).sha256()
        let cut = try #require(throws: SQLError.self) { try session.restore(backup, from: Directory.open(folder)) }
        #expect(cut.description.contains("has no end"), "\(cut)")
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `that cannot be written whole leaves no file that looks like one`() throws {
        let database = try TestMariaDB(
            "CREATE TABLE gone(a INT) ENGINE=MyISAM; CREATE VIEW v AS SELECT a FROM gone; DROP TABLE gone;")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = try #require(throws: SQLError.self) {
            try database.open().backUp(to: Directory.open(folder), as: "app.db") { _ in }
        }
        #expect(error.code == .database && error.description.contains("mariadb-dump: "), "\(error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test func `is not put back under somebody, who is named`() throws {
        let database = try TestMariaDB()
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try database.open()
        let backup = try session.backUp(to: Directory.open(folder), as: "app.db") { _ in }
        let holder = try MariaDBHolder("BEGIN; SELECT count(*) FROM pay", database)
        let error = try #require(throws: SQLError.self) { try session.restore(backup, from: Directory.open(folder)) }
        #expect(error.code == .inUse && error.blockers.map(\.session?.id) == [holder.id], "\(error)")
        holder.leave()
        try session.restore(backup, from: Directory.open(folder))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `that needs more room than there is is not begun`() throws {
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = try #require(throws: SQLError.self) {
            _ = try DumpFile(doing: "copy", name: "a").make(in: Directory.open(folder), size: .max, mode: "") { _ in }
        }
        #expect(error.code == .space, "\(error)")
    }
}
