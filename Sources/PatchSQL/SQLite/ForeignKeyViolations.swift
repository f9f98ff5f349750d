import CSQLite

/// How a database keeps its foreign keys: compared before and after a script that switched their check off, so that only
/// what the script did counts.
struct ForeignKeyViolations {
    /// The rows of one table that refer to nothing in one other.
    private struct Rows {
        var count = 0
        /// By what a row refers to, how many do; nil where they are too many to be compared, or cannot be told apart.
        var values: [String: Int]? = [:]

        /// Whether some row refers to nothing that did not before. A number alone would not show it where others were put right.
        func hasNew(since before: Rows?) -> Bool {
            guard let before else { return true }
            if count > before.count { return true }
            guard let values, let known = before.values else { return false }
            return values.contains { value, count in count > known[value] ?? 0 }
        }
    }

    /// A table, and the one that it refers to.
    private struct Pair: Hashable {
        var table: String
        var parent: String
    }

    private var rows: [Pair: Rows] = [:]
    /// Why SQLite cannot check a table: a mismatch of its keys, a collation of the application's own.
    private var unchecked: [String: String] = [:]

    /// More different values of one key are only counted.
    private static let mostValues = 10_000

    /// Looks at each table by itself: one that cannot be checked must not keep the others from it.
    init(of connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        for table in try connection.tables() {
            do throws(SQLiteFailure) {
                var found: [Pair: [Int: Int]] = [:]
                try connection.run("PRAGMA foreign_key_check(\(SQLDialect.sqlite.quoted(table)))") { row in
                    let texts = row.texts
                    let pair = Pair(table: texts[0] ?? table, parent: texts[2] ?? "?")
                    found[pair, default: [:]][texts[3].flatMap { Int($0) } ?? -1, default: 0] += 1
                }
                for (pair, keys) in found { rows[pair] = Self.rows(of: pair.table, keys, connection) }
            } catch {
                guard error.primary == SQLITE_ERROR else { throw error }
                unchecked[table] = error.message
            }
        }
    }

    /// - Parameter keys: by foreign key of the table, how many rows break it.
    private static func rows(of table: String, _ keys: [Int: Int], _ connection: borrowing SQLiteConnection) -> Rows {
        var rows = Rows()
        for (key, count) in keys {
            rows.count += count
            guard let values = try? Self.values(of: key, in: table, connection), values.values.reduce(0, +) == count
            else {
                // No rowid, or a function of the application's own.
                rows.values = nil
                continue
            }
            rows.values?.merge(values, uniquingKeysWith: +)
        }
        return rows
    }

    private static func values(
        of key: Int, in table: String, _ connection: borrowing SQLiteConnection
    ) throws(SQLiteFailure) -> [String: Int] {
        let name = SQLDialect.sqlite.quoted(table)
        let columns = try connection.rows("PRAGMA foreign_key_list(\(name))").filter { $0[0] == "\(key)" }
            .compactMap { $0[3] }
        let shown = columns.map { "substr(quote(t.\(SQLDialect.sqlite.quoted($0))), 1, 200)" }.joined(
            separator: "||','||")
        let literal = "'" + table.replacing("'", with: "''") + "'"
        var values: [String: Int] = [:]
        // A rebuilt table has other row numbers, and the same values.
        try connection.run(
            """
            SELECT \(shown.isEmpty ? "''" : shown), count(*) FROM pragma_foreign_key_check(\(literal)) AS v
            JOIN \(name) AS t ON t._rowid_ = v.rowid WHERE v.fkid = \(key) GROUP BY 1 LIMIT \(mostValues + 1)
            """
        ) { row in
            let texts = row.texts
            values["\(columns.joined(separator: ",")) \(texts[0] ?? "")"] = texts[1].flatMap { Int($0) } ?? 0
        }
        return values.count > mostValues ? [:] : values
    }

    /// What is worse than before; empty where nothing is. A mismatch that came about counts: every later write to that
    /// table would fail.
    func worse(than before: ForeignKeyViolations) -> [String] {
        let mismatches = unchecked.filter {
            before.unchecked[$0.key] == nil && $0.value.contains("foreign key mismatch")
        }
        let more = rows.filter { pair, rows in
            before.unchecked[pair.table] == nil && rows.hasNew(since: before.rows[pair])
        }
        let pairs = more.keys.map { "\($0.table) to \($0.parent)" }.sorted().joined(separator: ", ")
        return (pairs.isEmpty ? [] : ["rows that refer to nothing: \(pairs)"]) + mismatches.values.sorted()
    }
}
