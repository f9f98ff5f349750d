import PatchModel

/// Who else uses the database.
extension MariaDBSession {
    func blockers() -> [Blocker] { blockers(nil) }

    /// Who was in the way of a statement that has just given up waiting.
    func blockers(_ words: MariaDBWords?) -> [Blocker] { observer.blockers(of: connection.id, words) }

    func others() -> [Blocker] { observer.others(than: connection.id) }

    func checkRights() throws(SQLError) -> [String] {
        // Of the user, and of the role that is set; where they cannot be read, nothing is known.
        guard let grants = try? query("SHOW GRANTS", []).compactMap({ $0[0] }),
            let user = try? query("SELECT CURRENT_USER()", []).first?[0]
        else { return [] }
        let global = grants.filter { $0.contains(" ON *.* TO ") }
        func lacks(_ right: String) -> Bool {
            !global.contains { grant in [right, "ALL PRIVILEGES"].contains { grant.contains($0) } }
        }
        let account = user.split(separator: "@").map { Self.dialect.quoted(String($0)) }.joined(separator: "@")
        var lacked: [String] = []
        if lacks("PROCESS") {
            lacked.append(
                "sessions of other users, and who holds a row, cannot be seen in the database; "
                    + "GRANT PROCESS ON *.* TO \(account)")
        }
        if lacks("CONNECTION ADMIN") {
            lacked.append(
                "sessions of other users of the database cannot be ended; GRANT CONNECTION ADMIN ON *.* TO \(account)")
        }
        let foreign = "SELECT 1 FROM information_schema.routines WHERE routine_schema = ? AND definer <> ? LIMIT 1"
        if let found = try? query(foreign, [database.address.database, user]), !found.isEmpty,
            (try? query("SELECT 1 FROM mysql.proc LIMIT 0", [])) == nil
        {
            lacked.append(
                "procedures and functions of others cannot be copied (backup: auto); GRANT SELECT ON mysql.proc TO \(account)"
            )
        }
        return lacked
    }

    func end(_ blocker: Blocker) throws(SQLError) -> Bool { blocker.session.map(observer.end) ?? false }
}
