import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A copy for a rehearsal` {
    @Test func `has a name that fits, is its folder's alone and is known again`() {
        let long = String(repeating: "x", count: 32)
        let prefix = CopyName.prefix(endpoint: long, folder: long, identity: ["host", "a"])
        #expect(prefix.hasPrefix("patchd_rehearsal_xxx") && "\(prefix)1234567890".utf8.count <= 63, "\(prefix)")
        #expect(prefix != CopyName.prefix(endpoint: long, folder: long, identity: ["host", "b"]))
        #expect(prefix == CopyName.prefix(endpoint: long, folder: long, identity: ["host", "a"]))
        #expect(CopyName.prefix(endpoint: "e", folder: "f", identity: []).hasPrefix("patchd_rehearsal_e_f_"))
    }

    @Test(arguments: [
        ("postgresql://u@h:5/app?sslmode=require", "postgresql://u@h:5/copy?sslmode=require"),
        ("postgresql:///app?schema=one&dbname=other", "postgresql:///copy?schema=one"),
        ("postgresql:///?service=app", "postgresql:///copy?service=app"),
        ("mariadb://u@/app?socket=/run/s", "mariadb://u@/copy?socket=/run/s"),
    ])
    func `is reached as the live one is`(live: String, copy: String) throws {
        #expect(try DatabaseReference(live).named(database: "copy")?.description == copy)
    }

    @Test func `of a file has no other name`() throws {
        for url in ["sqlite:app.db", "firebird:/a.fdb", "firebird://h/a"] {
            #expect(try DatabaseReference(url).named(database: "copy") == nil)
        }
    }

    @Test(arguments: [
        "ALTER DATABASE app SET work_mem = '5MB'", "create  role r", "DROP USER u", "GRANT admins TO u",
        "COPY t TO '/tmp/x'", "COPY t FROM PROGRAM 'id'", "DO $$ BEGIN EXECUTE 'DROP DATABASE app'; END $$",
        "SELECT dblink('dbname=app', 'DELETE FROM t')", "ALTER SYSTEM SET fsync = off",
        "COMMENT ON DATABASE app IS 'x'",
        "SELECT pg_terminate_backend(1)",
    ])
    func `of PostgreSQL's is not for what reaches beyond it`(statement: String) throws {
        let script = try SQLScript(Array("SELECT 1;\n\(statement);\n".utf8), name: "x.sql", dialect: .postgresql)
        #expect(PostgreSQLSession.outreach(of: script)?.number == 2)
    }

    @Test(arguments: [
        "ALTER TABLE t ADD x int", "GRANT SELECT ON t TO u", "COPY t FROM stdin;\n1\n\\.\nSELECT 1", "CREATE SCHEMA s",
        "UPDATE users SET role = 'x' WHERE server = 'y'", "CREATE EXTENSION pgcrypto", "COMMENT ON TABLE t IS 'x'",
    ])
    func `of PostgreSQL's is for all else`(statement: String) throws {
        let script = try SQLScript(Array("\(statement);\n".utf8), name: "x.sql", dialect: .postgresql)
        #expect(PostgreSQLSession.outreach(of: script) == nil)
    }

    @Test func `of SQLite's is the database, in its mode, and leaves the live one as it is`() throws {
        let root = "/tmp/patchd-copy-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: root + "/copy/data", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let live = try SQLiteSession(root + "/app.db", lockTimeout: 1, create: true)
        try live.query("PRAGMA journal_mode = WAL", [])
        try live.query("CREATE TABLE t (x)", [])
        try live.query("INSERT INTO t VALUES (1)", [])
        let order = CopyOrder(
            live: try DatabaseReference("sqlite:app.db"), name: "", prefix: "", place: "data/app.db", limit: 1 << 20)
        let made = try live.makeCopy(order, in: Directory.open(root + "/copy")) { _ in }
        #expect(made.reference.description == "sqlite:data/app.db")
        let copy = try SQLiteSession(root + "/copy/data/app.db", lockTimeout: 1)
        #expect(try copy.query("PRAGMA journal_mode", []) == [["wal"]])
        try copy.query("DELETE FROM t", [])
        #expect(try live.query("SELECT count(*) FROM t", []) == [["1"]])
        var small = order
        small.limit = 100
        let error = #expect(throws: SQLError.self) {
            try live.makeCopy(small, in: Directory.open(root + "/copy")) { _ in }
        }
        #expect(error?.code == .space && error?.description.contains("limits.rehearsal") == true)
    }
}
