import CSQLite

/// How a database keeps its foreign keys: compared before and after a script that switched their check off, so that only
/// what the script did counts.
struct ForeignKeyViolations {
    /// Rows that refer to nothing, by `table to parent`.
    private var rows: [String: Int] = [:]
    /// Why SQLite cannot check a table: a mismatch of its keys, a collation of the application's own.
    private var unchecked: [String: String] = [:]

    /// Looks at each table by itself: one that cannot be checked must not keep the others from it.
    init(of connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        for table in try connection.tables() {
            do throws(SQLiteFailure) {
                try connection.run("PRAGMA foreign_key_check(\(SQLDialect.sqlite.quoted(table)))") { row in
                    let texts = row.texts
                    rows["\(texts[0] ?? table) to \(texts[2] ?? "?")", default: 0] += 1
                }
            } catch {
                guard error.primary == SQLITE_ERROR else { throw error }
                unchecked[table] = error.message
            }
        }
    }

    /// What is worse than before; empty where nothing is. A mismatch that came about counts: every later write to that
    /// table would fail.
    func worse(than before: ForeignKeyViolations) -> [String] {
        let mismatches = unchecked.filter {
            before.unchecked[$0.key] == nil && $0.value.contains("foreign key mismatch")
        }
        let more = rows.filter { pair, count in
            count > before.rows[pair] ?? 0 && !before.unchecked.keys.contains { pair.hasPrefix("\($0) to ") }
        }
        let pairs = more.keys.sorted().joined(separator: ", ")
        return (pairs.isEmpty ? [] : ["rows that refer to nothing: \(pairs)"]) + mismatches.values.sorted()
    }
}
