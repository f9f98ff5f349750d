/// What of a script takes effect together.
struct ScriptPiece: Hashable {
    /// One, where it is ``isAlone``.
    var statements: Range<Int>
    /// Whether it runs outside of transactions.
    var isAlone = false
    /// Whether it begins in a session of its own.
    var reconnects = false
}

extension SQLScript {
    /// The script in pieces, in order; at least one, the only one of an empty script being empty.
    ///
    /// - Parameters:
    ///   - actions: what becomes of each statement.
    ///   - isAtomic: whether statements take effect together at all.
    func pieces(_ actions: [StatementAction], isAtomic: Bool) -> [ScriptPiece] {
        var pieces: [ScriptPiece] = []
        for part in parts {
            var own: [ScriptPiece] = []
            var start = part.lowerBound
            for index in part {
                let isAlone = actions[index] == .alone
                if isAlone || !isAtomic, start < index { own.append(ScriptPiece(statements: start..<index)) }
                if isAlone { own.append(ScriptPiece(statements: index..<index + 1, isAlone: true)) }
                if isAlone { start = index + 1 } else if !isAtomic { start = index }
            }
            if start < part.upperBound || own.isEmpty { own.append(ScriptPiece(statements: start..<part.upperBound)) }
            own[0].reconnects = part.lowerBound > 0
            pieces += own
        }
        return pieces
    }
}
