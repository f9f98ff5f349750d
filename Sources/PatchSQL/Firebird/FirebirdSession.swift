import PatchFiles
import PatchModel

/// An attachment to a Firebird database, with a second one that keeps others out.
final class FirebirdSession: Session {
    static let dialect = SQLDialect.firebird
    /// What DDL defines can be used only after a commit; the statement and the record of it have one transaction.
    static let isScriptAtomic = false

    let address: FirebirdAddress
    let library: FirebirdLibrary
    let lockTimeout: Double
    var shouldEnd: () -> Bool = { false }
    private(set) var isTainted = false
    private var connection: FirebirdConnection
    private let statements = FirebirdStatements()
    private var transaction: FirebirdTransaction?
    private var guardian: FirebirdGuard?
    private let calls = WatchedCall(name: "firebird")
    /// The statement of a script that ran last in the open transaction, whose DDL takes effect with the commit.
    private var last: (statement: SQLStatement, end: Double)?

    init(_ address: FirebirdAddress, _ library: FirebirdLibrary, lockTimeout: Double) throws(SQLError) {
        self.address = address
        self.library = library
        self.lockTimeout = lockTimeout
        connection = try Self.connect(address, library)
    }

    static func connect(
        _ address: FirebirdAddress, _ library: FirebirdLibrary
    ) throws(SQLError) -> FirebirdConnection {
        do throws(FirebirdFailure) {
            return try FirebirdConnection(address, library)
        } catch {
            throw FirebirdErrors(address: address).error(error, "open the database \"\(address.name)\"") { _ in
                address.file.map { OpenFile.others(with: $0) } ?? []
            }
        }
    }

    private var errors: FirebirdErrors { FirebirdErrors(address: address) }

    static func actions(of script: SQLScript) -> [StatementAction] { FirebirdStatementPolicy(script: script).all }

    // MARK: Transactions

    func begin(hoisting statements: [SQLStatement]) throws(SQLError) {
        last = nil
        transaction = try translating("begin a transaction") { () throws(FirebirdFailure) in
            try FirebirdTransaction(connection, .script, wait: lockTimeout)
        }
    }

    func commit() throws(SQLError) {
        guard let transaction else { return }
        do throws(FirebirdFailure) {
            // Indices are filled here, which may take as long as a statement.
            try watched(until: last?.end ?? .infinity) { () throws(FirebirdFailure) in try transaction.commit() }
        } catch {
            guard let last else { throw errors.error(error, "commit", blockers: blockers) }
            throw errors.error(error, in: last.statement, isOverdue: isOverdue(last.end), blockers: blockers)
        }
        self.transaction = nil
        last = nil
    }

    func rollback() {
        transaction?.rollback()
        transaction = nil
        last = nil
    }

    var isInTransaction: Bool { transaction != nil }

    // MARK: Statements

    func execute(_ statement: SQLStatement, seconds: Double) throws(SQLError) -> StatementResult {
        guard let transaction else {
            throw SQLError(.sql, "run", "no transaction is open", wayOut: "")
        }
        let end = MonotonicClock.seconds + seconds
        // A prepared statement of ours keeps its tables from being dropped.
        if statement.head.first != "INSERT" { statements.clear() }
        if ["SET", "CREATE"].contains(statement.head.first), statement.head.contains("ROLE") { isTainted = true }
        var result = StatementResult()
        do throws(FirebirdFailure) {
            let connection = connection
            try watched(until: end) { () throws(FirebirdFailure) in
                let prepared = try FirebirdStatement(statement.text, connection, transaction)
                guard ![.commit, .rollback, .startTransaction].contains(prepared.kind) else {
                    throw FirebirdFailure("it ends or begins a transaction")
                }
                try prepared.run([], in: transaction) { row in
                    result.rows += 1
                    guard result.output.count < StatementResult.outputLimit else { return }
                    result.output.append(String(row.map { $0 ?? "" }.joined(separator: "|").prefix(1000)))
                }
                result.changes = try prepared.changes()
            }
        } catch {
            throw errors.error(error, in: statement, isOverdue: isOverdue(end), blockers: blockers)
        }
        last = (statement, end)
        return result
    }

    /// Runs a call that may take long, and interrupts it when its time is over or the worker has to end.
    private func watched(
        until end: Double, _ body: @escaping () throws(FirebirdFailure) -> Void
    ) throws(FirebirdFailure) {
        var result = Result<Void, FirebirdFailure>.success(())
        calls.run {
            result = Result { () throws(FirebirdFailure) in try body() }
        } shouldEnd: {
            isOverdue(end) || shouldEnd()
        } interrupt: {
            connection.cancel()
        }
        try result.get()
    }

    private func isOverdue(_ end: Double) -> Bool { end < .infinity && MonotonicClock.seconds >= end }

    func reconnect() throws(SQLError) {
        rollback()
        statements.clear()
        isTainted = false
        connection = try Self.connect(address, library)
    }

    func repeatSettings(of statements: ArraySlice<SQLStatement>) throws(SQLError) {
        for statement in statements where statement.head.starts(with: ["SET", "ROLE"]) {
            try transaction { () throws(SQLError) in _ = try execute(statement, seconds: .infinity) }
        }
    }

    @discardableResult
    func query(_ statement: String, _ values: [String?]) throws(SQLError) -> [[String?]] {
        try translating("run \(statement.prefix { !$0.isNewline })") { () throws(FirebirdFailure) in
            if let transaction { return try statements.rows(statement, values, on: connection, in: transaction) }
            let own = try FirebirdTransaction(connection, .look, wait: lockTimeout)
            let rows = try statements.rows(statement, values, on: connection, in: own)
            try own.commit()
            return rows
        }
    }

    func columns(of table: String) throws(SQLError) -> [String] {
        // Of a computed column nothing can be written.
        try query(
            """
            SELECT TRIM(f.RDB$FIELD_NAME) FROM RDB$RELATION_FIELDS f
                JOIN RDB$FIELDS s ON s.RDB$FIELD_NAME = f.RDB$FIELD_SOURCE
            WHERE f.RDB$RELATION_NAME = ? AND s.RDB$COMPUTED_BLR IS NULL ORDER BY f.RDB$FIELD_POSITION
            """, [try name(ofTable: table)]
        ).compactMap { $0[0] }
    }

    /// The name itself where a table was made with it in quotes, else as Firebird writes names without quotes.
    func name(ofTable table: String) throws(SQLError) -> String {
        let found = try query(
            "SELECT TRIM(RDB$RELATION_NAME) FROM RDB$RELATIONS WHERE RDB$RELATION_NAME IN (?, ?)",
            [table, table.uppercased()]
        ).compactMap { $0[0] }
        return found.contains(table) ? table : found.first ?? table
    }

    func trial(of table: String) throws(SQLError) -> (any RowTrial)? { nil }

    // MARK: Others

    func keepOthersOut() throws(SQLError) {
        if guardian != nil { return }
        try FirebirdGuard.prepare(self)
        guardian = try FirebirdGuard(address, library, blockers: blockers)
    }

    /// Comes back after ``detach()``.
    func attach() throws(SQLError) { if !connection.isOpen { try reconnect() } }

    /// Leaves the database to another process; ``attach()`` comes back.
    func detach() {
        rollback()
        statements.clear()
        guardian = nil
        connection.close()
    }

    func announce(_ revision: Revision?) throws(SQLError) {
        guard let code = revision?.code else { return }
        let event = code == 9998 ? "PLEASE_DOWN" : "PLEASE_DISCONNECT"
        try query("EXECUTE BLOCK AS BEGIN POST_EVENT '\(event)'; END", [])
    }

    private var attachments: FirebirdAttachments {
        let own = Set([connection.id, guardian?.id].compactMap { $0 })
        return FirebirdAttachments(
            query: { text in
                do throws(FirebirdFailure) {
                    let look = try FirebirdTransaction(self.connection, .look, wait: 0)
                    let rows = try FirebirdStatements().rows(text, on: self.connection, in: look)
                    try look.commit()
                    return rows
                } catch {
                    // A connection that is lost shows nobody; what failed before says so.
                    return []
                }
            }, own: own)
    }

    private func blockers(_ number: Int?) -> [Blocker] {
        let found = attachments.blockers(number)
        return found.isEmpty ? address.file.map { OpenFile.others(with: $0) } ?? [] : found
    }

    func blockers() -> [Blocker] { blockers(nil) }

    func others() -> [Blocker] {
        attachments.all() + (address.file.map { OpenFile.others(with: $0) } ?? [])
    }

    func end(_ blocker: Blocker) throws(SQLError) -> Bool {
        guard let session = blocker.session else { return false }
        let place = "WHERE MON$ATTACHMENT_ID = ? AND CAST(MON$TIMESTAMP AS varchar(40)) = ?"
        let values = [session.id, session.began]
        try query("DELETE FROM MON$ATTACHMENTS \(place)", values)
        return true
    }

    func translating<Value>(
        _ doing: String, _ body: () throws(FirebirdFailure) -> Value
    ) throws(SQLError) -> Value {
        do throws(FirebirdFailure) {
            return try body()
        } catch {
            throw errors.error(error, "\(doing) in the database \"\(address.name)\"", blockers: blockers)
        }
    }
}
