/// What becomes of each statement of a script on MariaDB: a pure decision from its first words.
///
/// Why: docs/decisions/databases.md#a-statement-of-mariadbs-has-a-record-of-its-own
struct MariaDBStatementPolicy {
    let script: SQLScript

    /// One for each statement.
    var all: [StatementAction] {
        script.statements.map { statement in
            let action = Self.action(of: MariaDBWords(statement.text, limit: 24))
            guard action == .run, let function = Self.asksForStatementBefore(statement) else { return action }
            return .refuse(
                "\(function)() would report the record that patchd wrote after the previous statement",
                wayOut: "put both into a stored procedure")
        }
    }

    /// Words of a statement that are looked at; only rows of data are longer.
    private static let wordLimit = 4000

    private static func asksForStatementBefore(_ statement: SQLStatement) -> String? {
        let words = MariaDBWords(statement.text, limit: wordLimit)
        return ["ROW_COUNT", "FOUND_ROWS"].first { words.contains([$0, "("]) }
    }

    /// What the client program does by itself, and a server does not know.
    private static let ordersToClient: Set = [
        "SOURCE", "SYSTEM", "TEE", "NOTEE", "PAGER", "NOPAGER", "CONNECT", "EDIT",
    ]

    private static let ownTransaction = "each statement is a transaction of patchd's, with the record of it"

    /// Within a transaction of patchd's: what neither ends it nor is kept from being taken back with it.
    private static let transactional: Set = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "(", "DO", "SHOW", "EXPLAIN", "DESCRIBE",
        "DESC", "HELP", "PREPARE", "DEALLOCATE", "SIGNAL", "RESIGNAL", "GET", "KILL", "HANDLER",
    ]

    static func action(of words: MariaDBWords) -> StatementAction {
        let first = words[0]
        switch first {
        case "": return .skip("to this database it is a comment")
        case _ where ordersToClient.contains(first):
            return .refuse("\(first) is an order to a client program, no SQL", wayOut: "leave it out")
        case "USE":
            return .refuse("it changes to another database", wayOut: "an update's script is about its folder's own one")
        case "CREATE", "DROP": return definition(words)
        case "START" where words[1] == "TRANSACTION", "BEGIN" where words[1] != "NOT", "COMMIT":
            return .skip(ownTransaction)
        case "ROLLBACK", "SAVEPOINT", "RELEASE", "XA":
            return .refuse(
                "it says \(first) by itself, but \(ownTransaction)",
                wayOut: "leave it out; what must hold together goes "
                    + "into a stored procedure, or into one statement")
        case "LOCK", "UNLOCK":
            return .skip("\(ownTransaction); the folder's lock keeps others out")
        case "FLUSH" where words.contains(["READ", "LOCK"]) || words.contains("EXPORT"):
            return .refuse("it keeps everybody out, the record of it too", wayOut: "leave it out")
        case "SET": return setting(words)
        case "LOAD": return ["DATA", "XML"].contains(words[1]) ? load(words) : .alone
        case _ where transactional.contains(first): return .run
        // All that is left ends a transaction by itself, or may: it defines something, or runs what is not seen here.
        default: return .alone
        }
    }

    private static func definition(_ words: MariaDBWords) -> StatementAction {
        let isTemporary = words[1] == "TEMPORARY" || words.starts(with: "CREATE", "OR", "REPLACE", "TEMPORARY")
        if ["DATABASE", "SCHEMA"].contains(words[1]) || words.starts(with: "CREATE", "OR", "REPLACE", "DATABASE") {
            return .refuse(
                "it is about a database as a whole", wayOut: "an update's script is about its folder's own one")
        }
        // It ends no transaction. DROP PREPARE is DEALLOCATE.
        return isTemporary || words.starts(with: "DROP", "PREPARE") ? .run : .alone
    }

    private static func load(_ words: MariaDBWords) -> StatementAction {
        guard words.contains("LOCAL") else { return .run }
        return .refuse("it reads a file of this host", wayOut: "bring rows with datafiles.json, or as INSERT")
    }

    private static func setting(_ words: MariaDBWords) -> StatementAction {
        if words.contains("AUTOCOMMIT") {
            return words.contains(",")
                ? .refuse("it sets autocommit, but \(ownTransaction)", wayOut: "leave it out")
                : .skip(ownTransaction)
        }
        if words.starts(with: "SET", "TRANSACTION") { return .skip(ownTransaction) }
        // SET STATEMENT max_statement_time=10 FOR SELECT …
        if words[1] == "STATEMENT", let end = words.words.firstIndex(where: { $0.text == "FOR" }) {
            return action(of: MariaDBWords(words.words[(end + 1)...]))
        }
        return ["PASSWORD", "DEFAULT"].contains(words[1]) ? .alone : .run
    }
}
