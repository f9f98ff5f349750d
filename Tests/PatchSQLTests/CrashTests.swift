import Foundation
import PatchFiles
import PatchJSON
import PatchModel
import Testing

@testable import PatchSQL

/// Each child process ends by SIGKILL: at the n-th system call with which SQLite changes a file, or, when there are
/// fewer, after it has left the file `completed`.
@Suite struct `A crash` {
    static let text = """
        PRAGMA foreign_keys=OFF;
        CREATE TABLE extra(a INTEGER PRIMARY KEY, b TEXT);
        INSERT INTO extra VALUES (1, 'x'), (2, 'y');
        UPDATE pay SET name = upper(name);
        """

    private func hasCompleted(_ database: TestDatabase) -> Bool {
        FileManager.default.fileExists(atPath: database.folder + "/completed")
    }

    private static func open(_ folder: String) throws -> any Session {
        try Databases.find(
            DatabaseReference("sqlite:app.db"), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED")
        ).open(
            lockTimeout: 0.05, create: false)
    }

    private static func complete(_ folder: String) throws {
        try Data().write(to: URL(fileURLWithPath: folder + "/completed"))
        kill(getpid(), SIGKILL)
    }

    /// What a script's effect and its marker say, after SQLite's own recovery.
    private func effect(_ database: TestDatabase) throws -> (hasRun: Bool, isMarked: Bool) {
        #expect(try database.program("PRAGMA integrity_check") == "ok")
        let table = try database.program("SELECT count(*) FROM sqlite_schema WHERE name='extra'") == "1"
        let names = try database.program("SELECT group_concat(name) FROM pay") == "ADA,GRACE"
        #expect(table == names)
        return (table, try database.record()?[.sample()]?.state == .done)
    }

    @Test(arguments: TestDatabase.Journal.allCases)
    func `at any of SQLite's writes leaves a script's effect with its marker, or neither`(
        journal: TestDatabase.Journal
    ) async throws {
        var before = 0
        var after = 0
        for point in 1...200 {
            let database = try TestDatabase(journal)
            let folder = database.folder
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, point = point as Int] in
                let session = try Self.open(folder)
                try session.prepareTables()
                WriteFault.arm(at: point)
                try session.run(script(Self.text), as: .sample())
                try Self.complete(folder)
            }
            let (hasRun, isMarked) = try effect(database)
            #expect(hasRun == isMarked, "at write \(point)")
            if hasRun { after += 1 } else { before += 1 }
            #expect(try database.run(Self.text) == !isMarked)
            #expect(try effect(database) == (true, true))
            if hasCompleted(database) {
                // It passed a handful of writes, and at the last ones it was done.
                #expect(point > 3 && before > 2 && after > 0, "\(point): \(before), \(after)")
                return
            }
        }
        Issue.record("it never ends")
    }

    @Test(arguments: TestDatabase.Journal.allCases)
    func `after any statement takes the script back`(journal: TestDatabase.Journal) async throws {
        for number in 1...3 {
            let database = try TestDatabase(journal)
            let folder = database.folder
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, number = number as Int] in
                try Self.open(folder).run(script(Self.text), as: .sample()) {
                    if case .finished(let statement, _) = $0, statement.number > number { kill(getpid(), SIGKILL) }
                }
            }
            #expect(try effect(database) == (false, false))
            #expect(try database.run(Self.text))
        }
    }

    @Test func `at any of SQLite's writes leaves a restored database whole: the one or the other`() async throws {
        for point in 1...200 {
            let database = try TestDatabase()
            let folder = database.folder
            let backup = try database.open().backUp(to: Directory.open(folder), as: "app.backup") { _ in }
            try database.run(Self.text)
            let line = String(decoding: try JSONText.line(backup), as: UTF8.self)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [folder = folder as String, line = line as String, point = point as Int] in
                let session = try Self.open(folder)
                WriteFault.arm(at: point)
                try session.restore(JSONText.read(DatabaseBackup.self, Array(line.utf8)), from: Directory.open(folder))
                try Self.complete(folder)
            }
            let (hasRun, isMarked) = try effect(database)
            #expect(hasRun == isMarked, "at write \(point)")
            try database.open().restore(backup, from: Directory.open(folder))
            #expect(try effect(database) == (false, false))
            if hasCompleted(database) {
                #expect(point > 3 && !hasRun)
                return
            }
        }
        Issue.record("it never ends")
    }

    @Test func `at any of SQLite's writes leaves no backup that looks like one`() async throws {
        for point in 1...200 {
            let database = try TestDatabase(.wal)
            let folder = database.folder
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, point = point as Int] in
                let session = try Self.open(folder)
                WriteFault.arm(at: point)
                _ = try session.backUp(to: Directory.open(folder), as: "app.backup") { _ in }
                try Self.complete(folder)
            }
            let isThere = FileManager.default.fileExists(atPath: folder + "/app.backup")
            #expect(isThere == hasCompleted(database))
            // What is left of it is not in the way of the next one.
            let backup = try database.open().backUp(to: Directory.open(folder), as: "app.backup") { _ in }
            #expect(backup.size > 0)
            if hasCompleted(database) {
                #expect(point > 1)
                return
            }
        }
        Issue.record("it never ends")
    }
}

@Suite struct `A full disk` {
    @Test(arguments: TestDatabase.Journal.allCases, [ENOSPC, EDQUOT, EIO])
    func `at any of SQLite's writes leaves nothing of the script, and says so`(
        journal: TestDatabase.Journal, number: Int32
    ) async throws {
        let database = try TestDatabase(journal)
        let folder = database.folder
        await #expect(processExitsWith: .success) { [folder = folder as String, number = number as Int32] in
            let found = try Databases.find(
                DatabaseReference("sqlite:app.db"), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED"))
            try found.open(lockTimeout: 0.05, create: false).prepareTables()
            var failed = 0
            for point in 1...200 {
                let session = try found.open(lockTimeout: 0.05, create: false)
                WriteFault.arm(at: point, error: number)
                do {
                    try session.run(script(`A crash`.text), as: .sample())
                    // A failure behind the commit (to remove a file) is no failure of the script.
                    if WriteFault.passed < point { break }
                    try session.query("DROP TABLE extra", [])
                    try session.settle(nil, forgetting: [.sample()])
                } catch let error as SQLError {
                    failed += 1
                    switch number {
                    case ENOSPC: try #require(error.code == .space, "\(error)")
                    case EIO: try #require(error.code == .io, "\(error)")
                    // SQLite does not always keep the error number.
                    default: try #require(error.code == .space || error.description.contains("quota"), "\(error)")
                    }
                    try #require(error.description.hasPrefix("cannot run 8.0.2.sql"))
                    try #require(try session.columns(of: "extra") == [])
                    try #require(try session.record()?.steps == [])
                }
            }
            try #require(failed > 3, "\(failed)")
        }
        #expect(try database.program("PRAGMA integrity_check") == "ok")
        #expect(try database.record()?[.sample()]?.state == .done)
    }
}
