import PatchModel

/// Rows that go into a temporary table by `COPY`, as the texts that they are, and from there into theirs in the order of the
/// file.
final class PostgreSQLRowBulk: RowBulk {
    private static let name = "pg_temp.patchd_bulk"
    /// Bytes that are sent at once.
    private static let size = 1 << 20

    private let session: PostgreSQLSession
    private let writer: RowWriter
    /// The column of the temporary table at each place of the header, as a value of its target's type. Without the type's
    /// length: what is too long is to be refused, not cut.
    private let values: [String]
    private var data: [UInt8] = []
    private var count = 0

    /// - Parameter types: of the columns of the header.
    init(_ session: PostgreSQLSession, _ writer: RowWriter, types: [String]) throws(SQLError) {
        self.session = session
        self.writer = writer
        values = types.enumerated().map { "r.c\($0.offset)::\($0.element)" }
        let columns = types.indices.map { "c\($0) text" }.joined(separator: ", ")
        try session.query("CREATE TEMPORARY TABLE patchd_bulk (n bigint, \(columns)) ON COMMIT DROP", [])
    }

    func put(_ row: [String?], key: [String?]) throws(SQLError) {
        data += "\(count)".utf8
        for value in row {
            data.append(UInt8(ascii: "\t"))
            if let value { append(value) } else { data += "\\N".utf8 }
        }
        data.append(UInt8(ascii: "\n"))
        count += 1
        if data.count >= Self.size { try send() }
    }

    private func append(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): data += "\\\\".utf8
            case UInt8(ascii: "\n"): data += "\\n".utf8
            case UInt8(ascii: "\r"): data += "\\r".utf8
            case UInt8(ascii: "\t"): data += "\\t".utf8
            default: data.append(byte)
            }
        }
    }

    private func send() throws(SQLError) {
        if data.isEmpty { return }
        try session.copy(data, "COPY \(Self.name) FROM stdin")
        data.removeAll(keepingCapacity: true)
    }

    func finish() throws(SQLError) -> RowCount {
        try send()
        try session.query("ANALYZE \(Self.name)", [])
        let columns = writer.quoted.joined(separator: ", ")
        let insert =
            "INSERT INTO \(writer.table) (\(columns)) SELECT \(values.joined(separator: ", ")) FROM \(Self.name) r"
        guard !writer.keys.isEmpty else {
            try session.query("\(insert) ORDER BY r.n", [])
            return RowCount(added: count)
        }
        let condition = writer.keys.map { "t.\(writer.quoted[$0]) = \(values[$0])" }.joined(separator: " AND ")
        try refuse("\(Self.name) r GROUP BY \(writer.keys.map { values[$0] }.joined(separator: ", "))")
        try refuse("\(Self.name) r JOIN \(writer.table) t ON \(condition) GROUP BY r.n")
        let changed = try number("SELECT count(*) FROM \(Self.name) r JOIN \(writer.table) t ON \(condition)")
        // First those that are there: the added ones would be found by their key as well.
        if !writer.settable.isEmpty {
            let settings = writer.settable.map { "\(writer.quoted[$0]) = \(values[$0])" }.joined(separator: ", ")
            try session.query("UPDATE \(writer.table) t SET \(settings) FROM \(Self.name) r WHERE \(condition)", [])
        }
        try session.query(
            "\(insert) WHERE NOT EXISTS (SELECT 1 FROM \(writer.table) t WHERE \(condition)) ORDER BY r.n", [])
        return RowCount(added: count - changed, changed: changed)
    }

    /// What is there more than once has an outcome that depends on the order.
    private func refuse(_ groups: String) throws(SQLError) {
        guard try session.query("SELECT 1 FROM \(groups) HAVING count(*) > 1 LIMIT 1", []).isEmpty else {
            throw SQLError(.sql, "load", "several rows have one key")
        }
    }

    private func number(_ query: String) throws(SQLError) -> Int {
        try session.query(query, []).first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
    }
}

extension PostgreSQLSession: BulkSession {
    /// Triggers and rules of the table may see whether rows come one by one.
    func bulk(_ writer: RowWriter) throws(SQLError) -> (any RowBulk)? {
        let isPlain = try query(
            """
            SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(?) AND c.relkind = 'r'
            AND NOT c.relhasrules AND NOT c.relhassubclass AND NOT EXISTS (
                SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
            """, [writer.table])
        if isPlain.isEmpty { return nil }
        var types: [String: String] = [:]
        let rows = try query(
            """
            SELECT attname, pg_catalog.format_type(atttypid, -1) FROM pg_catalog.pg_attribute
            WHERE attrelid = pg_catalog.to_regclass(?) AND attnum > 0 AND NOT attisdropped
            """, [writer.table])
        for row in rows { if let name = row[0], let type = row[1] { types[name] = type } }
        let own = writer.header.compactMap { types[$0] }
        guard own.count == writer.header.count else { return nil }
        return try PostgreSQLRowBulk(self, writer, types: own)
    }
}
