extension SQLScript {
    /// The first and the last statement, settings left aside, where they begin and end one transaction around the whole
    /// script: what a dump and many editors write. Empty where they do not, or where the script has several parts.
    ///
    /// - Parameter isSetting: whether a statement may stand outside of the pair.
    func outerTransaction(isSetting: (SQLStatement) -> Bool) -> [Int] {
        guard isTransactional, parts.count == 1 else { return [] }
        let indices = statements.indices.filter { !isSetting(statements[$0]) }
        guard indices.count > 1, let first = indices.first, let last = indices.last,
            statements[first].beginsTransaction, ["COMMIT", "END"].contains(statements[last].head.first)
        else { return [] }
        return [first, last]
    }
}

extension SQLStatement {
    /// `BEGIN` or `START TRANSACTION`.
    var beginsTransaction: Bool { head.first == "BEGIN" || head.starts(with: ["START", "TRANSACTION"]) }
}
