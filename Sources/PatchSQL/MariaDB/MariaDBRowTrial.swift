import PatchModel

/// An empty temporary table with the same rules as one of the database, and with its name, in front of it on a connection
/// of its own.
final class MariaDBRowTrial: RowTrial {
    private let connection: MariaDBConnection
    private let empty: String

    /// Rules about one row: NOT NULL, no default, CHECK, and a value that is too long, out of range or of the wrong type.
    private static let reported: Set<UInt32> = [1048, 1264, 1265, 1292, 1364, 1366, 1406, 4025]

    /// Nil where the table cannot be made by itself.
    init?(_ database: MariaDBDatabase, table: String, home: String) {
        let name = MariaDBSession.dialect.quoted(table)
        // TRUNCATE would end a transaction.
        empty = "DELETE FROM \(name)"
        guard let open = try? database.connect(lockTimeout: 1) else { return nil }
        do throws(MariaDBFailure) {
            try open.run("CREATE TEMPORARY TABLE patchd_trial LIKE \(home)\(name)")
            try open.run("ALTER TABLE patchd_trial RENAME TO \(name)")
            connection = open
        } catch {
            return nil
        }
    }

    func start() {
        // Fails only where it would have been found empty anyway.
        _ = try? connection.run(empty)
    }

    func problem(with statement: String, _ values: [String?]) -> String? {
        do throws(MariaDBFailure) {
            try connection.run(MariaDBLiteral.bind(statement, values))
            return nil
        } catch {
            return Self.reported.contains(error.number) ? error.message : nil
        }
    }
}

extension MariaDBSession {
    func trial(of table: String) throws(SQLError) -> (any RowTrial)? {
        MariaDBRowTrial(database, table: table, home: home)
    }
}
