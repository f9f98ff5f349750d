import PatchFiles
import PatchModel

/// Looks from a connection of its own at who is in the way of a session: who holds a row lock shows only as long as somebody
/// waits for it.
final class MariaDBObserver {
    private let database: MariaDBDatabase
    private var connection: MariaDBConnection?
    /// Sessions that were seen holding what the running statement waited for.
    private var seen: Set<UInt> = []
    private var nextLook = Double.infinity
    private var interval = 0.0

    init(_ database: MariaDBDatabase) { self.database = database }

    /// A statement begins.
    func begin(lockTimeout: Double) {
        seen = []
        interval = max(1, lockTimeout.rounded(.up)) * 0.4
        nextLook = MonotonicClock.seconds + interval
    }

    /// Looks whether a session waits for a row lock, and for whose; now and then only.
    func look(at id: UInt) {
        let now = MonotonicClock.seconds
        guard now >= nextLook else { return }
        nextLook = now + interval
        let rows = rows(
            """
            SELECT DISTINCT b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w
            JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id
            JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id
            WHERE r.trx_mysql_thread_id = \(id)
            """)
        seen.formUnion((rows ?? []).compactMap { $0[0].flatMap { UInt($0) } })
    }

    /// Ends the statement of a session, not the session.
    func interrupt(_ id: UInt) { _ = rows("KILL HARD QUERY \(id)") }

    // MARK: Who

    /// Who was in the way of a statement that has just given up waiting, or would be now.
    ///
    /// - Parameter words: the statement; nil: any.
    func blockers(of id: UInt, _ words: MariaDBWords?) -> [Blocker] {
        let waitedFor = sessions(Array(seen), writes: true)
        if !waitedFor.isEmpty { return waitedFor }
        if let holders = metadataHolders(words), !holders.isEmpty {
            let found = sessions(holders, but: id, writes: false)
            if !found.isEmpty { return found }
        }
        // Who is in a transaction; where that may not be seen, everybody who does not wait.
        let inTransaction = rows("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx")
        if let ids = inTransaction?.compactMap({ $0[0].flatMap { UInt($0) } }) {
            let found = sessions(ids, but: id, writes: true)
            if !found.isEmpty { return found }
        }
        return sessions(nil, but: id, writes: false)
    }

    /// Everybody else who has the database selected, without patchd's own sessions.
    func others(than id: UInt) -> [Blocker] { sessions(nil, but: id, writes: false, withOwn: false) }

    /// Nil where the plugin `metadata_lock_info` is not loaded.
    private func metadataHolders(_ words: MariaDBWords?) -> [UInt]? {
        let rows = rows(
            "SELECT thread_id, table_name FROM information_schema.metadata_lock_info WHERE table_schema = "
                + MariaDBLiteral.literal(database.address.database))
        guard let rows else { return nil }
        let names = words.map { Set($0.words.filter(\.isName).map { $0.plain.lowercased() }) }
        return rows.compactMap { row in
            guard let table = row[1], !table.isEmpty, names?.contains(table.lowercased()) ?? true else { return nil }
            return row[0].flatMap { UInt($0) }
        }
    }

    /// Sessions as somebody in the way.
    ///
    /// - Parameter ids: nil: all that have the database selected.
    func sessions(_ ids: [UInt]?, but own: UInt = 0, writes: Bool, withOwn: Bool = true) -> [Blocker] {
        if ids?.isEmpty == true { return [] }
        let chosen = ids.map { "p.id IN (\($0.map(String.init).joined(separator: ",")))" }
        let selected = "p.db = \(MariaDBLiteral.literal(database.address.database))"
        let isPatchd = "IS_USED_LOCK(CONCAT('\(MariaDBDatabase.sessionLock)', p.id)) IS NOT NULL"
        let rows = rows(
            """
            SELECT p.id, p.user, p.host, p.command, p.state, p.time, COALESCE(p.info, ''), \(isPatchd), \(Self.started)
            FROM information_schema.processlist p
            WHERE \(chosen ?? selected) AND p.id NOT IN (\(own), CONNECTION_ID()) AND p.user <> 'system user'
              AND p.command NOT IN ('Daemon', 'Binlog Dump') \(withOwn ? "" : "AND NOT \(isPatchd)")
              AND COALESCE(p.state, '') NOT LIKE 'Waiting for % lock' ORDER BY p.id
            """)
        let programs = programs()
        return (rows ?? []).map { row in
            let texts = row.map { $0 ?? "" }
            let host = texts[2].split(separator: ":").first.map(String.init) ?? ""
            let isIdle = texts[3] == "Sleep"
            return Blocker(
                pid: nil, command: texts[7] == "1" ? "patchd" : programs[texts[0]] ?? "", writes: writes,
                session: DatabaseSession(
                    id: texts[0], began: "\(texts[8]) \(texts[2])", user: texts[1],
                    address: host == "localhost" ? "" : host,
                    statement: isIdle ? "idle" : String(texts[6].prefix(DatabaseSession.statementLength)),
                    seconds: Int(texts[5])))
        }
    }

    /// When the server was started: it counts its sessions from then on, and gives no number twice.
    private static let started = """
        (SELECT UNIX_TIMESTAMP() - variable_value FROM information_schema.global_status WHERE variable_name = 'UPTIME')
        """

    /// What clients say they are, by session; only with performance_schema the server knows.
    private func programs() -> [String: String] {
        let rows = rows(
            """
            SELECT processlist_id, attr_value FROM performance_schema.session_connect_attrs
            WHERE attr_name = 'program_name' AND @@performance_schema
            """)
        var programs: [String: String] = [:]
        for row in rows ?? [] { programs[row[0] ?? ""] = row[1] }
        return programs
    }

    // MARK: Ending

    /// Ends a session, if it is still the same one.
    ///
    /// - Returns: false where the role may not.
    func end(_ session: DatabaseSession) -> Bool {
        guard let id = UInt(session.id) else { return false }
        let now = sessions([id], writes: false).first?.session
        guard let now, now.user == session.user, Self.isSame(now.began, session.began) else { return true }
        return rows("KILL HARD CONNECTION \(id)") != nil
    }

    /// The start of the server is reckoned from its uptime, in whole seconds.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        let (ones, others) = (one.split(separator: " "), other.split(separator: " "))
        guard ones.count == 2, others.count == 2, let start = Double(ones[0]), let other = Double(others[0]) else {
            return false
        }
        return ones[1] == others[1] && abs(start - other) <= 2
    }

    /// Nil where the server cannot be reached, or the role may not ask.
    private func rows(_ text: String) -> [[String?]]? {
        do throws(SQLError) {
            let kept = connection.take()
            let open: MariaDBConnection
            if let kept { open = kept } else { open = try database.connect(lockTimeout: 1) }
            var rows: [[String?]] = []
            do throws(MariaDBFailure) {
                try open.run(text) { rows.append($0) }
            } catch {
                // Next time by a new connection, if this one is gone.
                if !error.isFromClient { connection = consume open }
                return nil
            }
            connection = consume open
            return rows
        } catch {
            return nil
        }
    }
}
