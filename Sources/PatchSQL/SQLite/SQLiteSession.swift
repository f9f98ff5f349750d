import CSQLite
import Glibc
import PatchFiles
import PatchModel

/// A connection to a SQLite file.
///
/// SQLite's locks are the process's, not the connection's: closing *any* descriptor of the file drops them all
/// (https://www.sqlite.org/howtocorrupt.html). So nothing in this process may open the file while a session is open.
final class SQLiteSession: Session {
    static let dialect = SQLDialect.sqlite
    let path: String
    let lockTimeout: Double
    var connection: SQLiteConnection
    var shouldEnd: () -> Bool = { false }
    /// Before a script that switched the check of foreign keys off; nil where none did.
    private var violations: ForeignKeyViolations?
    /// Whether a transaction is open that ``begin(hoisting:)`` began.
    private var isOurs = false

    init(_ path: String, lockTimeout: Double, create: Bool = false) throws(SQLError) {
        self.path = path
        self.lockTimeout = lockTimeout
        connection = try Self.connect(path, lockTimeout: lockTimeout, create: create)
    }

    private static func connect(
        _ path: String, lockTimeout: Double, create: Bool = false
    ) throws(SQLError) -> SQLiteConnection {
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | (create ? SQLITE_OPEN_CREATE : 0)
        do throws(SQLiteFailure) {
            let connection = try SQLiteConnection(path, flags: flags, lockTimeout: Int32(min(lockTimeout, 3600) * 1000))
            // Where the file may not be written SQLite opens it for reading, and the first script would find out.
            guard !connection.isReadOnly else {
                throw SQLiteFailure(
                    code: SQLITE_READONLY, message: "it is read-only", offset: -1, number: 0)
            }
            // The rollback journal lies there.
            let directory = Directory.split(path).parent ?? "."
            guard faccessat(AT_FDCWD, directory.isEmpty ? "/" : directory, W_OK | X_OK, AT_EACCESS) == 0 else {
                throw SQLiteFailure(
                    code: SQLITE_READONLY, message: "its directory cannot be written", offset: -1, number: errno)
            }
            // The first reading: only now it shows whether it is a database. EXTRA, because FULL does not sync the
            // directory after the rollback journal was removed: a commit could be gone after a power cut.
            try connection.run("PRAGMA schema_version; PRAGMA synchronous = EXTRA")
            return connection
        } catch {
            throw SQLiteErrors(path: path).error(error, "open the database \"\(path)\"") {
                SQLiteLocks(path: path).blockers(alone: false)
            }
        }
    }

    private var errors: SQLiteErrors { SQLiteErrors(path: path) }

    static func actions(of script: SQLScript) -> [StatementAction] { SQLiteStatementPolicy(script: script).all }

    // MARK: Transactions

    func begin(hoisting statements: [SQLStatement]) throws(SQLError) {
        for statement in Self.order(statements) { _ = try execute(statement, seconds: .infinity) }
        try translating("begin a transaction") { () throws(SQLiteFailure) in
            // With a rollback journal an IMMEDIATE transaction begins beside readers, and its COMMIT fails then; with a
            // WAL both are the same.
            _ = try connection.run("BEGIN EXCLUSIVE")
        }
        isOurs = true
        guard statements.contains(where: { SQLitePragma($0)?.name == "foreign_keys" }) else { return }
        do throws(SQLError) {
            let isChecked = try translating("read") { () throws(SQLiteFailure) in
                try connection.value("PRAGMA foreign_keys") == "1"
            }
            violations = isChecked ? nil : try findViolations()
        } catch {
            rollback()
            throw error
        }
    }

    /// `foreign_keys = OFF … foreign_keys = ON` stands around the rebuilding of a table: what is between runs with OFF.
    private static func order(_ statements: [SQLStatement]) -> [SQLStatement] {
        let switchesOff = { (statement: SQLStatement) in SQLitePragma(statement)?.switchesForeignKeysOff == true }
        return statements.filter { !switchesOff($0) } + statements.filter(switchesOff)
    }

    private func findViolations() throws(SQLError) -> ForeignKeyViolations {
        try translating("check the foreign keys") { () throws(SQLiteFailure) in
            try ForeignKeyViolations(of: connection)
        }
    }

    func commit() throws(SQLError) {
        if let before = violations {
            let worse = try findViolations().worse(than: before)
            guard worse.isEmpty else {
                throw SQLError(
                    .sql, "commit",
                    "with foreign_keys off, the script left \(worse.joined(separator: "; "))",
                    wayOut: "correct the script; PRAGMA foreign_key_check shows the rows")
            }
        }
        try translating("commit") { () throws(SQLiteFailure) in _ = try connection.run("COMMIT") }
        violations = nil
        isOurs = false
    }

    func rollback() {
        violations = nil
        isOurs = false
        // Fails where none is open, and SQLite has rolled back by itself after a grave error.
        _ = try? connection.run("ROLLBACK")
    }

    var isInTransaction: Bool { !connection.isAutocommit }

    // MARK: Statements

    func execute(_ statement: SQLStatement, seconds: Double) throws(SQLError) -> StatementResult {
        var result = StatementResult()
        let authorizer = connection.authorizer
        authorizer.watch(keepsTransaction: isOurs, seconds: seconds, shouldEnd: shouldEnd)
        defer { authorizer.rest() }
        do throws(SQLiteFailure) {
            result.changes = try connection.run(statement.text) { row in
                result.rows += 1
                guard result.output.count < StatementResult.outputLimit else { return }
                result.output.append(String(row.texts.map { $0 ?? "" }.joined(separator: "|").prefix(1000)))
            }
        } catch {
            let alone = SQLitePragma(statement)?.name == "journal_mode"
            throw errors.error(error, in: statement, denial: authorizer.denial) {
                SQLiteLocks(path: path).blockers(alone: alone)
            }
        }
        return result
    }

    var isTainted: Bool { connection.authorizer.isTainted }

    func reconnect() throws(SQLError) {
        rollback()
        connection = try Self.connect(path, lockTimeout: lockTimeout)
    }

    @discardableResult
    func query(_ statement: String, _ values: [String?]) throws(SQLError) -> [[String?]] {
        try translating("run \(statement.prefix { !$0.isNewline })") { () throws(SQLiteFailure) in
            try connection.rows(statement, values)
        }
    }

    func columns(of table: String) throws(SQLError) -> [String] {
        // Of a generated column nothing can be written; table_info leaves it out.
        try query("SELECT name FROM pragma_table_info(?) ORDER BY cid", [table]).compactMap { $0[0] }
    }

    func trial(of table: String) throws(SQLError) -> (any RowTrial)? {
        // A virtual table's rules are its module's, a view's are its triggers'.
        let text = try query(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE AND sql NOT LIKE 'CREATE VIRTUAL%'",
            [table])
        return text.first?[0].flatMap { SQLiteRowTrial(table: table, definition: $0) }
    }

    // MARK: Who is in the way

    func blockers() -> [Blocker] { SQLiteLocks(path: path).blockers(alone: false) }

    func others() -> [Blocker] { SQLiteLocks(path: path).others() }

    func end(_ blocker: Blocker) throws(SQLError) -> Bool { false }

    func translating<Value>(
        _ doing: String, alone: Bool = false, _ body: () throws(SQLiteFailure) -> Value
    ) throws(SQLError) -> Value {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            throw errors.error(error, "\(doing) in the database \"\(path)\"") {
                SQLiteLocks(path: path).blockers(alone: alone)
            }
        }
    }
}
