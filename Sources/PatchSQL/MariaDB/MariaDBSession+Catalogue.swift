/// What the catalogue says of the database.
extension MariaDBSession {
    /// Whether a statement that was cut off took effect.
    func tookEffect(_ effect: MariaDBEffect) throws(SQLError) -> Bool? {
        switch effect.evidence {
        case .repeatable: return false
        case .none: return nil
        case .signs(let signs):
            var shown = 0
            for sign in signs where try exists(sign) == sign.exists { shown += 1 }
            if shown == signs.count { return true }
            // Of several tables that are dropped, some may be gone.
            return effect.isWhole || shown == 0 ? false : nil
        }
    }

    private func exists(_ sign: MariaDBEffect.Sign) throws(SQLError) -> Bool {
        let (text, values): (String, [String])
        switch sign.kind {
        case .table:
            (text, values) = ("tables WHERE table_schema = ? AND table_name = ? AND table_type <> 'VIEW'", [sign.name])
        case .view: (text, values) = ("views WHERE table_schema = ? AND table_name = ?", [sign.name])
        case .sequence:
            (text, values) = (
                "tables WHERE table_schema = ? AND table_name = ? AND table_type = 'SEQUENCE'", [sign.name]
            )
        case .column:
            (text, values) = (
                "columns WHERE table_schema = ? AND table_name = ? AND column_name = ?", [sign.owner, sign.name]
            )
        case .index:
            (text, values) = (
                "statistics WHERE table_schema = ? AND table_name = ? AND index_name = ?", [sign.owner, sign.name]
            )
        case .constraint:
            (text, values) = (
                "table_constraints WHERE table_schema = ? AND table_name = ? AND constraint_name = ?",
                [sign.owner, sign.name]
            )
        case .routine:
            (text, values) = (
                "routines WHERE routine_schema = ? AND routine_type = ? AND routine_name = ?", [sign.owner, sign.name]
            )
        // By the table's schema, which is the trigger's: by the other, the server opens the tables of all databases, and waits
        // for the locks on each of them.
        case .trigger: (text, values) = ("triggers WHERE event_object_schema = ? AND trigger_name = ?", [sign.name])
        case .event: (text, values) = ("events WHERE event_schema = ? AND event_name = ?", [sign.name])
        }
        return try !query("SELECT 1 FROM information_schema.\(text) LIMIT 1", [database.address.database] + values)
            .isEmpty
    }

    func columns(of table: String) throws(SQLError) -> [String] {
        // Of a generated column nothing can be written.
        try query(
            """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = ? AND table_name = ? AND is_generated = 'NEVER' ORDER BY ordinal_position
            """, [database.address.database, table]
        ).compactMap { $0[0] }
    }
}
