import PatchModel

/// Rows that are added many at a time. Those that have a key are looked for one by one.
final class MariaDBRowBulk: RowBulk {
    /// Bytes of one statement; the server takes 1 MiB at least unless an admin has set less.
    private static let size = 256 << 10
    private static let rows = 1000

    private let session: MariaDBSession
    private let writer: RowWriter
    private let start: String
    private var statement = ""
    private var waiting = 0
    private var count = RowCount()

    init(_ session: MariaDBSession, _ writer: RowWriter) {
        self.session = session
        self.writer = writer
        start = "INSERT INTO \(writer.table) (\(writer.quoted.joined(separator: ", "))) VALUES "
    }

    func put(_ row: [String?], key: [String?]) throws(SQLError) {
        // One that is still waiting is not found, and refused by the unique index when it comes again.
        let found = key.isEmpty ? 0 : try session.query(writer.findTwo, key).count
        guard found < 2 else { throw SQLError(.sql, "load", RowWriter.several) }
        if found == 1 {
            if !writer.update.isEmpty { try session.query(writer.update, writer.settable.map { row[$0] } + key) }
            count.changed += 1
            return
        }
        let values = row.map { $0.map(MariaDBLiteral.literal) ?? "NULL" }.joined(separator: ", ")
        if waiting >= Self.rows || statement.utf8.count + values.utf8.count > Self.size { try send() }
        statement += statement.isEmpty ? "\(start)(\(values))" : ", (\(values))"
        waiting += 1
        count.added += 1
    }

    private func send() throws(SQLError) {
        if statement.isEmpty { return }
        // The text is too long to be named where it fails.
        try session.translating("load rows into \(writer.name)") { () throws(MariaDBFailure) in
            _ = try session.connection.run(statement)
        }
        (statement, waiting) = ("", 0)
    }

    func finish() throws(SQLError) -> RowCount {
        try send()
        return count
    }
}

extension MariaDBSession: BulkSession {
    /// What fails has to be taken back whole, and several rows at once must not have weaker rules than one: without a
    /// strict mode a NULL is no error there.
    func bulk(_ writer: RowWriter) throws(SQLError) -> (any RowBulk)? {
        let mode = try query("SELECT @@SESSION.sql_mode", []).first?.first.flatMap { $0 } ?? ""
        guard mode.contains("STRICT_TRANS_TABLES") || mode.contains("STRICT_ALL_TABLES") else { return nil }
        let (schema, table) = (database.address.database, writer.name)
        let isPlain = try query(
            """
            SELECT 1 FROM information_schema.tables t
            JOIN information_schema.engines e ON e.engine = t.engine AND e.transactions = 'YES'
            WHERE t.table_schema = ? AND t.table_name = ? AND t.table_type = 'BASE TABLE' AND NOT EXISTS (
                SELECT 1 FROM information_schema.triggers WHERE event_object_schema = ? AND event_object_table = ?)
            """, [schema, table, schema, table])
        if isPlain.isEmpty { return nil }
        if !writer.keys.isEmpty, try !hasUniqueIndex(writer) { return nil }
        return MariaDBRowBulk(self, writer)
    }

    /// Whether no two rows can have the same key.
    private func hasUniqueIndex(_ writer: RowWriter) throws(SQLError) -> Bool {
        let rows = try query(
            """
            SELECT index_name, column_name, sub_part FROM information_schema.statistics
            WHERE table_schema = ? AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index
            """, [database.address.database, writer.name])
        let key = Set(writer.keys.map { writer.header[$0].lowercased() })
        let indexes = Dictionary(grouping: rows) { $0[0] ?? "" }.values
        return indexes.contains { columns in
            columns.allSatisfy { $0[2] == nil } && Set(columns.compactMap { $0[1]?.lowercased() }) == key
        }
    }
}
