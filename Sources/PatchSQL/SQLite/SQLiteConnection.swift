import CSQLite
import Glibc

/// What SQLite says when a call failed.
struct SQLiteFailure: Error {
    /// The extended result code.
    var code: Int32
    /// In SQLite's words.
    var message: String
    /// The byte in the statement it is about; negative where SQLite names none.
    var offset: Int
    /// The kernel's error number behind it, 0 where there is none.
    var number: Int32

    /// Without the extension.
    var primary: Int32 { code & 0xff }
}

/// An open database file; closed when the value ends.
struct SQLiteConnection: ~Copyable {
    private let handle: OpaquePointer
    /// What the callbacks of this connection look at; it lives as long as the connection does.
    let authorizer: StatementAuthorizer
    private let kept = PreparedStatements()

    /// Opens a file.
    ///
    /// - Parameter lockTimeout: milliseconds that a call waits for a lock, at the most.
    init(_ path: String, flags: Int32, lockTimeout: Int32) throws(SQLiteFailure) {
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_EXRESCODE, nil)
        guard result == SQLITE_OK, let opened else {
            let failure = Self.failure(result, opened)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        authorizer = StatementAuthorizer()
        sqlite3_busy_timeout(handle, lockTimeout)
        patch_sqlite_defend(handle)
        let context = Unmanaged.passUnretained(authorizer).toOpaque()
        sqlite3_set_authorizer(handle, StatementAuthorizer.authorize, context)
        sqlite3_progress_handler(handle, 1000, StatementAuthorizer.shouldStop, context)
    }

    deinit {
        kept.clear()
        sqlite3_close_v2(handle)
    }

    private static func failure(_ result: Int32, _ handle: OpaquePointer?, offset: Int = -1) -> SQLiteFailure {
        let message = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(result)
        return SQLiteFailure(
            code: result, message: message.map { String(cString: $0) } ?? "error \(result)", offset: offset,
            number: handle.map { sqlite3_system_errno($0) } ?? 0)
    }

    /// Whether no transaction is open.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Whether the file could not be opened for writing.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Runs all statements of a text and hands on each row.
    ///
    /// - Returns: how many rows were inserted, changed or deleted.
    @discardableResult
    func run(
        _ text: String, onRow: (borrowing SQLiteRow) -> Void = { _ in }
    ) throws(SQLiteFailure) -> Int {
        var text = text
        let before = sqlite3_total_changes64(handle)
        let result: Result<Void, SQLiteFailure> = text.withUTF8 { utf8 in
            Result { () throws(SQLiteFailure) in try run(utf8, onRow) }
        }
        try result.get()
        return Int(sqlite3_total_changes64(handle) - before)
    }

    private func run(
        _ utf8: UnsafeBufferPointer<UInt8>, _ onRow: (borrowing SQLiteRow) -> Void
    ) throws(SQLiteFailure) {
        var rest = UnsafeRawBufferPointer(utf8)
        while let start = rest.baseAddress?.assumingMemoryBound(to: CChar.self), !rest.isEmpty {
            var statement: OpaquePointer?
            var tail: UnsafePointer<CChar>?
            let prepared = sqlite3_prepare_v2(handle, start, Int32(rest.count), &statement, &tail)
            let done = tail.map { $0 - start } ?? rest.count
            guard prepared == SQLITE_OK else {
                let offset = Int(sqlite3_error_offset(handle))
                throw Self.failure(prepared, handle, offset: offset < 0 ? -1 : offset + utf8.count - rest.count)
            }
            // Nothing but blanks and comments.
            guard let statement else { return }
            defer { sqlite3_finalize(statement) }
            try step(statement, onRow)
            rest = UnsafeRawBufferPointer(rebasing: rest[done...])
        }
    }

    private func step(
        _ statement: OpaquePointer, _ onRow: (borrowing SQLiteRow) -> Void
    ) throws(SQLiteFailure) {
        var stepped = sqlite3_step(statement)
        while stepped == SQLITE_ROW {
            onRow(SQLiteRow(statement: statement))
            stepped = sqlite3_step(statement)
        }
        guard stepped == SQLITE_DONE else { throw Self.failure(stepped, handle) }
    }

    /// The rows of a statement of patchd's own. One with values is kept prepared: it may come again for each row of a
    /// file.
    func rows(_ text: String, _ values: [String?] = []) throws(SQLiteFailure) -> [[String?]] {
        var rows: [[String?]] = []
        if values.isEmpty {
            try run(text) { rows.append($0.texts) }
            return rows
        }
        guard let statement = kept.statement(text, handle) else {
            throw Self.failure(sqlite3_extended_errcode(handle), handle)
        }
        defer { sqlite3_reset(statement) }
        for (index, value) in values.enumerated() {
            let bound =
                value.map { patch_sqlite_bind(statement, Int32(index + 1), $0, Int32($0.utf8.count)) }
                ?? sqlite3_bind_null(statement, Int32(index + 1))
            guard bound == SQLITE_OK else { throw Self.failure(bound, handle) }
        }
        try step(statement) { rows.append($0.texts) }
        return rows
    }

    /// The first column of the first row; empty where there is none.
    func value(_ text: String) throws(SQLiteFailure) -> String { try rows(text).first?.first.flatMap { $0 } ?? "" }

    /// Copies another database over this one, in one transaction of this one's.
    func copy(from source: borrowing SQLiteConnection) throws(SQLiteFailure) {
        guard let copy = sqlite3_backup_init(handle, "main", source.handle, "main") else {
            throw Self.failure(sqlite3_extended_errcode(handle), handle)
        }
        // Everything at once: what somebody writes in between would start the copy anew, without an end.
        let stepped = sqlite3_backup_step(copy, -1)
        let finished = sqlite3_backup_finish(copy)
        guard stepped == SQLITE_DONE, finished == SQLITE_OK else {
            throw Self.failure(stepped == SQLITE_DONE ? finished : stepped, stepped == SQLITE_DONE ? handle : nil)
        }
    }
}

/// A row that a statement stands on; valid only while it is handed on.
struct SQLiteRow: ~Copyable {
    fileprivate let statement: OpaquePointer

    /// The columns, NULL as nil; a blob's bytes as a text.
    var texts: [String?] {
        (0..<sqlite3_column_count(statement)).map { column in
            sqlite3_column_text(statement, column).map { text in
                let count = Int(sqlite3_column_bytes(statement, column))
                return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
            }
        }
    }
}
