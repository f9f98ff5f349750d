import PatchFiles
import PatchModel

/// Who is attached to the database, from the monitoring tables. A user sees his own attachments there; the database's
/// owner and SYSDBA see all.
struct FirebirdAttachments {
    /// Runs a query in a transaction of its own: what the tables show stays the same within one.
    let query: (String) -> [[String?]]
    /// This session's own attachments.
    let own: Set<Int>

    private struct Transaction {
        let id: Int
        let writes: Bool
        let seconds: Int?
    }

    /// Everybody else.
    ///
    /// - Parameter number: a transaction: only who has it open. Nil where Firebird does not say which.
    func all(with number: Int? = nil) -> [Blocker] {
        let transactions = Dictionary(grouping: openTransactions()) { $0.attachment }
        let statements = self.statements()
        return query(
            """
            SELECT MON$ATTACHMENT_ID, CAST(MON$TIMESTAMP AS varchar(40)), TRIM(MON$USER), MON$REMOTE_PROCESS,
                MON$REMOTE_ADDRESS, DATEDIFF(SECOND FROM MON$TIMESTAMP TO CURRENT_TIMESTAMP)
            FROM MON$ATTACHMENTS WHERE MON$SYSTEM_FLAG = 0 ORDER BY MON$ATTACHMENT_ID
            """
        ).compactMap { row in
            guard let text = row[0], let id = Int(text), !own.contains(id) else { return nil }
            let open = (transactions[id] ?? []).map(\.transaction)
            if let number, !open.contains(where: { $0.id == number }) { return nil }
            let name = (row[3] ?? "").split(separator: "/").last.map(String.init) ?? ""
            let session = DatabaseSession(
                id: text, began: row[1] ?? "", user: row[2] ?? "", address: Self.host(row[4] ?? ""),
                statement: statements[id] ?? "",
                seconds: open.compactMap(\.seconds).max() ?? row[5].flatMap { Int($0) },
                // Another update is waited for, and a worker that shows the lock is gone at once.
                canBeEnded: name != "patchd-worker")
            return Blocker(pid: nil, command: name, writes: open.contains(where: \.writes), session: session)
        }
    }

    /// Those who may hold what a statement of ours needs. For a row Firebird names the transaction; for a table or an index
    /// it names nobody, and who has a transaction open is the likelier.
    func blockers(_ number: Int?) -> [Blocker] {
        if let number {
            let found = all(with: number)
            if !found.isEmpty { return found }
        }
        let all = all()
        let open = Set(openTransactions().map(\.attachment))
        let within = all.filter { $0.session.flatMap { Int($0.id) }.map(open.contains) ?? false }
        return within.isEmpty ? all : within
    }

    private func openTransactions() -> [(attachment: Int, transaction: Transaction)] {
        query(
            """
            SELECT MON$ATTACHMENT_ID, MON$TRANSACTION_ID, MON$READ_ONLY,
                DATEDIFF(SECOND FROM MON$TIMESTAMP TO CURRENT_TIMESTAMP)
            FROM MON$TRANSACTIONS
            """
        ).compactMap { row in
            guard let attachment = row[0].flatMap({ Int($0) }), let id = row[1].flatMap({ Int($0) }) else { return nil }
            return (attachment, Transaction(id: id, writes: row[2] == "0", seconds: row[3].flatMap { Int($0) }))
        }
    }

    /// What each runs, or ran last.
    private func statements() -> [Int: String] {
        var statements: [Int: String] = [:]
        for row in query(
            """
            SELECT MON$ATTACHMENT_ID, CAST(SUBSTRING(MON$SQL_TEXT FROM 1 FOR \(DatabaseSession.statementLength))
                AS varchar(\(DatabaseSession.statementLength)))
            FROM MON$STATEMENTS WHERE MON$SQL_TEXT IS NOT NULL ORDER BY MON$STATE, MON$STATEMENT_ID
            """)
        {
            if let id = row[0].flatMap({ Int($0) }), let text = row[1], statements[id] == nil || !text.isEmpty {
                statements[id] = text.split(whereSeparator: \.isNewline).joined(separator: " ")
            }
        }
        return statements
    }

    /// `10.0.0.7/51234` without the port; empty for this host.
    private static func host(_ address: String) -> String {
        let host = address.split(separator: "/").first.map(String.init) ?? ""
        return ["127.0.0.1", "::1"].contains(host) ? "" : host
    }
}
