import PatchModel

/// Turns what MariaDB says into what an admin can act on. The number decides, never the text.
struct MariaDBErrors {
    /// `"app" on db.example:3306`.
    let place: String

    /// An error of patchd's own work.
    func error(_ failure: MariaDBFailure, _ doing: String, blockers: () -> [Blocker] = { [] }) -> SQLError {
        let (code, wayOut) = meaning(of: failure)
        return SQLError(
            code, doing, "\(failure.message) (\(failure.number), SQLSTATE \(failure.state))", wayOut: wayOut,
            blockers: code == .inUse && !failure.isDeadlock ? blockers() : [])
    }

    /// An error in a statement of a script.
    ///
    /// - Parameter isOver: whether the statement was interrupted because its time was over.
    func error(
        _ failure: MariaDBFailure, in statement: SQLStatement, isOver: Bool, blockers: () -> [Blocker]
    ) -> SQLError {
        var error = error(failure, "run", blockers: blockers)
        // The script's name is added by who knows it.
        error.place = .init(
            file: "", statement: statement.number, line: statement.line + failure.lineOffset,
            summary: statement.summary)
        // Whether the interruption came as one or as the end of a connection that did not answer.
        if isOver, failure.number == 1317 || failure.isFromClient {
            error.code = .sql
            error.cause = "the time that a script may take was over"
            error.wayOut = "correct the script, or raise scriptTimeout"
        }
        return error
    }

    private func meaning(of failure: MariaDBFailure) -> (FaultCode, wayOut: String) {
        switch failure.number {
        // A lock timeout, a deadlock, a row that changed since it was read, a table that is being altered.
        case 1205, 1213, 1020, 1412, 3572: (.inUse, "end what uses the database")
        case 1114, 1021, 1041: (.space, "make room where the server of \(place) has its data")
        case 3, 1026, 1030, 1034, 1194, 1195:
            (.io, "look into the server's error log; CHECK TABLE shows what is damaged")
        case 2002, 2003, 2005:
            (.database, "start the server of \(place), or correct \"database\" in the endpoint's configuration")
        case 2006, 2013, 1053, 1152, 1927, 2012, 2055:
            (.database, "see that the server of \(place) runs, and that nothing ends its sessions")
        case 1045, 1044, 1698, 4151, 1862, 1130:
            (.database, "correct the user's rights, ~/.my.cnf of the folder's owner, or \"credentials\"")
        case 1049: (.database, "create it, or correct \"database\" in the endpoint's configuration")
        case 2026: (.database, "correct the server's certificate or its CA, or \"tls\" in \"database\"")
        case 1040, 1203, 1226: (.database, "raise the server's limit of connections, or end some")
        case 2000..<3000, 5000...: (.database, "")
        default: (.sql, "")
        }
    }
}

extension MariaDBFailure {
    /// Nobody in particular is in the way; another try finds its way through.
    fileprivate var isDeadlock: Bool { [1213, 1020].contains(number) }

    /// The lines before the one that a syntax error names at the end of its text.
    fileprivate var lineOffset: Int {
        guard number == 1064, let line = message.split(separator: " ").last.flatMap({ Int($0) }) else { return 0 }
        return max(0, line - 1)
    }
}
