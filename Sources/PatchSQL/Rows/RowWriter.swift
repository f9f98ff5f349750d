/// The statements that put rows with one header into one table.
struct RowWriter {
    let header: [String]
    /// The places of the key's columns in a row.
    let keys: [Int]
    /// The places of the columns that may be overwritten.
    let settable: [Int]
    /// Finds a row by its key.
    let find: String
    /// The same, two at the most.
    let findTwo: String
    /// The whole row, and one more.
    let current: String
    /// Adds a whole row.
    let insertWhole: String
    let insert: String
    /// Empty where nothing may be overwritten.
    let update: String
    /// The table's name.
    let name: String
    /// The same in quotes.
    let table: String
    /// The columns of the header in quotes.
    let quoted: [String]
    private let dialect: SQLDialect

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
        name = target.table
        table = dialect.quoted(target.table)
        self.dialect = dialect
        let (quoted, table) = (quoted, table)
        let condition = keys.map { "\(quoted[$0]) = ?" }.joined(separator: " AND ")
        find = "SELECT 1 FROM \(table) WHERE \(condition)"
        findTwo = "\(find) \(dialect.rowLimit) 2"
        let all = columns.map(dialect.quoted)
        current = "SELECT \(all.joined(separator: ", ")) FROM \(table) WHERE \(condition) \(dialect.rowLimit) 2"
        insertWhole =
            "INSERT INTO \(table) (\(all.joined(separator: ", "))) VALUES (\(all.map { _ in "?" }.joined(separator: ", ")))"
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

    /// The rule of the table that a row breaks; nil for none.
    ///
    /// - Parameter current: the row that it changes; nil where it is added.
    func problem(with row: [String?], current: [String?]?, key: [String?], in trial: (any RowTrial)?) -> String? {
        guard let trial else { return nil }
        trial.start()
        guard let current else { return trial.problem(with: insert, row) }
        // A row that already breaks a rule is not this file's fault.
        guard !update.isEmpty, trial.problem(with: insertWhole, current) == nil else { return nil }
        return trial.problem(with: update, settable.map { row[$0] } + key)
    }

    /// The cause where a key matches more than one row.
    static let several = "several rows of the table have its key"

    // MARK: Comparing

    /// That the columns which may be overwritten have a row's values already.
    func condition(for row: [String?]) -> (text: String, values: [String?]) {
        let terms = settable.map { row[$0] == nil ? "\(quoted[$0]) IS NULL" : dialect.isExactly(quoted[$0], of: table) }
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
            let columns = settable.map { dialect.exactly(quoted[$0]) }.joined(separator: ", ")
            return "SELECT \(columns), count(*) FROM \(name) GROUP BY \(columns)"
        }
        return "\(counted(table)) EXCEPT \(counted(Self.copy)) LIMIT 1"
    }
}
