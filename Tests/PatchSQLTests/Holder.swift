import Foundation
import Testing

/// Another process that has a database in use: python3 with its own copy of SQLite's locks.
final class Holder {
    enum Use: String, CaseIterable, Codable {
        /// In the middle of reading.
        case reads
        /// In the middle of writing.
        case writes
        /// Has read and sits in its transaction.
        case idleInTransaction
        /// Has it open and does nothing.
        case idle
        /// Has it for itself: not even a reader gets in.
        case exclusive
    }

    /// All but ``Use/exclusive``, which not even lets anybody look.
    static let uses: [Use] = [.reads, .writes, .idleInTransaction, .idle]

    private let process = Process()
    private let input = Foundation.Pipe()
    var pid: Int32 { process.processIdentifier }

    /// Returns when it holds what it is to hold.
    init(_ use: Use, _ path: String) throws {
        let work =
            switch use {
            case .reads: "rows = db.execute('SELECT a.id FROM pay a, pay b'); rows.fetchone()"
            case .writes: "db.execute('BEGIN IMMEDIATE'); db.execute(\"INSERT INTO pay VALUES (77, 'x')\")"
            case .idleInTransaction: "db.execute('BEGIN'); db.execute('SELECT id FROM pay').fetchall()"
            case .exclusive: "db.execute('PRAGMA locking_mode=EXCLUSIVE'); db.execute('BEGIN EXCLUSIVE')"
            case .idle: "db.execute('SELECT id FROM pay').fetchall()"
            }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            "-c",
            """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1], isolation_level=None)
            \(work)
            print('ready', flush=True)
            sys.stdin.readline()
            """, path,
        ]
        let output = Foundation.Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try #require(output.fileHandleForReading.availableData.first == UInt8(ascii: "r"))
    }

    /// Lets go, and returns when it is gone.
    func leave() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    deinit { if process.isRunning { leave() } }
}
