public import PatchFiles
import PatchModel

/// Where the rows of a CSV file go.
public struct RowTarget: Hashable, Sendable {
    /// The table.
    public var table: String
    /// The columns that tell rows apart: one with the same key is changed, another is added. None: all are added.
    public var key: [String]
    /// Columns that are the folder's own settings: filled in where a row is added, never overwritten.
    public var preserve: [String]

    /// A target from its parts.
    public init(table: String, key: [String] = [], preserve: [String] = []) {
        self.table = table
        self.key = key
        self.preserve = preserve
    }
}

/// What became of the rows of a file.
public struct RowCount: Hashable, Sendable {
    /// Rows added.
    public var added = 0
    /// Rows whose key was there.
    public var changed = 0
}

extension Session {
    /// Loads the rows of a CSV file (RFC 4180 with a header; an empty field that is not quoted is NULL) in one
    /// transaction, together with the record of it.
    ///
    /// - Parameter name: the file's, for messages.
    /// - Returns: nil when it is recorded as done: rows without a key are never added twice.
    /// - Throws: with the code `sql`, line and cause: a column that the table does not have, a broken quote, a wrong
    ///   number of fields, a row that breaks a rule of the table. Nothing is loaded then.
    @discardableResult
    public func load(
        _ file: borrowing File, name: String, into target: RowTarget, as run: ScriptRun,
        tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws(SQLError) -> RowCount? {
        try patiently(tryAgain) { () throws(SQLError) in try prepareTables() }
        if let state = try marker(of: run.key)?.state, state == .done || state == .assumed { return nil }
        var count = RowCount()
        try patiently(tryAgain) { () throws(SQLError) in
            count = RowCount()
            try transaction { () throws(SQLError) in
                try forEachRow(file, name, target) { (row, writer) throws(RowProblem) in
                    try put(row, writer, &count)
                }
                try write(
                    StepMarker(
                        run.key, version: run.version, state: .done, job: run.job,
                        statements: count.added + count.changed, total: count.added + count.changed))
            }
        }
        return count
    }

    /// Whether the table is already as ``load(_:name:into:as:tryAgain:)`` would have it: with a key it has every row, but
    /// for the columns to preserve; without one it has these rows and no others. Nothing is written to the database.
    ///
    /// - Throws: as loading does: what is wrong with the file shows before anything is loaded.
    public func has(_ file: borrowing File, name: String, in target: RowTarget) throws(SQLError) -> Bool {
        var isSame = true
        var all: [String]?
        defer { if all != nil { _ = try? query("DROP TABLE \(RowWriter.copy)", []) } }
        try forEachRow(file, name, target) { (row, writer) throws(RowProblem) in
            let key = try writer.key(of: row)
            if !isSame { return }
            do throws(SQLError) {
                if !key.isEmpty {
                    isSame = try has(row, key, writer)
                    return
                }
                if writer.settable.isEmpty {
                    isSame = false
                    return
                }
                if all == nil {
                    try query(writer.makeCopy, [])
                    all = [writer.countDifference, writer.difference]
                }
                try query(writer.copy, writer.settable.map { row[$0] })
            } catch {
                throw .database(error)
            }
        }
        for difference in all ?? [] where isSame { isSame = try query(difference, []).isEmpty }
        return isSame
    }

    private func has(_ row: [String?], _ key: [String?], _ writer: RowWriter) throws(SQLError) -> Bool {
        guard try isThere(key, writer) else { return false }
        let (condition, values) = writer.condition(for: row)
        if condition.isEmpty { return true }
        return try !query("\(writer.find) AND \(condition)", key + values).isEmpty
    }

    private func isThere(_ key: [String?], _ writer: RowWriter) throws(SQLError) -> Bool {
        let found = try query("\(writer.find) LIMIT 2", key).count
        guard found < 2 else { throw SQLError(.sql, "load", "several rows of the table have its key") }
        return found == 1
    }

    private func forEachRow(
        _ file: borrowing File, _ name: String, _ target: RowTarget,
        _ body: ([String?], RowWriter) throws(RowProblem) -> Void
    ) throws(SQLError) {
        var writer: RowWriter?
        try RowReader.readAll(file, name: name) { (row) throws(RowProblem) in
            if let writer { return try body(row, writer) }
            writer = try RowWriter(header: row, target, columns: self.columnsOf(target.table), Self.dialect)
        }
    }

    private func columnsOf(_ table: String) throws(RowProblem) -> [String] {
        do throws(SQLError) {
            return try columns(of: table)
        } catch {
            throw .database(error)
        }
    }

    private func put(_ row: [String?], _ writer: RowWriter, _ count: inout RowCount) throws(RowProblem) {
        let key = try writer.key(of: row)
        do throws(SQLError) {
            if !key.isEmpty, try isThere(key, writer) {
                if !writer.update.isEmpty { try query(writer.update, writer.settable.map { row[$0] } + key) }
                count.changed += 1
            } else {
                try query(writer.insert, row)
                count.added += 1
            }
        } catch {
            throw .database(error)
        }
    }
}

/// The statements that put rows with one header into one table.
private struct RowWriter {
    let header: [String]
    /// The places of the key's columns in a row.
    let keys: [Int]
    /// The places of the columns that may be overwritten.
    let settable: [Int]
    /// Finds a row by its key.
    let find: String
    let insert: String
    /// Empty where nothing may be overwritten.
    let update: String
    private let table: String
    private let quoted: [String]
    private let exact: String

    init(
        header: [String?], _ target: RowTarget, columns: [String], _ dialect: SQLDialect
    ) throws(RowProblem) {
        guard !columns.isEmpty else { throw .file("there is no table \(target.table)") }
        var names: [String] = []
        for name in header {
            // To SQL, PAYCODE and paycode are one column.
            guard let name, let column = columns.first(where: { $0.lowercased() == name.lowercased() }) else {
                let known = columns.joined(separator: ", ")
                throw .file(
                    "the table \(target.table) has no column \"\(name ?? "")\"; it has \(known)"
                )
            }
            guard !names.contains(column) else { throw .file("the column \"\(column)\" is named twice") }
            names.append(column)
        }
        func places(_ wanted: [String]) -> [Int?] {
            wanted.map { name in names.firstIndex { $0.lowercased() == name.lowercased() } }
        }
        for (name, place) in zip(target.key, places(target.key)) where place == nil {
            throw .file("the column \"\(name)\" of the key is not in the header")
        }
        self.header = names
        let keys = places(target.key).compactMap { $0 }
        let kept = Set(keys + places(target.preserve).compactMap { $0 })
        let settable = names.indices.filter { !kept.contains($0) }
        self.keys = keys
        self.settable = settable
        quoted = names.map(dialect.quoted)
        table = dialect.quoted(target.table)
        exact = dialect.exact
        let (quoted, table) = (quoted, table)
        let condition = keys.map { "\(quoted[$0]) = ?" }.joined(separator: " AND ")
        find = "SELECT 1 FROM \(table) WHERE \(condition)"
        insert =
            "INSERT INTO \(table) (\(quoted.joined(separator: ", "))) VALUES "
            + "(\(names.map { _ in "?" }.joined(separator: ", ")))"
        let settings = settable.map { "\(quoted[$0]) = ?" }.joined(separator: ", ")
        update = settable.isEmpty ? "" : "UPDATE \(table) SET \(settings) WHERE \(condition)"
    }

    func key(of row: [String?]) throws(RowProblem) -> [String?] {
        try RowReader.check(row, fields: header.count)
        if let empty = keys.first(where: { row[$0] == nil }) {
            throw .file("the key's column \"\(header[empty])\" is empty")
        }
        return keys.map { row[$0] }
    }
    // MARK: Comparing

    /// That the columns which may be overwritten have a row's values already.
    func condition(for row: [String?]) -> (text: String, values: [String?]) {
        let terms = settable.map { row[$0] == nil ? "\(quoted[$0]) IS NULL" : "\(quoted[$0]) = ?\(exact)" }
        return (terms.joined(separator: " AND "), settable.map { row[$0] }.filter { $0 != nil })
    }

    /// A temporary table: values that went through columns of the same types can be compared as a whole, and sorting
    /// them once takes less time than looking for each.
    static let copy = "patchd_rows"

    private var compared: String { settable.map { quoted[$0] }.joined(separator: ", ") }

    var makeCopy: String { "CREATE TEMPORARY TABLE \(Self.copy) AS SELECT \(compared) FROM \(table) WHERE 1 = 0" }

    var copy: String { "INSERT INTO \(Self.copy) VALUES (\(settable.map { _ in "?" }.joined(separator: ", ")))" }

    /// A row where the numbers of rows differ, and none where they do not.
    var countDifference: String {
        "SELECT 1 WHERE (SELECT count(*) FROM \(table)) <> (SELECT count(*) FROM \(Self.copy))"
    }

    /// A row of the table that the copy has not, or not as often; where both have as many rows, that is all.
    var difference: String {
        func counted(_ name: String) -> String {
            let columns = settable.map { quoted[$0] + exact }.joined(separator: ", ")
            return "SELECT \(columns), count(*) FROM \(name) GROUP BY \(columns)"
        }
        return "\(counted(table)) EXCEPT \(counted(Self.copy)) LIMIT 1"
    }
}
