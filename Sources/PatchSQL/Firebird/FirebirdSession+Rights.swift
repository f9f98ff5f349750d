import PatchModel

extension FirebirdSession {
    /// The database's owner and SYSDBA have all rights; everybody else sees and ends his own sessions only.
    func checkRights() throws(SQLError) -> [String] {
        let rows = try query(
            """
            SELECT TRIM(CURRENT_USER), TRIM(MON$OWNER), TRIM(CURRENT_ROLE),
                (SELECT count(*) FROM RDB$USER_PRIVILEGES WHERE RDB$RELATION_NAME = 'SQL$TABLES'
                    AND RDB$PRIVILEGE = 'C' AND RDB$USER IN (CURRENT_USER, 'PUBLIC'))
            FROM MON$DATABASE
            """, [])
        guard let row = rows.first, let user = row[0] else { return [] }
        if [row[1], "SYSDBA"].contains(user) || row[2] == "RDB$ADMIN" { return [] }
        if row[3] == "0", try columns(of: "patchd_step").isEmpty {
            throw SQLError(
                .database, "keep a record in the database \"\(address.name)\"",
                "the user \(user) may not create tables",
                wayOut: "GRANT CREATE TABLE TO USER \(user), or name the database's owner in \"credentials\"")
        }
        let owner = row[1] ?? "SYSDBA"
        return [
            "the user \(user) sees and ends his own sessions only; name the database's owner, \(owner), or SYSDBA in "
                + "\"credentials\" to see and end all, and to change what others own"
        ]
    }

    /// Changes of a table's columns that Firebird keeps apart, since the database was last restored.
    private static let formats = 255
    /// From this number on it is said.
    private static let manyFormats = 200

    func nearLimits() throws(SQLError) -> [String] {
        let rows = try query(
            """
            SELECT FIRST 20 TRIM(RDB$RELATION_NAME), RDB$FORMAT FROM RDB$RELATIONS
            WHERE COALESCE(RDB$SYSTEM_FLAG, 0) = 0 AND RDB$FORMAT >= \(Self.manyFormats) ORDER BY RDB$FORMAT DESC, 1
            """, [])
        return rows.compactMap { row in
            guard let table = row[0], let used = row[1].flatMap({ Int($0) }) else { return nil }
            return
                "the table \(table) can be altered \(max(0, Self.formats - used)) times more (of \(Self.formats)), then a "
                + "script that does so fails: back up and restore the database \(address.name) with gbak before"
        }
    }
}
