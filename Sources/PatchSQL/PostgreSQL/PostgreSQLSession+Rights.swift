import PatchModel

/// What patchd's role may do, and who may connect meanwhile.
extension PostgreSQLSession {
    func checkRights() throws(SQLError) -> [String] {
        let row =
            try query(
                """
                SELECT current_user, pg_catalog.has_schema_privilege(?, 'CREATE'),
                    pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'), pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
                """, [schema]
            ).first?.map { $0 ?? "" } ?? []
        guard row.count == 4 else { return [] }
        let role = Self.dialect.quoted(row[0])
        let tables = [
            try columns(of: "patchd_step"), try columns(of: "patchd_revision"), try columns(of: "patchd_version"),
        ]
        let hasTables = !tables.contains([])
        guard hasTables || row[1] == "t" else {
            throw SQLError(
                .database, "use the database \"\(database.url)\"",
                "the role \(row[0]) may not create tables in the schema \(schema), where patchd keeps its record",
                wayOut: "GRANT CREATE ON SCHEMA \(Self.dialect.quoted(schema)) TO \(role)")
        }
        var warnings: [String] = []
        if row[2] != "t" {
            warnings.append(
                "the role \(row[0]) may end no sessions of other roles; who is in the way is asked and waited for: "
                    + "GRANT pg_signal_backend TO \(role)")
        }
        if row[3] != "t" {
            warnings.append(
                "the role \(row[0]) does not see what other roles run; who is in the way is named without his statement: "
                    + "GRANT pg_read_all_stats TO \(role)")
        }
        return warnings
    }

    /// Takes the right to connect from all roles but patchd's own, and keeps a list of them in the database, so that it can
    /// be given back after a crash too. Only the database's owner and a superuser can do so; a role that patchd shares with
    /// the application goes on coming in.
    func keepNewcomersOut(sparing spare: Set<String>) throws(SQLError) {
        guard database.server.schema == nil, try mayKeepOut() else { return }
        try query("CREATE TABLE IF NOT EXISTS \(home)patchd_gate (role text PRIMARY KEY)", [])
        let granted = try query(
            """
            SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
            FROM pg_catalog.pg_database d,
                pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
            WHERE d.datname = pg_catalog.current_database() AND a.privilege_type = 'CONNECT'
                AND (a.grantee = 0 OR pg_catalog.pg_get_userbyid(a.grantee) <> current_user)
            """, []
        ).compactMap { $0[0] }
        let out = Set(granted).subtracting(spare.map(Self.dialect.quoted)).subtracting(spare)
        // Who is spared and came in as one of all would be kept out with them.
        if out.isEmpty || out.contains("PUBLIC") && !spare.isEmpty { return }
        try transaction { () throws(SQLError) in
            for role in out.sorted() {
                try query("INSERT INTO \(home)patchd_gate VALUES (?) ON CONFLICT DO NOTHING", [role])
                try query("REVOKE CONNECT ON DATABASE \(try databaseName()) FROM \(role)", [])
            }
        }
    }

    func letNewcomersIn() throws(SQLError) {
        if try columns(of: "patchd_gate").isEmpty { return }
        let roles = try query("SELECT role FROM \(home)patchd_gate ORDER BY role", []).compactMap { $0[0] }
        if roles.isEmpty { return }
        // Everybody who may write to the database can write to the list: no text of it becomes part of a statement unless it is a
        // role's name. A role that was dropped since has nothing to be given back.
        let names = try query("SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles", [])
        let known = Set(names.compactMap { $0[0] } + ["PUBLIC"])
        try transaction { () throws(SQLError) in
            for role in roles where known.contains(role) {
                try query("GRANT CONNECT ON DATABASE \(try databaseName()) TO \(role)", [])
            }
            try query("DELETE FROM \(home)patchd_gate", [])
        }
    }

    private func databaseName() throws(SQLError) -> String {
        try query("SELECT pg_catalog.quote_ident(pg_catalog.current_database())", []).first?.first.flatMap { $0 } ?? ""
    }

    private func mayKeepOut() throws(SQLError) -> Bool {
        try !query(
            """
            SELECT 1 FROM pg_catalog.pg_database d, pg_catalog.pg_roles r WHERE d.datname = pg_catalog.current_database()
            AND r.rolname = current_user AND (r.rolsuper OR d.datdba = r.oid)
            """, []
        ).isEmpty
    }
}
