import PatchModel

/// Keeps newcomers out by a trigger that refuses connections while the lock is shown. Existing connections stay;
/// the owner and SYSDBA come in all the same with a tool that runs no such triggers (`isql -nodbtriggers`).
extension FirebirdSession {
    private static let gate = "patchd_gate"

    func keepNewcomersOut(sparing spare: Set<String>) throws(SQLError) {
        // Only they may make such a trigger, and get in when it is broken.
        guard try isOwner(), address.file == nil else { return }
        try prepareTables()
        try letNewcomersIn()
        try query("CREATE EXCEPTION \(Self.gate) 'This database is being updated.'", [])
        let users = spare.sorted().map { "'\($0.uppercased().replacing("'", with: "''"))'" }
        let isSpared = users.isEmpty ? "" : " AND UPPER(CURRENT_USER) NOT IN (\(users.joined(separator: ", ")))"
        try query(
            """
            CREATE TRIGGER \(Self.gate) ON CONNECT AS
            DECLARE reason varchar(1000) CHARACTER SET UTF8;
            DECLARE program varchar(255);
            BEGIN
              program = COALESCE(RDB$GET_CONTEXT('SYSTEM', 'CLIENT_PROCESS'), '');
              FOR SELECT SUBSTRING(message FROM 1 FOR 1000) FROM patchd_revision WHERE code = 9999 INTO reason DO
                IF (program NOT CONTAINING 'patchd' AND program NOT LIKE '%/gbak'\(isSpared)) THEN
                  EXCEPTION \(Self.gate) reason;
            END
            """, [])
    }

    func letNewcomersIn() throws(SQLError) {
        for (kind, column) in [("TRIGGER", "RDB$TRIGGER"), ("EXCEPTION", "RDB$EXCEPTION")] {
            let found = try query("SELECT 1 FROM \(column)S WHERE \(column)_NAME = ?", [Self.gate.uppercased()])
            if !found.isEmpty { try query("DROP \(kind) \(Self.gate)", []) }
        }
    }

    private func isOwner() throws(SQLError) -> Bool {
        try !query("SELECT 1 FROM MON$DATABASE WHERE CURRENT_USER IN (MON$OWNER, 'SYSDBA')", []).isEmpty
    }
}
