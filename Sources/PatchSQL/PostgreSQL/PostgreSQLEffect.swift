import PatchModel

/// Where the catalogue shows whether a statement took effect that runs outside of transactions.
struct PostgreSQLEffect {
    private enum Effect {
        /// It does the same as often as it runs.
        case repeatable
        case index(String)
        case noIndex(String)
        case reindex
        case value(String, of: String)
        case object(String, catalogue: String, column: String, isThere: Bool)
    }

    private let effect: Effect

    /// Nil where nothing shows it.
    init?(_ statement: SQLStatement) {
        let words = statement.words(of: .postgresql)
        let names = statement.names(of: .postgresql)
        /// What stands behind a word, `IF [NOT] EXISTS` passed over.
        func name(after word: String) -> String? {
            guard var at = words.firstIndex(of: word).map({ $0 + 1 }) else { return nil }
            while at < words.count, ["IF", "NOT", "EXISTS", "CONCURRENTLY"].contains(words[at]) { at += 1 }
            guard at < words.count else { return nil }
            var name = names[at]
            while at + 2 < words.count, words[at + 1] == "." {
                name += ".\(names[at + 2])"
                at += 2
            }
            return name
        }
        switch (words.first, words.dropFirst().first) {
        case ("VACUUM", _), ("CLUSTER", _), ("ALTER", "SYSTEM"): effect = .repeatable
        case ("REINDEX", _): effect = .reindex
        case ("CREATE", _) where words.contains("CONCURRENTLY"):
            // Without a name the server finds one.
            guard let name = name(after: "INDEX"), name.uppercased() != "ON" else { return nil }
            effect = .index(name)
        case ("DROP", "INDEX"):
            guard let name = name(after: "INDEX"), !words.contains(",") else { return nil }
            effect = .noIndex(name)
        case ("ALTER", "TYPE"):
            guard let type = name(after: "TYPE"), let value = words.first(where: { $0.hasPrefix("'") }) else {
                return nil
            }
            effect = .value(value, of: type)
        case ("CREATE", "TABLESPACE"), ("DROP", "TABLESPACE"), ("CREATE", "SUBSCRIPTION"), ("DROP", "SUBSCRIPTION"):
            let kind = words[1]
            guard let name = name(after: kind) else { return nil }
            let (catalogue, column) =
                kind == "TABLESPACE" ? ("pg_tablespace", "spcname") : ("pg_subscription", "subname")
            effect = .object(name, catalogue: catalogue, column: column, isThere: words[0] == "CREATE")
        default: return nil
        }
    }

    /// Asks the catalogue. An index that was left invalid is removed.
    func isThere(in session: PostgreSQLSession) throws(SQLError) -> Bool {
        switch effect {
        case .repeatable: return false
        case .index(let name):
            let found = try session.query(
                "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(?)", [name])
            guard let isValid = found.first?.first else { return false }
            if isValid == "t" { return true }
            try session.query("DROP INDEX CONCURRENTLY \(name)", [])
            return false
        case .noIndex(let name):
            return try session.query("SELECT pg_catalog.to_regclass(?)", [name]).first?.first.flatMap { $0 } == nil
        case .reindex:
            // What it builds beside the old ones; their names are the server's.
            let left = try session.query(
                """
                SELECT i.indexrelid::regclass::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND pg_catalog.pg_get_userbyid(c.relowner) = current_user
                """, [])
            for index in left { try session.query("DROP INDEX CONCURRENTLY \(index[0] ?? "")", []) }
            return false
        case .value(let value, let type):
            return try !session.query(
                "SELECT 1 FROM pg_catalog.pg_enum WHERE enumtypid = pg_catalog.to_regtype(?) AND enumlabel = \(value)",
                [type]
            ).isEmpty
        case .object(let name, let catalogue, let column, let isWanted):
            let found = try session.query(
                "SELECT 1 FROM pg_catalog.\(catalogue) WHERE pg_catalog.quote_ident(\(column)) = ? OR \(column) = ?",
                [name, name])
            return found.isEmpty != isWanted
        }
    }
}
