/// What becomes of each statement of a script on Firebird: a pure decision from its words.
struct FirebirdStatementPolicy {
    let script: SQLScript

    /// One for each statement.
    var all: [StatementAction] { script.statements.map(action) }

    /// Orders to isql about what it shows, and how.
    private static let shown: Set<String> = [
        "AUTODDL", "BAIL", "BLOB", "BLOBDISPLAY", "COUNT", "ECHO", "EXPLAIN", "HEADING", "LIST", "LOCAL_TIMEOUT",
        "MAXROWS", "PLAN", "PLANONLY", "ROWCOUNT", "STATS", "TIME", "WARNINGS", "WIDTH", "WIRE_STATS", "WNG",
    ]

    private static let own = "each statement is committed together with the record of it"

    private func action(of statement: SQLStatement) -> StatementAction {
        let (first, second) = (statement.head.first ?? "", statement.head.dropFirst().first ?? "")
        switch (first, second) {
        case ("COMMIT", _): return .skip(Self.own)
        case ("ROLLBACK", _), ("SAVEPOINT", _), ("RELEASE", _), ("SET", "TRANSACTION"):
            return .refuse("it says \(statement.summary), but \(Self.own)", wayOut: "leave it out")
        case ("SET", "NAMES"): return .skip("patchd's scripts are UTF-8")
        case ("SET", "SQL"): return .skip("the database's own dialect is used")
        case ("SET", _) where Self.shown.contains(second), ("SHOW", _), ("HELP", _):
            return .skip("it is an order to isql about what it shows")
        case ("CONNECT", _), ("CREATE", "DATABASE"), ("CREATE", "SCHEMA"), ("DROP", "DATABASE"), ("DROP", "SCHEMA"):
            return .refuse(
                "it says \(first) \(first == "CONNECT" ? "" : second)".trimmed,
                wayOut: "an update's script is about its folder's own database")
        case ("INPUT", _), ("IN", _), ("OUTPUT", _), ("OUT", _), ("SHELL", _), ("EDIT", _), ("EXIT", _), ("QUIT", _),
            ("BLOBDUMP", _), ("BLOBVIEW", _):
            return .refuse("\(first) is an order to isql, no SQL", wayOut: "leave it out")
        default: return isCut(statement) ? Self.cut : .run
        }
    }

    private static let cut = StatementAction.refuse(
        "the body of it ends with its first semicolon",
        wayOut: "put a line \"SET TERM ^ ;\" in front and \"SET TERM ; ^\" behind, and end it with ^")

    /// Whether a body was cut at a semicolon within it: all end with END.
    private func isCut(_ statement: SQLStatement) -> Bool {
        var head = statement.head[...]
        guard ["CREATE", "ALTER", "RECREATE", "EXECUTE"].contains(head.popFirst()) else { return false }
        if head.starts(with: ["OR", "ALTER"]) { head = head.dropFirst(2) }
        guard ["PROCEDURE", "FUNCTION", "TRIGGER", "PACKAGE", "BLOCK"].contains(head.first ?? "") else { return false }
        // EXECUTE PROCEDURE calls one.
        if statement.head.first == "EXECUTE", head.first == "PROCEDURE" { return false }
        let words = statement.words(of: .firebird)
        if words.last == "END" || words.contains("EXTERNAL") { return false }
        // ALTER TRIGGER name INACTIVE has no body.
        return words.contains("BEGIN") || words.contains("AS")
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
