import Foundation
import PatchFiles
import PatchModel
import Testing

@testable import PatchSQL

/// A folder with a SQLite file in it, removed with its last user.
final class TestDatabase {
    enum Journal: String, CaseIterable, Codable { case delete = "DELETE", wal = "WAL" }

    let folder: String
    let name = "app.db"
    var path: String { folder + "/" + name }

    /// A database with the table `pay(id, name)` and two rows, made with the sqlite3 program.
    init(_ journal: Journal = .delete, _ sql: String = "") throws {
        folder = try Self.makeFolder()
        try #require(
            try program(
                "PRAGMA journal_mode=\(journal.rawValue);"
                    + "CREATE TABLE pay(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
                    + "INSERT INTO pay VALUES (1, 'Ada'), (2, 'Grace');" + sql) != nil)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func makeFolder() throws -> String {
        var template = Array("/tmp/patchd-sql-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What the sqlite3 program prints; nil when it fails.
    @discardableResult
    func program(_ sql: String) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-batch", "-bail", path, sql]
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    func open(lockTimeout: Double = 0.05) throws -> any Session {
        try Databases.find(
            DatabaseReference("sqlite:" + name), in: Directory.open(folder), as: DatabaseLogin(name: "payroll/SEED")
        ).open(
            lockTimeout: lockTimeout, create: false)
    }

    /// Runs a script as one of the update X3V8_P2.
    @discardableResult
    func run(
        _ text: String, name: String = "8.0.2.sql", seconds: Double = .infinity,
        lockTimeout: Double = 0.05, onEvent: (ScriptEvent) -> Void = { _ in },
        tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws -> Bool {
        try open(lockTimeout: lockTimeout).run(
            script(text, name: name), as: .sample(name, seconds), onEvent: onEvent, tryAgain: tryAgain)
    }

    func record() throws -> DatabaseRecord? { try open().record() }
}

extension ScriptRun {
    static func sample(
        _ name: String = "8.0.2.sql", _ seconds: Double = .infinity
    ) throws -> ScriptRun {
        ScriptRun(
            .sample(name), version: try #require(Version("8.0.2")), job: 12, seconds: seconds)
    }
}

extension StepKey {
    static func sample(_ name: String = "8.0.2.sql") -> StepKey {
        StepKey(update: "X3V8_P2", patch: "X3V8_P2BIS", script: name)
    }
}

extension Session {
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void = { _ in }
    ) throws(SQLError) -> DatabaseBackup {
        try backUp(to: directory, as: name, onUnchecked: onUnchecked, onProgress: { _ in })
    }

    func restore(_ backup: DatabaseBackup, from directory: borrowing Directory) throws(SQLError) {
        try restore(backup, from: directory, onProgress: { _ in })
    }
}
