import PatchModel

/// Turns what PostgreSQL says into what an admin can act on.
struct PostgreSQLErrors {
    /// An error of patchd's own work.
    ///
    /// - Parameter blockers: who was in the way when a lock could not be had.
    func error(_ failure: PostgreSQLFailure, _ doing: String, blockers: [Blocker] = []) -> SQLError {
        let (code, wayOut) = meaning(of: failure)
        return SQLError(
            code, doing, text(failure), wayOut: wayOut, blockers: code == .inUse ? blockers : [],
            isOwn: failure.state == "55006")
    }

    /// An error in a statement of a script.
    func error(_ failure: PostgreSQLFailure, in statement: SQLStatement, blockers: [Blocker]) -> SQLError {
        var error = error(failure, "run", blockers: blockers)
        // The script's name is added by who knows it.
        error.place = .init(file: "", statement: statement.number, line: statement.line, summary: statement.summary)
        if let position = failure.position, position > 1 {
            let before = String(statement.text.unicodeScalars.prefix(position - 1))
            error.place?.line += before.utf8.count { $0 == UInt8(ascii: "\n") }
        }
        if let line = failure.copyLine { error.place?.line += statement.lineCount + line - 1 }
        return error
    }

    private func text(_ failure: PostgreSQLFailure) -> String {
        var text = failure.message
        if !failure.detail.isEmpty { text += " (\(failure.detail))" }
        if !failure.hint.isEmpty { text += "; \(failure.hint)" }
        if !failure.context.isEmpty { text += ", in \(failure.context.prefix { !$0.isNewline })" }
        return failure.state.isEmpty ? text : "\(text) [SQLSTATE \(failure.state)]"
    }

    private func meaning(of failure: PostgreSQLFailure) -> (FaultCode, wayOut: String) {
        switch failure.state {
        // lock_not_available
        case "55P03": (.inUse, "end what uses it")
        // object_in_use: within this session; another's would be waited for.
        case "55006": (.inUse, "the script itself still uses it: put a line \"-- patchd:reconnect\" in front")
        // deadlock_detected, serialization_failure: the same again may go through.
        case "40P01", "40001": (.inUse, "")
        // disk_full
        case "53100": (.space, "make room where the server keeps its data")
        case "": (.database, "correct \"database\" or the password of its user, or start the server")
        case "42501": (.sql, "grant it to patchd's role, or make that role the owner")
        case "25006": (.database, "name the primary server in \"database\", not a standby")
        // Connection exceptions, too many connections, the server goes down or comes up.
        case let state where state.hasPrefix("08") || state == "53300" || state.hasPrefix("57P0"):
            (.database, "see the server's log, then resume")
        case let state where state.hasPrefix("58"): (.io, "see the server's log")
        default: (.sql, "")
        }
    }
}

extension PostgreSQLFailure {
    /// The line of the data that a `COPY` failed at, from 1: `COPY rates, line 3, column amount: "x"`.
    fileprivate var copyLine: Int? {
        guard context.hasPrefix("COPY "), let range = context.firstRange(of: ", line ") else { return nil }
        return Int(context[range.upperBound...].prefix { $0.isNumber })
    }
}

extension SQLStatement {
    /// How many lines its text has.
    var lineCount: Int { text.utf8.count { $0 == UInt8(ascii: "\n") } + 1 }
}
