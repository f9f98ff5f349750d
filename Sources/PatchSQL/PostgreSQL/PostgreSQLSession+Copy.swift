import PatchFiles
import PatchModel

/// A database of its own on the same server, made from a dump: never a schema beside the live one.
extension PostgreSQLSession {
    func copyObstacle(_ order: CopyOrder) throws(SQLError) -> String? {
        let row =
            try query(
                """
                SELECT current_user, (SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
                    (SELECT string_agg(srvname, ', ') FROM pg_catalog.pg_foreign_server),
                    EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'dblink')
                """, []
            ).first ?? []
        guard row.count == 4, let role = row[0] else { return nil }
        if row[1] != "t" {
            return
                "the role \(role) may not create a database for the copy: ALTER ROLE \(Self.dialect.quoted(role)) CREATEDB"
        }
        if let servers = row[2] {
            return "the database has foreign servers (\(servers)), through which the copy would reach other databases"
        }
        return row[3] == "t" ? "the database has dblink, through which the copy would reach other databases" : nil
    }

    func makeCopy(
        _ order: CopyOrder, in directory: borrowing Directory, onProgress: (String) -> Void
    ) throws(SQLError) -> DatabaseCopy {
        try checkLimit(order)
        try query(try creation(of: order.name), [])
        let begun = ContinuousClock.now
        let dump = try backUp(to: directory, as: "dump", onUnchecked: { _ in }, onProgress: onProgress)
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        let doing = "make the copy \"\(order.name)\" of the database \"\(database.url)\""
        try run(
            [
                // The role owns all of the copy, as it cannot give away what others own.
                "pg_restore", "--no-password", "--no-owner", "--no-acl", "--no-comments",
                "--no-publications", "--no-subscriptions", "--no-security-labels", "--exit-on-error",
                "--dbname=\(conninfo(database: order.name))", dump.name,
            ], doing, in: try place(directory), output: nil, onProgress)
        try repeatSettings(in: order.name)
        do throws(FileError) { try directory.remove(dump.name) } catch { throw SQLError(.io, doing, "\(error)") }
        guard let reference = order.live.named(database: order.name) else {
            throw SQLError(.database, doing, "its URL names no database that could be replaced")
        }
        return DatabaseCopy(reference: reference, login: .same, seconds: seconds)
    }

    /// With the live one's encoding and order of texts.
    private func creation(of name: String) throws(SQLError) -> String {
        let row =
            try query(
                """
                SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, pg_catalog.to_jsonb(d)->>'datlocprovider',
                    coalesce(pg_catalog.to_jsonb(d)->>'datlocale', pg_catalog.to_jsonb(d)->>'daticulocale')
                FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()
                """, []
            ).first ?? []
        guard row.count == 5 else { return "CREATE DATABASE \(Self.dialect.quoted(name)) TEMPLATE template0" }
        func literal(_ text: String?) -> String { "'\((text ?? "").replacing("'", with: "''"))'" }
        let provider = row[3] == "i" ? " LOCALE_PROVIDER icu ICU_LOCALE \(literal(row[4]))" : ""
        return "CREATE DATABASE \(Self.dialect.quoted(name)) TEMPLATE template0 ENCODING \(literal(row[0])) "
            + "LC_COLLATE \(literal(row[1])) LC_CTYPE \(literal(row[2]))\(provider)"
    }

    /// What ALTER DATABASE … SET has set is in no dump of one database.
    private func repeatSettings(in name: String) throws(SQLError) {
        let rows = try query(
            """
            SELECT split_part(s, '=', 1), substr(s, position('=' in s) + 1) FROM pg_catalog.pg_db_role_setting r
            JOIN pg_catalog.pg_database d ON d.oid = r.setdatabase, unnest(r.setconfig) s
            WHERE d.datname = pg_catalog.current_database() AND r.setrole = 0
            """, [])
        for row in rows {
            guard let setting = row[0], let value = row[1] else { continue }
            // A list is kept as it is written in SQL.
            let isList = ["search_path", "temp_tablespaces", "datestyle"].contains(setting.lowercased())
            let text = isList ? value : "'\(value.replacing("'", with: "''"))'"
            try query("ALTER DATABASE \(Self.dialect.quoted(name)) SET \(Self.dialect.quoted(setting)) TO \(text)", [])
        }
    }

    func removeCopies(_ order: CopyOrder) throws(SQLError) {
        let names = try query(
            "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.left(datname, ?::integer) = ?",
            ["\(order.prefix.count)", order.prefix]
        ).compactMap { $0[0] }
        for name in names where name.hasPrefix(CopyName.common) {
            try query("DROP DATABASE IF EXISTS \(Self.dialect.quoted(name)) WITH (FORCE)", [])
        }
    }

    /// What belongs to the whole server, or goes to files and other servers.
    static func outreach(of script: SQLScript) -> SQLStatement? {
        let verbs = ["CREATE", "ALTER", "DROP"]
        let things = ["DATABASE", "ROLE", "USER", "GROUP", "TABLESPACE", "SUBSCRIPTION", "SERVER"]
        var phrases = verbs.flatMap { verb in things.map { [verb, $0] } }
        phrases += [
            ["ALTER", "SYSTEM"], ["DROP", "OWNED"], ["REASSIGN", "OWNED"], ["ON", "DATABASE"], ["ON", "ROLE"],
        ]
        phrases += [["ON", "TABLESPACE"], ["FROM", "PROGRAM"], ["TO", "PROGRAM"], ["FOREIGN", "DATA"]]
        phrases += ["DBLINK", "DBLINK_CONNECT", "DBLINK_EXEC", "LO_EXPORT", "PG_TERMINATE_BACKEND"].map { [$0] }
        phrases += ["PG_CANCEL_BACKEND", "PG_RELOAD_CONF", "PG_READ_FILE", "PG_SWITCH_WAL", "POSTGRES_FDW"].map { [$0] }
        if let found = script.firstStatement(saying: phrases) { return found }
        // GRANT ROLE TO ROLE has no ON; COPY … TO 'FILE' is the server's file.
        return script.statements.first { statement in
            let words = statement.text.uppercased().split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { return false }
            if first == "GRANT" || first == "REVOKE" { return !words.contains("ON") }
            guard first == "COPY", let to = words.firstIndex(of: "TO"), to + 1 < words.count else { return false }
            return words[to + 1].hasPrefix("'") || words[to + 1].hasPrefix("E'") || words[to + 1].hasPrefix("$")
        }
    }
}
