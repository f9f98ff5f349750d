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
        try patiently(tryAgain) { () throws(SQLError) in
            try keepOthersOut()
            try prepareTables()
        }
        if let state = try marker(of: run.key)?.state, state == .done || state == .assumed { return nil }
        var count = RowCount()
        var mayBeBulk = true
        try patiently(tryAgain) { () throws(SQLError) in
            if mayBeBulk, let all = try loadInBulk(file, name, target, run) {
                count = all
                return
            }
            mayBeBulk = false
            count = RowCount()
            try transaction { () throws(SQLError) in
                try forEachRow(file, name, target) { (row, writer) throws(RowProblem) in
                    try put(row, writer, &count)
                }
                try note(count, run)
            }
        }
        return count
    }

    /// Loads all rows with few statements, where the database can.
    ///
    /// - Returns: nil where it cannot, and where something is wrong: then nothing is loaded, and one by one the rows show
    ///   which it is, or load all the same.
    private func loadInBulk(
        _ file: borrowing File, _ name: String, _ target: RowTarget, _ run: ScriptRun
    ) throws(SQLError) -> RowCount? {
        guard let session = self as? any BulkSession else { return nil }
        var count: RowCount?
        do throws(SQLError) {
            try transaction { () throws(SQLError) in
                var bulk: (any RowBulk)?
                try forEachRow(file, name, target) { (row, writer) throws(RowProblem) in
                    let key = try writer.key(of: row)
                    do throws(SQLError) {
                        if bulk == nil { bulk = try session.bulk(writer) }
                        guard let bulk else { throw SQLError(.sql, "load", "they go in one by one") }
                        try bulk.put(row, key: key)
                    } catch {
                        throw .database(error)
                    }
                }
                count = try bulk?.finish()
                if let count { try note(count, run) }
            }
        } catch {
            guard error.code == .sql else { throw error }
            return nil
        }
        return count
    }

    private func note(_ count: RowCount, _ run: ScriptRun) throws(SQLError) {
        let all = count.added + count.changed
        try write(
            StepMarker(run.key, version: run.version, state: .done, job: run.job, statements: all, total: all))
    }

    /// Whether the table is already as ``load(_:name:into:as:tryAgain:)`` would have it: with a key it has every row, but
    /// for the columns to preserve; without one it has these rows and no others. Nothing is written to the database.
    ///
    /// - Throws: as loading does: what is wrong with the file shows before anything is loaded, and so does a row that
    ///   breaks a rule that concerns it alone, such as NOT NULL.
    public func has(_ file: borrowing File, name: String, in target: RowTarget) throws(SQLError) -> Bool {
        var comparison = RowComparison(trial: try trial(of: target.table))
        defer { if comparison.hasCopy { _ = try? query("DROP TABLE \(RowWriter.copy)", []) } }
        try forEachRow(file, name, target) { (row, writer) throws(RowProblem) in
            let key = try writer.key(of: row)
            var problem: String?
            do throws(SQLError) {
                problem = try compare(row, key, writer, &comparison)
            } catch {
                // What the database cannot compare (with an application-defined collation, for example) is not equal.
                guard error.code == .sql else { throw .database(error) }
                comparison.isSame = false
            }
            if let problem { throw .file(problem) }
        }
        for difference in comparison.differences where comparison.isSame {
            comparison.isSame = try query(difference, []).isEmpty
        }
        return comparison.isSame
    }

    /// - Returns: what is wrong with the row.
    private func compare(
        _ row: [String?], _ key: [String?], _ writer: RowWriter, _ comparison: inout RowComparison
    ) throws(SQLError) -> String? {
        let found = key.isEmpty ? [] : try query(writer.current, key)
        if found.count > 1 { return RowWriter.several }
        if let problem = writer.problem(with: row, current: found.first, key: key, in: comparison.trial) {
            return problem
        }
        guard comparison.isSame else { return nil }
        if !key.isEmpty {
            let (condition, values) = writer.condition(for: row)
            comparison.isSame = !found.isEmpty
            if comparison.isSame, !condition.isEmpty {
                comparison.isSame = try !query("\(writer.find) AND \(condition)", key + values).isEmpty
            }
        } else if writer.settable.isEmpty || !Self.dialect.hasTemporaryCopies {
            comparison.isSame = false
        } else {
            if !comparison.hasCopy {
                try query(writer.makeCopy, [])
                comparison.hasCopy = true
                comparison.differences = [writer.countDifference, writer.difference]
            }
            try query(writer.copy, writer.settable.map { row[$0] })
        }
        return nil
    }

    private func isThere(_ key: [String?], _ writer: RowWriter) throws(SQLError) -> Bool {
        let found = try query(writer.findTwo, key).count
        guard found < 2 else { throw SQLError(.sql, "load", RowWriter.several) }
        return found == 1
    }

    private func forEachRow(
        _ file: borrowing File, _ name: String, _ target: RowTarget,
        _ body: ([String?], RowWriter) throws(RowProblem) -> Void
    ) throws(SQLError) {
        var writer: RowWriter?
        try RowReader.readAll(file, name: name) { (row) throws(RowProblem) in
            if let writer { return try body(row, writer) }
            writer = try self.writer(header: row, target)
        }
    }

    private func writer(header: [String?], _ target: RowTarget) throws(RowProblem) -> RowWriter {
        var target = target
        let found: [String]
        do throws(SQLError) {
            found = try columns(of: target.table)
            target.table = try name(ofTable: target.table)
        } catch {
            throw .database(error)
        }
        return try RowWriter(header: header, target, columns: found, Self.dialect)
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

/// How far a file and its table have been compared.
private struct RowComparison {
    /// Where its rows are tried.
    let trial: (any RowTrial)?
    var isSame = true
    /// Whether the rows are collected in a temporary table, because they have no key.
    var hasCopy = false
    /// What finds a difference between that and the table.
    var differences: [String] = []

    init(trial: (any RowTrial)?) { self.trial = trial }
}
