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

    /// Whether a statement can be used by the next one of its transaction, so that a whole script takes effect together
    /// with the record of it. Where not, each statement has a transaction and a record of its own.
    static var isScriptAtomic: Bool { get }

    /// What stands in front of the names of patchd's own tables, so that they are found whatever a script did to the
    /// session: empty, or a quoted schema and a dot.
    var home: String { get }

    /// Keeps others who would change the database as patchd does out for as long as this session lives; being the holder
    /// already is no error.
    ///
    /// - Throws: with the code `inUse` where another has it, who is named.
    func keepOthersOut() throws(SQLError)

    /// In a new session, brings about what statements of a script that ran in an earlier one left in it: its settings.
    func repeatSettings(of statements: ArraySlice<SQLStatement>) throws(SQLError)

    /// Whether a statement that runs outside of transactions (``StatementAction/alone``), and was cut off, took effect.
    /// What it left half done is removed before this says false.
    ///
    /// - Returns: nil where nothing shows it.
    func tookEffect(_ statement: SQLStatement) throws(SQLError) -> Bool?

    /// What the user lacks for seeing and ending others, each with the command that would give it; nothing where it lacks
    /// nothing.
    ///
    /// - Throws: with the code `database` when it lacks what the update itself needs.
    func checkRights() throws(SQLError) -> [String]

    /// What of the engine's limits is nearly used up, each with the way out; nothing where nothing is.
    func nearLimits() throws(SQLError) -> [String]

    /// Keeps those out who are not connected yet, as far as the user may.
    ///
    /// - Parameter spare: users that come in all the same.
    func keepNewcomersOut(sparing spare: Set<String>) throws(SQLError)

    /// Lets those in again who were kept out, by an earlier session too; that nobody was is no error.
    func letNewcomersIn() throws(SQLError)

    /// Whether a statement that is to run in a transaction could not be taken back with it all the same, so that it has
    /// to run alone.
    func runsAlone(_ statement: SQLStatement) throws(SQLError) -> Bool

    /// Whether a statement that ran alone and has just failed is known to have had no effect at all.
    func leftNothing(_ statement: SQLStatement) -> Bool

    /// Notifies listeners of the lock, within the transaction that shows it; nil when the folder is unlocked.
    func announce(_ revision: Revision?) throws(SQLError)

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

    /// A table's name as the database has it, where quoting makes a difference; the same where there is none.
    func name(ofTable table: String) throws(SQLError) -> String

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
    /// - Parameters:
    ///   - onUnchecked: receives the parts that could not be verified, and why; that is no error.
    ///   - onProgress: receives what is being copied, for the trace.
    func backUp(
        to directory: borrowing Directory, as name: String, onUnchecked: ([String]) -> Void,
        onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseBackup

    /// Puts a copy back in one transaction.
    ///
    /// - Throws: before anything is changed, when the copy is not the file that ``backUp(to:as:onUnchecked:onProgress:)`` made.
    func restore(
        _ backup: DatabaseBackup, from directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError)

    /// Bytes that its content takes, about.
    func size() throws(SQLError) -> UInt64

    /// Why no copy for a rehearsal can be made here that is kept apart from what is live, and the way out; nil where it can.
    func copyObstacle(_ order: CopyOrder) throws(SQLError) -> String?

    /// Copies the database so that scripts can be tried on it. This session only reads.
    ///
    /// - Parameter directory: where files lie meanwhile; who calls removes it as a whole, also after a failure.
    func makeCopy(
        _ order: CopyOrder, in directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseCopy

    /// Removes what copies of this folder's are left on the server.
    func removeCopies(_ order: CopyOrder) throws(SQLError)

    /// The first statement of a script that can reach beyond its database, as far as its words tell.
    static func outreach(of script: SQLScript) -> SQLStatement?
}

/// What holds for a database that is a file, and for any other that does not say otherwise.
extension Session {
    /// It is.
    public static var isScriptAtomic: Bool { true }
    /// It does not.
    public func name(ofTable table: String) throws(SQLError) -> String { table }
    /// Nothing.
    public var home: String { "" }
    /// The transactions of a file keep others out by themselves.
    public func keepOthersOut() throws(SQLError) {}
    /// There are none.
    public func repeatSettings(of statements: ArraySlice<SQLStatement>) throws(SQLError) {}
    /// Nothing shows it.
    public func tookEffect(_ statement: SQLStatement) throws(SQLError) -> Bool? { nil }
    /// Nothing.
    public func checkRights() throws(SQLError) -> [String] { [] }
    /// Nothing.
    public func nearLimits() throws(SQLError) -> [String] { [] }
    /// Nobody can be kept out.
    public func keepNewcomersOut(sparing spare: Set<String>) throws(SQLError) {}
    /// Nobody was kept out.
    public func letNewcomersIn() throws(SQLError) {}

    /// None.
    public func runsAlone(_ statement: SQLStatement) throws(SQLError) -> Bool { false }
    /// It is looked at when it comes again.
    public func leftNothing(_ statement: SQLStatement) -> Bool { false }
    /// Nobody can listen.
    public func announce(_ revision: Revision?) throws(SQLError) {}
}

/// What becomes of a statement of a script.
public enum StatementAction: Hashable, Sendable {
    /// It runs in its place.
    case run
    /// It runs before the transaction, because within one it would have no effect.
    case hoist
    /// It cannot run in a transaction, or ends one: what is before it takes effect first.
    case alone
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
