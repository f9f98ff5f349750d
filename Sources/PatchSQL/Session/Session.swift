public import PatchFiles
public import PatchModel

/// A connection to a folder's database, used by one thread. What all databases have in common (scripts and their
/// markers, rows, the version, the revision row) is built on these few calls in extensions; SQLite is the first to
/// fulfil them.
///
/// Everything that waits for a lock gives up after the session's lock timeout with the code `inUse`: no call waits for
/// ever, and none retries by itself.
public protocol Session: AnyObject {
    /// Its lexical rules.
    static var dialect: SQLDialect { get }

    /// What becomes of each statement of a script, from its words alone: what a transaction of patchd's cannot hold is
    /// moved, left out or refused before anything runs.
    static func actions(of script: SQLScript) -> [StatementAction]

    /// Starts a transaction that can be committed without waiting for anybody, after having run what cannot take effect
    /// within one. Ended by ``commit()`` or ``rollback()``.
    func begin(hoisting statements: [SQLStatement]) throws(SQLError)

    /// Makes the transaction durable. A failure leaves it open.
    func commit() throws(SQLError)

    /// Takes the transaction back; none being open is no error.
    func rollback()

    /// Whether a transaction is open, whoever began it.
    var isInTransaction: Bool { get }

    /// Runs one statement of a script.
    ///
    /// - Parameter seconds: after them it is interrupted, which is an error with the code `sql`.
    func execute(_ statement: SQLStatement, seconds: Double) throws(SQLError) -> StatementResult

    /// Asked while a statement of a script runs: whether it is to be ended now.
    var shouldEnd: () -> Bool { get set }

    /// Whether a script left traces in the session (settings, temporary objects) that the next one would meet.
    var isTainted: Bool { get }

    /// Ends the session and opens a new one.
    func reconnect() throws(SQLError)

    /// Runs a statement of patchd's own, `?` standing for each value; nil is NULL.
    ///
    /// - Returns: the rows.
    @discardableResult
    func query(_ statement: String, _ values: [String?]) throws(SQLError) -> [[String?]]

    /// A table's columns, in order; empty where there is no such table.
    func columns(of table: String) throws(SQLError) -> [String]

    /// Where rows for a table can be tried without touching it; nil where that is not possible.
    func trial(of table: String) throws(SQLError) -> (any RowTrial)?

    /// Who holds the locks that a transaction of ours would need, now.
    func blockers() -> [Blocker]

    /// Everybody else who uses the database, as far as this user may see.
    func others() -> [Blocker]

    /// Ends a session as the database can.
    ///
    /// - Returns: false where the database cannot; its process or its unit has to be ended then.
    func end(_ blocker: Blocker) throws(SQLError) -> Bool

    /// Copies the whole database into a new file, durable and verified before this returns.
    ///
    /// - Parameter onUnchecked: receives the parts that could not be verified, and why; that is no error.
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void
    ) throws(SQLError) -> DatabaseBackup

    /// Puts a copy back in one transaction.
    ///
    /// - Throws: before anything is changed, when the copy is not the file that ``backUp(to:as:)`` made.
    func restore(_ backup: DatabaseBackup, from directory: borrowing Directory) throws(SQLError)
}

/// What becomes of a statement of a script.
public enum StatementAction: Hashable, Sendable {
    /// It runs in its place.
    case run
    /// It runs before the transaction, because within one it would have no effect.
    case hoist
    /// It is left out: why.
    case skip(String)
    /// The script cannot be run: why, and the way out.
    case refuse(String, wayOut: String)
}

/// What a statement did.
public struct StatementResult: Hashable, Sendable {
    /// Rows inserted, changed or deleted.
    public var changes: Int
    /// Rows returned.
    public var rows: Int
    /// The first returned rows, columns separated by `|`, each cut to 1000 characters: for the trace.
    public var output: [String]

    /// How many returned rows are kept in ``output``.
    public static let outputLimit = 20

    /// A result from its parts.
    public init(changes: Int = 0, rows: Int = 0, output: [String] = []) {
        self.changes = changes
        self.rows = rows
        self.output = output
    }
}
