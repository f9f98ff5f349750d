import CSQLite

/// An empty table in memory with the same rules as one of the database.
final class SQLiteRowTrial: RowTrial {
    private let connection: SQLiteConnection
    private let empty: String

    /// Rules about one row; whether it is unique depends on the others.
    private static let reported = [1, 5, 12].map { SQLITE_CONSTRAINT | $0 << 8 }  // CHECK, NOT NULL, the type if STRICT

    /// Nil where the table cannot be made by itself.
    init?(table: String, definition: String) {
        empty = "DELETE FROM \(SQLDialect.sqlite.quoted(table))"
        do throws(SQLiteFailure) {
            connection = try SQLiteConnection(
                ":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, lockTimeout: 0)
            try connection.run(definition)
        } catch {
            return nil
        }
    }

    func start() {
        // Fails only where it would have been found empty anyway.
        _ = try? connection.run(empty)
    }

    func problem(with statement: String, _ values: [String?]) -> String? {
        do throws(SQLiteFailure) {
            _ = try connection.rows(statement, values)
            return nil
        } catch {
            return Self.reported.contains(error.code) ? error.message : nil
        }
    }
}
