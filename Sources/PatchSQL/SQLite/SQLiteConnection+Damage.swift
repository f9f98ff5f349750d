import CSQLite

extension SQLiteConnection {
    /// Looks for damage. What SQLite itself runs is none: an application may have collations, functions and modules of
    /// its own, without which SQLite cannot check some tables, and rows that break a rule which was added later.
    ///
    /// - Returns: what could not be checked, and why.
    /// - Throws: with `SQLITE_CORRUPT` what is damaged.
    func findDamage() throws(SQLiteFailure) -> [String] {
        do throws(SQLiteFailure) {
            try findDamage("\(Int32.max)")
            return []
        } catch {
            guard error.primary == SQLITE_ERROR else { throw error }
        }
        var unchecked: [String] = []
        for table in try tables() {
            do throws(SQLiteFailure) {
                try findDamage(SQLDialect.sqlite.quoted(table))
            } catch {
                guard error.primary == SQLITE_ERROR else { throw error }
                unchecked.append("\(table): \(error.message)")
            }
        }
        return unchecked
    }

    /// The names of the tables, without SQLite's own.
    func tables() throws(SQLiteFailure) -> [String] {
        try rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        ).compactMap { $0[0] }
    }

    private func findDamage(_ argument: String) throws(SQLiteFailure) {
        var damage: String?
        try run("PRAGMA quick_check(\(argument))") { row in
            guard damage == nil, let text = row.texts.first ?? nil, text != "ok", !Self.isAboutContent(text) else {
                return
            }
            damage = text
        }
        if let damage { throw SQLiteFailure(code: SQLITE_CORRUPT, message: damage, offset: -1, number: 0) }
    }

    /// Whether a line of quick_check is about a rule of the table, not about the file.
    private static func isAboutContent(_ line: String) -> Bool {
        line.hasPrefix("CHECK constraint failed in ") || line.hasPrefix("NULL value in ")
            || line.hasPrefix("non-") || line.hasPrefix("NUMERIC value in ") || line.hasPrefix("TEXT value in ")
    }
}
