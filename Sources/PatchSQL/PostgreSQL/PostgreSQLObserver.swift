import PatchModel

/// A second connection that looks who is in the way of the first, which cannot look while it waits.
final class PostgreSQLObserver {
    private let session: PostgreSQLSession

    init(_ database: PostgreSQLDatabase) throws(SQLError) {
        session = try PostgreSQLSession(database, lockTimeout: 1, isObserved: false)
    }

    /// Who holds or waits in front for what a session waits for; empty where nobody does.
    func blockers(of backend: Int32) -> [Blocker] {
        do throws(SQLError) {
            let pids = try session.query(
                "SELECT unnest(pg_catalog.pg_blocking_pids(?::integer))", ["\(backend)"]
            ).compactMap { $0[0] }
            if pids.isEmpty { return [] }
            let all = try Self.sessions("a.pid = ANY (?::integer[])", ["{\(pids.joined(separator: ","))}"], session)
            // The holder without a process.
            return pids.contains("0") ? all + (try preparedTransactions()) : all
        } catch {
            return []
        }
    }

    private func preparedTransactions() throws(SQLError) -> [Blocker] {
        let rows = try session.query(
            """
            SELECT gid, owner, extract(epoch FROM now() - prepared)::integer FROM pg_catalog.pg_prepared_xacts
            WHERE database = pg_catalog.current_database() ORDER BY prepared LIMIT 20
            """, [])
        return rows.map { row in
            Blocker(
                pid: nil, command: "the prepared transaction '\(row[0] ?? "")'", writes: true,
                session: DatabaseSession(
                    id: row[0] ?? "", user: row[1] ?? "", seconds: row[2].flatMap { Int($0) }, canBeEnded: false))
        }
    }

    /// The sessions of the server that fulfil a condition on `pg_stat_activity a`, as far as the role may see them.
    static func sessions(
        _ condition: String, _ values: [String?], _ session: PostgreSQLSession
    ) throws(SQLError) -> [Blocker] {
        let rows = try session.query(
            """
            SELECT a.pid, coalesce(extract(epoch FROM a.backend_start)::text, ''), coalesce(a.usename::text, ''),
                coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''),
                left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), \(DatabaseSession.statementLength)),
                coalesce(a.state, ''), extract(epoch FROM now() - coalesce(a.xact_start, a.state_change))::integer
            FROM pg_catalog.pg_stat_activity a WHERE \(condition) ORDER BY a.pid LIMIT 200
            """, values)
        return rows.map { row in
            let state = row[6] ?? ""
            let statement = state.hasPrefix("idle") && row[5] != "" ? "\(state), last: \(row[5] ?? "")" : row[5] ?? ""
            return Blocker(
                pid: nil, command: row[3] ?? "", writes: state != "idle",
                session: DatabaseSession(
                    id: row[0] ?? "", began: row[1] ?? "", user: row[2] ?? "", address: row[4] ?? "",
                    statement: statement, seconds: row[7].flatMap { Int($0) }))
        }
    }
}
