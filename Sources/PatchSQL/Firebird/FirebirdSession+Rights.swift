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
}
