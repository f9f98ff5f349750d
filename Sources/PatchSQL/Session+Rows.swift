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
                try readRows(file, name, target, &count)
                try write(
                    StepMarker(
                        run.key, version: run.version, state: .done, job: run.job,
                        statements: count.added + count.changed, total: count.added + count.changed))
            }
        }
        return count
    }

    private func readRows(
        _ file: borrowing File, _ name: String, _ target: RowTarget, _ count: inout RowCount
    ) throws(SQLError) {
        var reader = RowReader(name: name)
        let errors = reader
        var writer: RowWriter?
        var counted = RowCount()
        let onRow = { (line: Int, row: [String?]) throws(SQLError) in
            do throws(RowProblem) {
                if let writer {
                    try self.put(row, writer, &counted)
                } else {
                    writer = try RowWriter(header: row, target, columns: self.columnsOf(target.table), Self.dialect)
                }
            } catch {
                switch error {
                case .file(let cause): throw errors.problem(line, cause)
                case .database(let failure):
                    guard failure.code == .sql else { throw failure }
                    throw errors.problem(line, failure.cause)
                }
            }
        }
        try file.forEachBlock(
            { (block) throws(SQLError) in try reader.read(block, onRow) },
            onError: { SQLError(.io, "load the rows of \(name)", "\($0)") })
        try reader.finish(onRow)
        guard writer != nil else { throw errors.problem(1, "it is empty: the first line names the columns") }
        count = counted
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
            let found = writer.find.isEmpty ? 0 : try query(writer.find, key).count
            switch found {
            case 0:
                try query(writer.insert, row)
                count.added += 1
            case 1:
                if !writer.update.isEmpty { try query(writer.update, writer.settable.map { row[$0] } + key) }
                count.changed += 1
            default: throw SQLError(.sql, "load", "several rows of the table have its key")
            }
        } catch {
            throw .database(error)
        }
    }
}

/// What is wrong with a row.
private enum RowProblem: Error {
    case file(String)
    case database(SQLError)
}

/// The statements that put rows with one header into one table.
private struct RowWriter {
    let header: [String]
    /// The places of the key's columns in a row.
    let keys: [Int]
    /// The places of the columns that may be overwritten.
    let settable: [Int]
    /// Empty where there is no key.
    let find: String
    let insert: String
    /// Empty where nothing may be overwritten.
    let update: String

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
        let quoted = names.map(dialect.quoted)
        let table = dialect.quoted(target.table)
        let condition = keys.map { "\(quoted[$0]) = ?" }.joined(separator: " AND ")
        find = keys.isEmpty ? "" : "SELECT 1 FROM \(table) WHERE \(condition) LIMIT 2"
        insert =
            "INSERT INTO \(table) (\(quoted.joined(separator: ", "))) VALUES "
            + "(\(names.map { _ in "?" }.joined(separator: ", ")))"
        let settings = settable.map { "\(quoted[$0]) = ?" }.joined(separator: ", ")
        update = settable.isEmpty ? "" : "UPDATE \(table) SET \(settings) WHERE \(condition)"
    }

    func key(of row: [String?]) throws(RowProblem) -> [String?] {
        guard row.count == header.count else {
            throw .file("the row has \(row.count) fields, the header \(header.count)")
        }
        if let empty = keys.first(where: { row[$0] == nil }) {
            throw .file("the key's column \"\(header[empty])\" is empty")
        }
        return keys.map { row[$0] }
    }
}
