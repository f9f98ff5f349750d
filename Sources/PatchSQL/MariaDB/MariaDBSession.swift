import Glibc
import PatchFiles
import PatchModel

/// A session on a MariaDB server.
final class MariaDBSession: Session {
    static let dialect = SQLDialect.mariadb
    /// A statement that defines something commits what was before it.
    static let isScriptAtomic = false
    /// Row by row transactional, and names of scripts that differ in capitals are two.

    let database: MariaDBDatabase
    let lockTimeout: Double
    var connection: MariaDBConnection
    /// Sees from beside this session who is in its way.
    let observer: MariaDBObserver
    var shouldEnd: () -> Bool = { false }
    var isTainted = false
    /// What this session lacks of an earlier one of the same script, and what it has prepared.
    var memory = MariaDBScriptMemory()
    /// Why the last statement of a script failed; nil where it did not.
    private var failure: MariaDBFailure?
    /// Whether ``keepOthersOut()`` was called.
    private var keepsOthersOut = false
    /// Tables, and what leads to tables, whose changes cannot be taken back; nil: to be looked up.
    private var untransactional: Set<String>?

    init(_ database: MariaDBDatabase, lockTimeout: Double) throws(SQLError) {
        self.database = database
        self.lockTimeout = lockTimeout
        connection = try database.connect(lockTimeout: lockTimeout)
        observer = MariaDBObserver(database)
    }

    private var errors: MariaDBErrors { database.errors }

    static func actions(of script: SQLScript) -> [StatementAction] { MariaDBStatementPolicy(script: script).all }

    var home: String { Self.dialect.quoted(database.address.database) + "." }

    // MARK: Keeping others out

    func keepOthersOut() throws(SQLError) {
        let lock = MariaDBLiteral.literal(lockName)
        let seconds = Int(max(1, lockTimeout.rounded(.up)))
        guard try query("SELECT IS_USED_LOCK(\(lock)) = CONNECTION_ID()", []).first?[0] != "1" else { return }
        // A session that has just ended may hold it for a moment.
        guard try query("SELECT GET_LOCK(\(lock), \(seconds))", []).first?[0] != "1" else {
            keepsOthersOut = true
            return
        }
        let holder = try query("SELECT IS_USED_LOCK(\(lock))", []).first?[0].flatMap { UInt($0) }
        throw SQLError(
            .inUse, "change the database \(database.address.place)", "another session of patchd's changes it",
            wayOut: "wait until it has ended", blockers: holder.map { observer.sessions([$0], writes: true) } ?? [])
    }

    /// At most 64 characters, as a name of a lock may have.
    private var lockName: String {
        let name = database.address.database
        return "patchd:" + (name.count < 50 ? name : String(SHA256.hash(of: Array(name.utf8)).prefix(50)))
    }

    // MARK: Transactions

    func begin(hoisting statements: [SQLStatement]) throws(SQLError) {
        try translating("begin a transaction") { () throws(MariaDBFailure) in
            _ = try connection.run("START TRANSACTION")
        }
    }

    func commit() throws(SQLError) {
        try passFaultPoint("commit")
        try translating("commit") { () throws(MariaDBFailure) in _ = try connection.run("COMMIT") }
    }

    func rollback() {
        // Fails only where the connection is gone, and the transaction with it.
        if isInTransaction { _ = try? connection.run("ROLLBACK") }
    }

    var isInTransaction: Bool { connection.isInTransaction }

    // MARK: Statements

    func execute(_ statement: SQLStatement, seconds: Double) throws(SQLError) -> StatementResult {
        let words = MariaDBWords(statement.text, limit: MariaDBScriptMemory.wordLimit)
        try memory.check(words, statement)
        var result = StatementResult()
        var isOver = false
        let end = MonotonicClock.seconds + seconds
        let (shouldEnd, observer, id) = (shouldEnd, observer, connection.id)
        observer.begin(lockTimeout: lockTimeout)
        let watch = StatementWatch(
            isOver: {
                isOver = MonotonicClock.seconds >= end || shouldEnd()
                observer.look(at: id)
                return isOver
            }, interrupt: { observer.interrupt(id) })
        failure = nil
        try passFaultPoint("run")
        do throws(MariaDBFailure) {
            result.changes = try connection.run(statement.text, watch: watch) { row in
                result.rows += 1
                guard result.output.count < StatementResult.outputLimit else { return }
                result.output.append(String(row.map { $0 ?? "" }.joined(separator: "|").prefix(1000)))
            }
            try take(words)
        } catch {
            failure = error
            throw errors.error(error, in: statement, isOver: isOver) { blockers(words) }
        }
        return result
    }

    /// What a server does shows in no call of ours on files, at which a test could cut it off.
    private func passFaultPoint(_ operation: String) throws(SQLError) {
        do throws(FileError) {
            try FaultPoint.pass(operation, database.address.place)
        } catch {
            throw SQLError(.io, operation, "\(error)")
        }
    }

    /// Takes in what a statement that has run made of the session.
    private func take(_ words: MariaDBWords) throws(MariaDBFailure) {
        memory.take(words) { (variable) throws(MariaDBFailure) in
            var text: String?
            try connection.run("SELECT \(variable)") { text = $0.first.flatMap { $0 } }
            return text
        }
        switch words[0] {
        case "SET":
            isTainted = true
            // Whatever it set, patchd waits for locks as long as it said.
            try connection.run("SET SESSION \(MariaDBDatabase.limits(lockTimeout))")
        case "PREPARE", "CREATE", "EXECUTE", "CALL", "BEGIN":
            isTainted = true
            untransactional = nil
        case "ALTER", "RENAME", "DROP": untransactional = nil
        default: break
        }
    }

    func reconnect() throws(SQLError) {
        rollback()
        // What holds a lock by name would be in its own way for a moment.
        _ = try? connection.run("DO RELEASE_ALL_LOCKS()")
        connection = try database.connect(lockTimeout: lockTimeout)
        isTainted = false
        memory = MariaDBScriptMemory()
        untransactional = nil
        if keepsOthersOut { try keepOthersOut() }
    }

    @discardableResult
    func query(_ statement: String, _ values: [String?]) throws(SQLError) -> [[String?]] {
        try translating("run \(statement.prefix { !$0.isNewline })") { () throws(MariaDBFailure) in
            var rows: [[String?]] = []
            try connection.run(MariaDBLiteral.bind(statement, values)) { rows.append($0) }
            return rows
        }
    }

    // MARK: Statements that run alone

    func runsAlone(_ statement: SQLStatement) throws(SQLError) -> Bool {
        let words = MariaDBWords(statement.text, limit: MariaDBScriptMemory.wordLimit)
        guard words.changesRows else { return false }
        let names: Set<String>
        if let untransactional { names = untransactional } else { names = try untransactionalNames() }
        untransactional = names
        return !names.isEmpty && words.words.contains { $0.isName && names.contains($0.plain.lowercased()) }
    }

    /// In small letters: tables of engines without transactions, and where there are any, views and tables with triggers,
    /// which may lead to them.
    private func untransactionalNames() throws(SQLError) -> Set<String> {
        let rows = try query(
            """
            SELECT t.table_name FROM information_schema.tables t
            LEFT JOIN information_schema.engines e ON e.engine = t.engine AND e.transactions = 'YES'
            WHERE t.table_schema = ? AND t.table_type = 'BASE TABLE' AND e.engine IS NULL
            """, [database.address.database])
        guard !rows.isEmpty else { return [] }
        let leading = try query(
            """
            SELECT table_name FROM information_schema.views WHERE table_schema = ?
            UNION SELECT event_object_table FROM information_schema.triggers WHERE event_object_schema = ?
            """, [database.address.database, database.address.database])
        return Set((rows + leading).compactMap { $0[0]?.lowercased() })
    }

    func leftNothing(_ statement: SQLStatement) -> Bool {
        // What ends sessions may have come in the middle of it.
        guard let failure, !failure.isFromClient, ![1053, 1152, 1317, 1927].contains(failure.number) else {
            return false
        }
        return MariaDBEffect(memory.resolved(MariaDBWords(statement.text, limit: MariaDBScriptMemory.wordLimit)))
            .isWhole
    }

    func tookEffect(_ statement: SQLStatement) throws(SQLError) -> Bool? {
        let words = MariaDBWords(statement.text, limit: MariaDBScriptMemory.wordLimit)
        return try tookEffect(MariaDBEffect(memory.resolved(words)))
    }

    func repeatSettings(of statements: ArraySlice<SQLStatement>) throws(SQLError) {
        for statement in memory.settings(of: statements) { _ = try execute(statement, seconds: .infinity) }
    }

    func translating<Value>(
        _ doing: String, _ body: () throws(MariaDBFailure) -> Value
    ) throws(SQLError) -> Value {
        do throws(MariaDBFailure) {
            return try body()
        } catch {
            throw errors.error(error, "\(doing) in the database \(database.address.place)") { blockers(nil) }
        }
    }
}
