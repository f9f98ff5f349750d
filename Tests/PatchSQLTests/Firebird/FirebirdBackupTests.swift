import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A backup on Firebird` {
    private func withDirectory(_ body: (borrowing Directory, String) throws -> Void) throws {
        let path = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(Directory.open(path), path)
    }

    @Test func `is one private file, and brings everything back as it was, the marker too and the lock not`() throws {
        let database = try FirebirdTestDatabase("CREATE VIEW v AS SELECT id FROM pay;")
        try withDirectory { directory, path in
            let session = try database.open()
            try session.run(FirebirdTestDatabase.script("INSERT INTO pay VALUES (3, 'Mary')"), as: .sample("8.0.1.sql"))
            try session.show(Revision(code: 9999, phase: .updating, message: "", deadline: nil))
            var told: [String] = []
            let backup = try session.backUp(
                to: directory, as: "database", onUnchecked: { _ in }, onProgress: { told.append($0) })
            #expect(told.contains { $0.contains("writing data for table PAY") }, "\(told)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["database"])
            let status = try #require(try directory.status("database"))
            #expect(status.mode == 0o600 && status.size == backup.size && backup.size > 0)
            try session.run(
                FirebirdTestDatabase.script("DROP VIEW v; DELETE FROM pay; CREATE TABLE big(a integer)"), as: .sample())
            try session.restore(backup, from: directory) { _ in }
            #expect(try database.isql("SELECT id FROM v ORDER BY 1;") == "1\n2\n3")
            #expect(try session.columns(of: "big") == [])
            #expect(try session.record()?.steps.map(\.key.script) == ["8.0.1.sql"])
            #expect(try database.isql("SELECT count(*) FROM patchd_revision;") == "0")
            #expect(try session.run(FirebirdTestDatabase.script("SELECT 1 FROM pay"), as: .sample()))
        }
    }

    @Test func `is not put back under somebody, who is named, nor when it was changed`() throws {
        let database = try FirebirdTestDatabase()
        try withDirectory { directory, path in
            let session = try database.open()
            let backup = try session.backUp(to: directory, as: "database", onUnchecked: { _ in }, onProgress: { _ in })
            let holder = try database.server.holder("UPDATE pay SET name = 'held';", database.path)
            let used = try #require(throws: SQLError.self) { try session.restore(backup, from: directory) { _ in } }
            #expect(used.code == .inUse && used.blockers.map(\.command) == ["isql-fb"], "\(used)")
            holder.leave()
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/database"))
            try handle.seek(toOffset: 100)
            try handle.write(contentsOf: Data([7]))
            try handle.close()
            let changed = try #require(throws: SQLError.self) { try session.restore(backup, from: directory) { _ in } }
            #expect(changed.code == .database && changed.description.contains("SHA-256"), "\(changed)")
            #expect(try database.isql("SELECT count(*) FROM pay;") == "2")
        }
    }

    @Test func `that fails leaves no file and says what gbak said, without the password`() throws {
        let database = try FirebirdTestDatabase()
        try withDirectory { directory, path in
            let session = try database.open(
                FirebirdTestDatabase.login(FirebirdServer.stranger, FirebirdServer.strangersPassword))
            let error = try #require(throws: SQLError.self) {
                try session.backUp(to: directory, as: "database", onUnchecked: { _ in }, onProgress: { _ in })
            }
            #expect(error.code == .database && error.description.contains("gbak: ERROR:"), "\(error)")
            #expect(!error.description.contains(FirebirdServer.strangersPassword))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
        }
    }
}

@Suite struct `An embedded Firebird database` {
    private static func make() throws -> (folder: String, path: String) {
        let folder = try TestDatabase.makeFolder()
        let path = folder + "/app.fdb"
        try FirebirdServer.isql(
            """
            CREATE DATABASE '\(path)' DEFAULT CHARACTER SET UTF8; COMMIT;
            CREATE TABLE pay(id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL); COMMIT;
            INSERT INTO pay VALUES (1, 'Ada');
            """, in: "", "SYSDBA")
        return (folder, path)
    }

    private static func open(_ path: String) throws -> any Session {
        try Databases.find(
            DatabaseReference("firebird:\(path)"), in: Directory.open("/"), as: DatabaseLogin(name: "payroll/SEED")
        ).open(lockTimeout: 0.05, create: false)
    }

    @Test func `runs scripts, is copied and put back, and has others wait who open it`() throws {
        let (folder, path) = try Self.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try Self.open(path)
        #expect(session.others() == [])
        let directory = try Directory.open(folder)
        let before = try directory.status("app.fdb")
        let backup = try session.backUp(to: directory, as: "database", onUnchecked: { _ in }, onProgress: { _ in })
        try session.run(
            FirebirdTestDatabase.script("CREATE TABLE t(a integer); INSERT INTO t VALUES (1); DELETE FROM pay"),
            as: .sample())
        #expect(try session.query("SELECT a FROM t", []) == [["1"]])
        try session.restore(backup, from: directory) { _ in }
        #expect(try session.query("SELECT name FROM pay", []) == [["Ada"]])
        #expect(try session.record() == nil)
        #expect(try directory.status("app.fdb")?.mode == before?.mode)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["app.fdb", "database"])
    }

    @Test func `that another process has open is not opened, and who that is is named`() throws {
        let (folder, path) = try Self.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let holder = try FirebirdServer.fileHolder("SELECT 1 FROM pay;", path)
        let error = try #require(throws: SQLError.self) { try Self.open(path) }
        #expect(error.code == .inUse && error.blockers.map(\.pid) == [holder.pid], "\(error)")
        holder.leave()
        #expect(try Self.open(path).columns(of: "pay") == ["ID", "NAME"])
        let missing = try #require(throws: SQLError.self) { try Self.open(path + "x") }
        #expect(missing.code == .database && missing.description.contains("No such file"), "\(missing)")
    }
}
