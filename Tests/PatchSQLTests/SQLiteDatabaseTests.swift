import Foundation
import PatchFiles
import PatchJSON
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A sqlite URL` {
    let folder: String

    init() throws { folder = try TestDatabase.makeFolder() }

    private func find(_ url: String) throws -> any PatchSQL.Database {
        try Databases.find(DatabaseReference(url), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED"))
    }

    private func open(_ url: String, create: Bool = false) throws -> any Session {
        try find(url).open(lockTimeout: 0.05, create: create)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test func `with a relative path lies below the folder, with an absolute one where it says`() throws {
        defer { remove() }
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: false)
        try open("sqlite:data/app.db", create: true).query("CREATE TABLE t(a)", [])
        #expect(try open("sqlite:\(folder)/data/app.db").columns(of: "t") == ["a"])
        #expect(try open("sqlite://\(folder)/data/app.db").columns(of: "t") == ["a"])
    }

    @Test func `of a file that is not there is an error, and nothing is created`() throws {
        defer { remove() }
        for url in ["sqlite:app.db", "sqlite:\(folder)/app.db"] {
            let error = try #require(throws: SQLError.self) { try open(url) }
            #expect(error.code == .database && error.description.contains("no such file"))
        }
        let error = try #require(throws: SQLError.self) { try open("sqlite:data/app.db", create: true) }
        #expect(error.code == .database)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test(arguments: ["app.db", "app.db-wal", "app.db-journal", "app.db-shm"])
    func `that leads over a link is refused`(name: String) throws {
        defer { remove() }
        let outside = try TestDatabase()
        try FileManager.default.copyItem(atPath: outside.path, toPath: folder + "/app.db")
        try? FileManager.default.removeItem(atPath: folder + "/" + name)
        try FileManager.default.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: outside.path)
        let error = try #require(throws: SQLError.self) { try open("sqlite:app.db") }
        #expect(error.code == .database && error.description.contains("a link"), "\(error)")
    }

    @Test func `that leads out of the folder over a directory that is a link is refused`() throws {
        defer { remove() }
        let outside = try TestDatabase()
        try FileManager.default.createSymbolicLink(atPath: folder + "/data", withDestinationPath: outside.folder)
        let error = try #require(throws: SQLError.self) { try open("sqlite:data/app.db") }
        #expect(error.code == .database && error.description.contains("a link is on the way"), "\(error)")
    }

    @Test func `that was swapped for a link after it was found is not followed`() throws {
        defer { remove() }
        let outside = try TestDatabase()
        try FileManager.default.copyItem(atPath: outside.path, toPath: folder + "/app.db")
        let found = try find("sqlite:app.db")
        try FileManager.default.removeItem(atPath: folder + "/app.db")
        try FileManager.default.createSymbolicLink(atPath: folder + "/app.db", withDestinationPath: outside.path)
        let error = try #require(throws: SQLError.self) { try found.open(lockTimeout: 0.05, create: false) }
        #expect(error.code == .database)
    }

    @Test func `of something that is no database is an error that says so`() throws {
        defer { remove() }
        try Data(
            "this is a text, and quite a long one at that, much longer than a header of 100 bytes would be, in fact"
                .utf8
        )
        .write(to: URL(fileURLWithPath: folder + "/app.db"))
        let error = try #require(throws: SQLError.self) { try open("sqlite:app.db") }
        #expect(error.code == .database)
        #expect(
            error.description.hasSuffix("/app.db\" is no SQLite file; correct \"database\", or restore the file"),
            "\(error)")
        try FileManager.default.createDirectory(atPath: folder + "/dir.db", withIntermediateDirectories: false)
        #expect(throws: SQLError.self) { try open("sqlite:dir.db") }
        #expect(mkfifo(folder + "/fifo.db", 0o600) == 0)
        #expect(throws: SQLError.self) { try open("sqlite:fifo.db") }
    }
}

@Suite struct `A database that cannot be written` {
    @Test func `because it is damaged is named`() throws {
        let database = try TestDatabase(
            .delete, "INSERT INTO pay SELECT NULL, hex(randomblob(500)) FROM pragma_function_list;")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: database.path))
        for page in 1..<20 {
            try file.seek(toOffset: UInt64(page) * 4096)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        }
        try file.close()
        let error = try #require(throws: SQLError.self) { try database.run("UPDATE pay SET name = 'x'") }
        #expect(error.code == .database && error.description.contains("is damaged"), "\(error)")
    }

    /// A full file system gives the same code; `max_page_count` is one that a test can fill.
    @Test func `because it is full leaves nothing, and says that there is no room`() throws {
        let database = try TestDatabase()
        let error = try #require(throws: SQLError.self) {
            try database.run(
                "PRAGMA max_page_count=8; CREATE TABLE big(a);\nINSERT INTO big VALUES (zeroblob(1000000));")
        }
        #expect(error.code == .space && error.place?.line == 2 && error.description.contains("make room"), "\(error)")
        #expect(try database.program("SELECT count(*) FROM sqlite_schema WHERE name='big'") == "0")
        #expect(try database.record()?.steps == [])
    }

    @Test func `because it or its directory is read-only is named`() async throws {
        let database = try TestDatabase()
        let folder = database.folder
        #expect(chmod(folder, 0o755) == 0 && chmod(database.path, 0o444) == 0)
        await #expect(processExitsWith: .success) { [folder = folder as String] in
            if getuid() == 0 { try #require(setuid(65534) == 0) }
            let found = try Databases.find(
                DatabaseReference("sqlite:app.db"), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED"))
            let error = try #require(throws: SQLError.self) { try found.open(lockTimeout: 0.05, create: false) }
            try #require(error.code == .database && error.description.contains("writable for the folder's owner"))
        }
        #expect(chmod(folder, 0o555) == 0 && chmod(database.path, 0o666) == 0)
        await #expect(processExitsWith: .success) { [folder = folder as String] in
            if getuid() == 0 { try #require(setuid(65534) == 0) }
            let found = try Databases.find(
                DatabaseReference("sqlite:app.db"), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED"))
            let error = try #require(throws: SQLError.self) { try found.open(lockTimeout: 0.05, create: false) }
            try #require(error.code == .database && error.cause == "its directory cannot be written")
        }
        #expect(chmod(folder, 0o755) == 0)
    }
}

@Suite struct `The record in a database` {
    private let v801 = Version("8.0.1")
    private let v802 = Version("8.0.2")

    @Test func `holds the version and every script, also those that are no SQL`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        #expect(try session.record() == nil)
        let (v801, v802) = (try #require(v801), try #require(v802))
        try session.settle(v801)
        #expect(try session.record() == DatabaseRecord(version: v801, steps: []))
        let at = try JSONText.read(Timestamp.self, Array(#""2026-11-21T10:15:00Z""#.utf8))
        let marker = StepMarker(.sample("8.0.2.sh"), version: v802, state: .assumed, job: 3, hash: "abc", at: at)
        try session.settle(nil, adding: [marker])
        try session.settle(nil, adding: [marker])
        try session.settle(v802)
        #expect(try database.record() == DatabaseRecord(version: v802, steps: [marker]))
        try session.settle(nil, forgetting: [.sample("8.0.2.sh")])
        try session.settle(nil, forgetting: [.sample("other")])
        #expect(try database.record() == DatabaseRecord(version: v802, steps: []))
    }

    @Test func `is set by baseline: what is above counts as not run, what is below stays`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        let (v801, v802) = (try #require(v801), try #require(v802))
        let at = try JSONText.read(Timestamp.self, Array(#""2026-11-21T10:15:00Z""#.utf8))
        let low = StepMarker(.sample("8.0.1.sql"), version: v801, state: .done, job: 1, at: at)
        try session.settle(nil, adding: [low])
        try session.settle(nil, adding: [StepMarker(.sample("8.0.2.sql"), version: v802, state: .done, job: 2)])
        try session.settle(nil, adding: [StepMarker(.sample("8.0.1_b.sql"), version: v801, state: .running, job: 2)])
        try session.settle(v802)
        try session.baseline(v801)
        #expect(try session.record() == DatabaseRecord(version: v801, steps: [low]))
    }

    @Test func `that makes no sense is not believed`() throws {
        let database = try TestDatabase()
        try database.run("SELECT 1")
        try database.program("UPDATE patchd_step SET state='dunno'")
        let error = try #require(throws: SQLError.self) { try database.record() }
        #expect(error.code == .database && error.description.contains("dunno"))
    }

    @Test func `shows applications the revision while the folder is locked`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        try session.show(nil)
        #expect(try database.program("SELECT count(*) FROM sqlite_schema WHERE name='patchd_revision'") == "0")
        let deadline = try JSONText.read(Timestamp.self, Array(#""2026-11-21T10:15:00Z""#.utf8))
        let query = "SELECT code, phase, message, deadline FROM patchd_revision"
        try session.show(Revision(code: 9998, phase: .announced, message: "X3V8_P2's coming", deadline: deadline))
        let shown = try database.program(query)
        #expect(shown == "9998|announced|X3V8_P2's coming|2026-11-21T10:15:00.000Z")
        try session.show(Revision(code: 9999, phase: .updating, message: "", deadline: nil))
        #expect(try database.program(query) == "9999|updating||")
        // What is shown already needs no lock.
        let holder = try Holder(.writes, database.path)
        try session.show(Revision(code: 9999, phase: .updating, message: "", deadline: nil))
        holder.leave()
        try session.show(nil)
        #expect(try database.program(query) == "")
    }

    @Test func `cannot be shown while somebody writes, and says who`() throws {
        let database = try TestDatabase()
        let session = try database.open()
        let holder = try Holder(.writes, database.path)
        defer { holder.leave() }
        let error = try #require(throws: SQLError.self) {
            try session.show(Revision(code: 9998, phase: .announced, message: "", deadline: nil))
        }
        #expect(error.code == .inUse && error.blockers.map(\.pid) == [holder.pid])
    }
}
