/// What becomes of each statement of a script on SQLite: a pure decision from its first words.
struct SQLiteStatementPolicy {
    let script: SQLScript

    /// One for each statement.
    var all: [StatementAction] {
        let pair = script.outerTransaction { $0.head.first == "PRAGMA" }
        return script.statements.indices.map { index in
            if pair.contains(index) { return .skip("patchd's own transaction takes its place") }
            return action(of: script.statements[index])
        }
    }

    /// The way out of most refusals.
    private static let noTransaction = "put a line \"-- patchd:transaction none\" into the file to run it without one"

    private func action(of statement: SQLStatement) -> StatementAction {
        switch statement.head.first {
        case "ATTACH", "DETACH":
            return .refuse("it attaches another database", wayOut: "an update's script is about its folder's own one")
        case "VACUUM" where statement.head.contains("INTO"):
            return .refuse("it writes another file", wayOut: "bring files as files of the patch")
        case "PRAGMA" where script.isTransactional && statement.head.contains("WAL_CHECKPOINT"):
            return .skip("it has no place in a transaction; SQLite does it by itself")
        case "PRAGMA": return SQLitePragma(statement).map(action) ?? .run
        case _ where !script.isTransactional: return .run
        case "BEGIN", "COMMIT", "END":
            return .refuse(
                "it says \(statement.head[0]) by itself, but the file and the record of it are one transaction",
                wayOut: "leave it out, or \(Self.noTransaction)")
        // ROLLBACK TO stays within the transaction.
        case "ROLLBACK" where !statement.head.contains("TO"):
            return .refuse("it says ROLLBACK by itself", wayOut: "leave it out, or \(Self.noTransaction)")
        case "VACUUM":
            return .refuse("VACUUM is not possible in a transaction", wayOut: Self.noTransaction)
        default: return .run
        }
    }

    private func action(of pragma: SQLitePragma) -> StatementAction {
        switch pragma.name {
        case "journal_mode" where ["OFF", "MEMORY"].contains(pragma.value):
            return .refuse(
                "with journal_mode \(pragma.value) a crash would leave a broken database", wayOut: "use DELETE or WAL")
        case "synchronous": return .skip("patchd's commits are always durable")
        case "busy_timeout": return .skip("patchd sets how long it waits for a lock")
        case "foreign_keys", "journal_mode", "temp_store": return script.isTransactional ? .hoist : .run
        default: return .run
        }
    }
}
