import CFirebird

/// A prepared statement of one connection; freed with its last user.
final class FirebirdStatement {
    /// What a statement does, as Firebird numbers it.
    enum Kind: Int {
        case select = 1
        case insert, update, delete, ddl, getSegment, putSegment, procedure, startTransaction, commit, rollback
        case selectForUpdate, setGenerator, savepoint
    }

    let connection: FirebirdConnection
    private(set) var kind = Kind.ddl
    private var handle: patch_fb_handle = 0
    private var output: FirebirdValues
    private var input: FirebirdValues

    private var library: FirebirdLibrary { connection.library }

    /// Values that are expected at first; more are allocated where there are more.
    private static let usualCount: Int16 = 16
    private static let drop: UInt16 = 2
    private static let close: UInt16 = 1
    /// Returned by a fetch where there is no further row.
    private static let end = 100

    /// Prepares a statement.
    init(_ text: String, _ connection: FirebirdConnection, _ transaction: FirebirdTransaction) throws(FirebirdFailure) {
        self.connection = connection
        output = FirebirdValues(count: Self.usualCount)
        input = FirebirdValues(count: Self.usualCount)
        try connection.call { connection.library.allocate($0, &connection.database, &handle) }
        try connection.call { status in
            // Length 0: it ends with a zero byte, however long it is.
            connection.library.prepare(status, &transaction.handle, &handle, 0, text, connection.dialect, output.row)
        }
        kind = try readKind()
        if output.isTooSmall {
            output = FirebirdValues(count: output.row.pointee.count)
            try connection.call { connection.library.describe($0, &handle, 1, output.row) }
        }
        output.makeRoom()
    }

    deinit { if handle != 0 { connection.ignore { library.free($0, &handle, Self.drop) } } }

    /// Whether it returns rows, which are fetched.
    private var hasCursor: Bool { kind == .select || kind == .selectForUpdate }

    private func readKind() throws(FirebirdFailure) -> Kind {
        let bytes = try info(21)
        return bytes.first == 21 ? Kind(rawValue: FirebirdConnection.number(bytes.dropFirst())) ?? .ddl : .ddl
    }

    private func info(_ item: Int8) throws(FirebirdFailure) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 128)
        try connection.call { status in
            library.statementInfo(status, &handle, 1, [item], Int16(buffer.count), &buffer)
        }
        return buffer.map(UInt8.init(bitPattern:))
    }

    /// Rows inserted, changed or deleted by the last run.
    func changes() throws(FirebirdFailure) -> Int {
        guard [.insert, .update, .delete, .procedure].contains(kind) else { return 0 }
        let bytes = try info(23)
        guard bytes.first == 23 else { return 0 }
        var rest = bytes.dropFirst(3)
        var changes = 0
        while let item = rest.first, item != 1 {
            let number = FirebirdConnection.number(rest.dropFirst())
            if (14...16).contains(item) { changes += number }
            rest = rest.dropFirst(3 + Int(FirebirdConnection.length(rest.dropFirst())))
        }
        return changes
    }

    /// Runs it and hands on each row.
    func run(
        _ values: [String?], in transaction: FirebirdTransaction, onRow: ([String?]) -> Void
    ) throws(FirebirdFailure) {
        if !values.isEmpty { try bind(values, transaction) }
        let given = values.isEmpty ? nil : UnsafePointer(input.row)
        // What returns one row by itself (INSERT … RETURNING) has it at once.
        let isSingle = !hasCursor && output.count > 0
        try connection.call { status in
            library.execute(status, &transaction.handle, &handle, 1, given, isSingle ? output.row : nil)
        }
        if isSingle { onRow(try texts(transaction)) }
        guard hasCursor else { return }
        defer { connection.ignore { library.free($0, &handle, Self.close) } }
        while true {
            let fetched = try connection.result { library.fetch($0, &handle, 1, output.row) }
            if fetched == Self.end { return }
            onRow(try texts(transaction))
        }
    }

    private func bind(_ values: [String?], _ transaction: FirebirdTransaction) throws(FirebirdFailure) {
        if input.count == 0 || input.count != values.count {
            input = FirebirdValues(count: Int16(clamping: values.count))
        }
        // Described anew: what was set before has taken the place of the description.
        try connection.call { library.describeParameters($0, &handle, 1, input.row) }
        guard input.count == values.count, !input.isTooSmall else {
            throw FirebirdFailure("the statement has \(input.count) parameters, not \(values.count)")
        }
        var blobs: [Int: patch_fb_blob_id] = [:]
        for (index, text) in values.enumerated() {
            guard let text else { continue }
            if input.kind(index) == FirebirdValues.Kind.blob {
                blobs[index] = try connection.write(blob: text, transaction)
            } else if text.utf8.count > FirebirdValues.textLimit {
                throw FirebirdFailure("a text of \(text.utf8.count) bytes fits in a blob only")
            }
        }
        input.set(values, blobs: blobs)
    }

    private func texts(_ transaction: FirebirdTransaction) throws(FirebirdFailure) -> [String?] {
        var texts: [String?] = []
        for index in 0..<output.count {
            switch output.kind(index) {
            case FirebirdValues.Kind.blob:
                texts.append(
                    try output.blob(index).map { id throws(FirebirdFailure) in
                        try connection.text(ofBlob: id, transaction)
                    })
            case FirebirdValues.Kind.array: texts.append(output.blob(index) == nil ? nil : "(an array)")
            default: texts.append(output.text(index))
            }
        }
        return texts
    }
}

/// The last few prepared statements of one connection, so that a statement that is run for each of many rows is prepared
/// once.
final class FirebirdStatements {
    private var kept: [String: FirebirdStatement] = [:]

    /// How many are kept; a load needs four.
    private static let limit = 16

    /// The rows of a statement of patchd's own. One with values is kept: it may come again for each row of a file.
    func rows(
        _ text: String, _ values: [String?] = [], on connection: FirebirdConnection, in transaction: FirebirdTransaction
    ) throws(FirebirdFailure) -> [[String?]] {
        var rows: [[String?]] = []
        let statement: FirebirdStatement
        if let known = kept[text] {
            statement = known
        } else {
            statement = try FirebirdStatement(text, connection, transaction)
        }
        if !values.isEmpty {
            if kept.count >= Self.limit { clear() }
            kept[text] = statement
        }
        try statement.run(values, in: transaction) { rows.append($0) }
        return rows
    }

    /// Before the connection ends, and before a table is dropped that one of them names.
    func clear() { kept = [:] }
}
