import CSQLite

/// The last few prepared statements of one connection, so that a statement that is run for each of many rows is prepared
/// once.
final class PreparedStatements {
    private var statements: [String: OpaquePointer] = [:]

    /// How many are kept; a load needs four.
    private static let limit = 16

    /// A statement, ready to be bound; nil where it cannot be prepared, which the connection has the error of.
    func statement(_ text: String, _ connection: OpaquePointer) -> OpaquePointer? {
        if let statement = statements[text] { return statement }
        if statements.count >= Self.limit { clear() }
        var statement: OpaquePointer?
        sqlite3_prepare_v2(connection, text, -1, &statement, nil)
        statements[text] = statement
        return statement
    }

    /// Before the connection is closed.
    func clear() {
        for statement in statements.values { sqlite3_finalize(statement) }
        statements = [:]
    }
}
