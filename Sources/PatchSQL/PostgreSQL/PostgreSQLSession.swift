import PatchFiles
import PatchModel

/// A connection to a PostgreSQL database.
final class PostgreSQLSession: Session {
    static let dialect = SQLDialect.postgresql
    let database: PostgreSQLDatabase
    private let lockTimeout: Double
    var connection: PostgreSQLConnection
    var shouldEnd: () -> Bool = { false }
    /// The schema that the folder's tables are made in, whatever a script sets.
    private(set) var schema = ""
    /// Whether this session keeps others out.
    private var isHolder = false
    /// The number of the session that this one is in the place of: the server may take a moment to see that it has ended.
    private var former: String?
    /// Looks who is in the way of this one; nil until that is asked.
    private var observer: PostgreSQLObserver?
    private let isObserved: Bool
    /// Who was in the way of the last statement.
    private var lastBlockers: [Blocker] = []

    /// - Parameter isObserved: false for an observer's own.
    init(_ database: PostgreSQLDatabase, lockTimeout: Double, isObserved: Bool = true) throws(SQLError) {
        self.database = database
        self.isObserved = isObserved
        self.lockTimeout = lockTimeout
        connection = try Self.connect(database)
        try setUp()
    }

    private static func connect(_ database: PostgreSQLDatabase) throws(SQLError) -> PostgreSQLConnection {
        do throws(PostgreSQLFailure) {
            return try PostgreSQLConnection(database.library, database.settings)
        } catch {
            throw PostgreSQLErrors().error(error, "open the database \"\(database.url)\"")
        }
    }

    /// Settings of the role or the database must not make a wait endless or a text mean something else.
    private func setUp() throws(SQLError) {
        try query("SET lock_timeout = \(Int(max(1, lockTimeout * 1000)))", [])
        try query("SET statement_timeout = 0", [])
        try query("SET idle_in_transaction_session_timeout = 0", [])
        try query("SET standard_conforming_strings = on", [])
        if let own = database.server.schema {
            try query("SELECT set_config('search_path', quote_ident(?) || ', public', false)", [own])
        }
        let found = try query("SELECT current_schema(), pg_is_in_recovery()", []).first ?? []
        if found.last == "t" {
            throw unusable("it is a standby, which is read-only", "name the primary server in \"database\"")
        }
        guard let current = found.first ?? nil else {
            throw unusable(
                "the role \(try role()) has no schema in its search_path that exists",
                "CREATE SCHEMA \(Self.dialect.quoted(database.server.schema ?? "public"))")
        }
        if let own = database.server.schema, own != current {
            throw unusable(
                "there is no schema \(own), or the role \(try role()) may not use it",
                "CREATE SCHEMA \(Self.dialect.quoted(own)), or GRANT USAGE, CREATE ON SCHEMA \(Self.dialect.quoted(own)) TO "
                    + "\(try role())")
        }
        schema = current
    }

    private func role() throws(SQLError) -> String {
        try query("SELECT current_user", []).first?.first.flatMap { $0 } ?? ""
    }

    private func unusable(_ cause: String, _ wayOut: String) -> SQLError {
        SQLError(.database, "use the database \"\(database.url)\"", cause, wayOut: wayOut)
    }

    private var errors: PostgreSQLErrors { PostgreSQLErrors() }

    static func actions(of script: SQLScript) -> [StatementAction] { PostgreSQLStatementPolicy(script: script).all }

    /// A script may change the search_path.
    var home: String { Self.dialect.quoted(schema) + "." }

    // MARK: Transactions

    func begin(hoisting statements: [SQLStatement]) throws(SQLError) { try query("BEGIN", []) }

    func commit() throws(SQLError) {
        guard connection.canCommit else {
            throw SQLError(.sql, "commit", "a statement in it failed", wayOut: "correct the script")
        }
        try query("COMMIT", [])
    }

    func rollback() {
        guard connection.isInTransaction else { return }
        _ = try? query("ROLLBACK", [])
    }

    var isInTransaction: Bool { connection.isInTransaction }

    // MARK: Statements

    func execute(_ statement: SQLStatement, seconds: Double) throws(SQLError) -> StatementResult {
        var result = StatementResult()
        let watch = LockWatch(seconds: seconds)
        lastBlockers = []
        do throws(PostgreSQLFailure) {
            result.changes = try connection.run(
                statement.text, copying: statement.data,
                goesOn: {
                    if watch.isLookDue { self.look() }
                    return !watch.isOver && !self.shouldEnd()
                },
                onRow: { row in
                    result.rows += 1
                    guard result.output.count < StatementResult.outputLimit else { return }
                    result.output.append(String(row.map { $0 ?? "" }.joined(separator: "|").prefix(1000)))
                })
        } catch {
            // query_canceled, which others can order as well.
            if error.state == "57014", watch.isOver {
                throw SQLError(
                    .sql, "run",
                    at: .init(file: "", statement: statement.number, line: statement.line, summary: statement.summary),
                    "it took longer than scriptTimeout allows", wayOut: "make it faster, or set scriptTimeout")
            }
            throw errors.error(error, in: statement, blockers: lastBlockers)
        }
        result.output += connection.takeNotices()
        return result
    }

    /// What a script leaves in a session no table of patchd's depends on: they are named with their schema.
    var isTainted: Bool { false }

    func reconnect() throws(SQLError) {
        former = "\(connection.backend)"
        connection = try Self.connect(database)
        observer = nil
        try setUp()
        guard isHolder else { return }
        isHolder = false
        try keepOthersOut()
    }

    @discardableResult
    func query(_ statement: String, _ values: [String?]) throws(SQLError) -> [[String?]] {
        var rows: [[String?]] = []
        lastBlockers = []
        let watch = LockWatch(seconds: .infinity)
        do throws(PostgreSQLFailure) {
            try connection.run(
                Self.numbered(statement), values,
                goesOn: {
                    if watch.isLookDue { self.look() }
                    return true
                }, onRow: { rows.append($0) })
        } catch {
            throw errors.error(
                error, "run \(statement.prefix { !$0.isNewline }) in the database \"\(database.url)\"",
                blockers: lastBlockers)
        }
        return rows
    }

    /// Hands on rows to a `COPY … FROM stdin`.
    func copy(_ data: [UInt8], _ statement: String) throws(SQLError) {
        do throws(PostgreSQLFailure) {
            try connection.run(statement, copying: data[...])
        } catch {
            throw errors.error(error, "run \(statement) in the database \"\(database.url)\"")
        }
    }

    /// `?` as `$1`, `$2`…, but for those within quoted names.
    static func numbered(_ statement: String) -> String {
        guard statement.utf8.contains(UInt8(ascii: "?")) else { return statement }
        var text = ""
        var count = 0
        var isQuoted = false
        for character in statement {
            if character == "\"" || character == "'" { isQuoted.toggle() }
            guard character == "?", !isQuoted else {
                text.append(character)
                continue
            }
            count += 1
            text += "$\(count)"
        }
        return text
    }

    func columns(of table: String) throws(SQLError) -> [String] {
        let name = table.hasPrefix("patchd_") ? home + table : Self.dialect.quoted(table)
        // Of a generated column nothing can be written.
        return try query(
            """
            SELECT attname FROM pg_catalog.pg_attribute
            WHERE attrelid = pg_catalog.to_regclass(?) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            ORDER BY attnum
            """, [name]
        ).compactMap { $0[0] }
    }

    func trial(of table: String) throws(SQLError) -> (any RowTrial)? { nil }

    func tookEffect(_ statement: SQLStatement) throws(SQLError) -> Bool? {
        try PostgreSQLEffect(statement)?.isThere(in: self)
    }

    // MARK: Others

    /// A lock of the session, on the connection that does the work: on another one it would keep `CREATE INDEX
    /// CONCURRENTLY` waiting for ever.
    func keepOthersOut() throws(SQLError) {
        if isHolder { return }
        let end = MonotonicClock.seconds + Self.patience
        while true {
            let holders = try tryKeepingOthersOut()
            if isHolder { return }
            // It has just ended, or is our own that ends.
            let isPassing = holders.allSatisfy { $0.session?.id == former }
            guard isPassing, MonotonicClock.seconds < end else {
                throw SQLError(
                    .inUse, "keep others from updating the database \"\(database.url)\"", "it is being updated",
                    blockers: holders)
            }
            MonotonicClock.wait(seconds: 0.02)
        }
    }

    /// Seconds for a session of ours that was closed to be gone.
    private static let patience = 5.0

    /// - Returns: who keeps others out, where it is not this session.
    private func tryKeepingOthersOut() throws(SQLError) -> [Blocker] {
        let key = "pg_catalog.hashtext('patchd'), pg_catalog.hashtext(pg_catalog.current_database() || ':' || ?)"
        let got = try query("SELECT pg_catalog.pg_try_advisory_lock(\(key))", [schema]).first?.first.flatMap { $0 }
        isHolder = got == "t"
        if isHolder { return [] }
        return try PostgreSQLObserver.sessions(
            """
            a.pid IN (SELECT l.pid FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                AND l.classid = (pg_catalog.hashtext('patchd')::bigint & 4294967295)::oid
                AND l.objid = (pg_catalog.hashtext(pg_catalog.current_database() || ':' || ?)::bigint & 4294967295)::oid)
            """, [schema], self)
    }

    func announce(_ revision: Revision?) throws(SQLError) {
        guard let revision else { return }
        let channel = revision.code == 9998 ? "please_down" : "please_disconnect"
        try query("SELECT pg_catalog.pg_notify(?, ?)", [channel, revision.notice])
    }

    private func look() {
        guard isObserved else { return }
        if observer == nil { observer = try? PostgreSQLObserver(database) }
        let seen = observer?.blockers(of: connection.backend) ?? []
        if !seen.isEmpty { lastBlockers = seen }
    }

    func blockers() -> [Blocker] { lastBlockers }

    /// Where the folder is a schema, the others are other folders' as well: only those in the way leave.
    func others() -> [Blocker] {
        if database.server.schema != nil { return [] }
        return
            (try? PostgreSQLObserver.sessions(
                """
                a.datname = pg_catalog.current_database() AND coalesce(a.backend_type, 'client backend') = 'client backend'
                AND a.pid <> pg_catalog.pg_backend_pid()
                AND NOT (a.application_name LIKE ? AND a.usename = current_user)
                """, [PostgreSQLDatabase.programPrefix + "%"], self)) ?? []
    }

    func end(_ blocker: Blocker) throws(SQLError) -> Bool {
        guard let session = blocker.session, session.canBeEnded else { return false }
        // Its number may be another's by now.
        let ended = try query(
            """
            SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
            WHERE a.pid = ?::integer AND (? = '' OR extract(epoch FROM a.backend_start)::text = ?)
            """, [session.id, session.began, session.began])
        return ended.first.map { $0.first.flatMap { $0 } == "t" } ?? true
    }
}

/// When to look who is in the way of a statement, and when it has taken too long.
private final class LockWatch {
    private static let pause = 0.5
    private let end: Double
    private var next = MonotonicClock.seconds + LockWatch.pause

    init(seconds: Double) { end = MonotonicClock.seconds + seconds }

    var isOver: Bool { MonotonicClock.seconds >= end }

    /// True now and then.
    var isLookDue: Bool {
        guard MonotonicClock.seconds >= next else { return false }
        next = MonotonicClock.seconds + Self.pause
        return true
    }
}
