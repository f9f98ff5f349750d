import PatchModel

/// What becomes of each statement of a script on PostgreSQL: a pure decision from its words.
struct PostgreSQLStatementPolicy {
    let script: SQLScript

    /// One for each statement.
    var all: [StatementAction] {
        let pair = script.outerTransaction { $0.head.first == "SET" }
        return script.statements.indices.map { index in
            pair.contains(index) ? .skip("patchd's own transaction takes its place") : action(at: index)
        }
    }

    private static let noTransaction = "put a line \"-- patchd:transaction none\" into the file to run it without one"

    private func action(at index: Int) -> StatementAction {
        let head = script.statements[index].head
        switch head.first {
        case "SET": return setting(head)
        case "RESET" where head.contains("ALL"), "DISCARD" where head.contains("ALL"):
            return .skip("each script has a session of its own, whose settings are patchd's")
        case "COPY" where script.statements[index].data == nil && head.contains("STDOUT"):
            return .refuse("it writes to a client, and nobody reads that", wayOut: "leave it out")
        case "CREATE" where head.starts(with: ["CREATE", "DATABASE"]),
            "DROP" where head.starts(with: ["DROP", "DATABASE"]):
            return .refuse("an update's script is about its folder's own database", wayOut: "leave it out")
        case _ where !script.isTransactional: return .run
        case "BEGIN", "START", "COMMIT", "END", "ABORT":
            return .refuse(
                "it says \(head[0]) by itself, but the file and the record of it are one transaction",
                wayOut: "leave it out, or \(Self.noTransaction)")
        case "PREPARE" where head.starts(with: ["PREPARE", "TRANSACTION"]):
            return .refuse("it says PREPARE TRANSACTION", wayOut: "leave it out, or \(Self.noTransaction)")
        // ROLLBACK TO stays within the transaction.
        case "ROLLBACK" where !head.contains("TO"):
            return .refuse("it says ROLLBACK by itself", wayOut: "leave it out, or \(Self.noTransaction)")
        default: return isAlone(index) ? .alone : .run
        }
    }

    private func setting(_ head: [String]) -> StatementAction {
        let words = head.dropFirst().filter { !["SESSION", "LOCAL"].contains($0) }
        let value = words.dropFirst().last?.trimmingQuotes.uppercased() ?? ""
        switch words.first {
        case "LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "IDLE_IN_TRANSACTION_SESSION_TIMEOUT":
            return .skip("patchd sets how long is waited")
        case "CLIENT_ENCODING" where !["UTF8", "UTF-8", "UNICODE"].contains(value):
            return .refuse("it says \(value), but scripts are UTF-8", wayOut: "convert the file and leave the line out")
        case "STANDARD_CONFORMING_STRINGS" where value == "OFF":
            return .refuse("texts with backslashes are read as E'…' only", wayOut: "write E'…' and leave the line out")
        default: return .run
        }
    }

    /// Whether no transaction can hold it: https://www.postgresql.org/docs/15/sql-commands.html, each command's page.
    private func isAlone(_ index: Int) -> Bool {
        let statement = script.statements[index]
        let head = statement.head
        switch head.first {
        case "VACUUM": return true
        case "CREATE", "DROP", "ALTER":
            if head.count > 1, ["TABLESPACE", "SUBSCRIPTION", "SYSTEM"].contains(head[1]) { return true }
            if head.contains("INDEX"), head.contains("CONCURRENTLY") { return true }
            if head.starts(with: ["ALTER", "TABLE"]) {
                let words = statement.words(of: .postgresql)
                return words.contains("DETACH") && words.contains("CONCURRENTLY")
            }
            return newEnumValue(statement).map { isNamed($0, after: index) } ?? false
        case "REINDEX":
            return head.contains { ["CONCURRENTLY", "DATABASE", "SYSTEM", "SCHEMA"].contains($0) }
        // All tables; one table is possible in a transaction.
        case "CLUSTER": return head.count == 1
        default: return false
        }
    }

    /// The value that `ALTER TYPE … ADD VALUE` brings: until its transaction is over no other statement can use it.
    private func newEnumValue(_ statement: SQLStatement) -> String? {
        guard statement.head.starts(with: ["ALTER", "TYPE"]) else { return nil }
        let words = statement.words(of: .postgresql)
        guard let at = words.firstIndex(of: "ADD"), words.dropFirst(at + 1).first == "VALUE" else { return nil }
        return words.dropFirst(at + 2).first { $0.hasPrefix("'") }
    }

    private func isNamed(_ value: String, after index: Int) -> Bool {
        script.statements[(index + 1)...].contains { $0.text.contains(value) || $0.data != nil }
    }
}

extension String {
    /// Without quotes around it.
    fileprivate var trimmingQuotes: String { String(drop { "'\"".contains($0) }.prefix { !"'\"".contains($0) }) }
}
