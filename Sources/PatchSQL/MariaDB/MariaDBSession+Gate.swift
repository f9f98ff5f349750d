import PatchModel

/// Keeps newcomers out by locking the accounts that are there for this database alone; who is connected stays. A list of
/// them in the database lets them in again after a crash too.
extension MariaDBSession {
    private var gate: String { home + "patchd_gate" }

    /// Only with the right to change accounts. An account that has rights on other databases, or on all, stays open: it may
    /// be another folder's.
    func keepNewcomersOut(sparing spare: Set<String>) throws(SQLError) {
        guard let accounts = try? ownAccounts(areOpen: true), !accounts.isEmpty else { return }
        try query(
            "CREATE TABLE IF NOT EXISTS \(gate) (account varchar(400) PRIMARY KEY)\(Self.dialect.own.options)", [])
        for account in accounts where !spare.contains(account.user) {
            // Each is on the list before it is locked: a crash in between unlocks one that was open.
            try query("INSERT IGNORE INTO \(gate) VALUES (?)", [account.name])
            do throws(SQLError) {
                try query("ALTER USER \(account.name) ACCOUNT LOCK", [])
            } catch {
                try query("DELETE FROM \(gate) WHERE account = ?", [account.name])
                // Without the right none of them can be locked.
                guard error.code == .sql || error.code == .database else { throw error }
                return
            }
        }
    }

    /// Everybody who may write to the database can write to the list: it only chooses among the accounts that are this database's
    /// own, and no text of it becomes part of a statement.
    func letNewcomersIn() throws(SQLError) {
        if try columns(of: "patchd_gate").isEmpty { return }
        let listed = try query("SELECT account FROM \(gate) ORDER BY account", []).compactMap { $0[0] }
        if listed.isEmpty { return }
        let own = Set(try ownAccounts(areOpen: false).map(\.name))
        for account in listed {
            // One that was dropped since has nothing to be unlocked.
            if own.contains(account) { try query("ALTER USER IF EXISTS \(account) ACCOUNT UNLOCK", []) }
            try query("DELETE FROM \(gate) WHERE account = ?", [account])
        }
    }

    /// The accounts with rights on this database and on nothing else that are open, or closed, but for patchd's own.
    private func ownAccounts(areOpen: Bool) throws(SQLError) -> [(user: String, name: String)] {
        let rows = try query(
            """
            SELECT g.user, g.host FROM mysql.global_priv g
            WHERE coalesce(json_value(g.priv, '$.access'), 0) = 0 AND coalesce(json_value(g.priv, '$.is_role'), 0) = 0
            AND coalesce(json_value(g.priv, '$.account_locked'), 0) \(areOpen ? "=" : "<>") 0
            AND concat(g.user, '@', g.host) <> current_user() AND g.user <> ''
            AND EXISTS (SELECT 1 FROM mysql.db d WHERE d.user = g.user AND d.host = g.host
                AND replace(d.db, '\\\\_', '_') = ?)
            AND NOT EXISTS (SELECT 1 FROM mysql.db d WHERE d.user = g.user AND d.host = g.host
                AND replace(d.db, '\\\\_', '_') <> ?)
            AND NOT EXISTS (SELECT 1 FROM mysql.tables_priv t WHERE t.user = g.user AND t.host = g.host AND t.db <> ?)
            AND NOT EXISTS (SELECT 1 FROM mysql.procs_priv p WHERE p.user = g.user AND p.host = g.host AND p.db <> ?)
            ORDER BY g.user, g.host
            """, Array(repeating: database.address.database, count: 4))
        return rows.compactMap { row in
            guard let user = row[0], let host = row[1] else { return nil }
            return (user, "\(Self.dialect.quoted(user))@\(Self.dialect.quoted(host))")
        }
    }
}
