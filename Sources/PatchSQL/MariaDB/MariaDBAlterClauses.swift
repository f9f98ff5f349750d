/// The clauses of an `ALTER TABLE`, and how their effect shows.
struct MariaDBAlterClauses {
    private let table: String
    /// Each as its words.
    private let clauses: [MariaDBWords]

    init(table: String, _ words: ArraySlice<MariaDBWords.Word>) {
        self.table = table
        clauses = Self.split(words)
    }

    /// At the commas outside of parentheses.
    private static func split(_ words: some Sequence<MariaDBWords.Word>) -> [MariaDBWords] {
        var clauses: [[MariaDBWords.Word]] = [[]]
        var depth = 0
        for word in words {
            if word.kind == .symbol {
                if word.text == "(" { depth += 1 } else if word.text == ")" { depth -= 1 }
            }
            if depth == 0, word.kind == .symbol, word.text == "," {
                clauses.append([])
            } else {
                clauses[clauses.count - 1].append(word)
            }
        }
        return clauses.map { MariaDBWords($0) }
    }

    /// The statement took effect where all signs of all its clauses show; one clause that shows nothing leaves it open.
    var evidence: MariaDBEffect.Evidence {
        var signs: [MariaDBEffect.Sign] = []
        for clause in clauses {
            switch evidence(of: clause) {
            case .repeatable: break
            case .signs(let own): signs += own
            case .none: return .none
            }
        }
        // A name that goes and comes in one statement shows nothing.
        let names = signs.map {
            MariaDBEffect.Sign(kind: $0.kind, owner: $0.owner, name: $0.name.lowercased(), exists: true)
        }
        guard Set(names).count == names.count else { return .none }
        return signs.isEmpty ? .repeatable : .signs(signs)
    }

    private func evidence(of clause: MariaDBWords) -> MariaDBEffect.Evidence {
        if clause.contains(["IF", "EXISTS"]) || clause.contains(["IF", "NOT", "EXISTS"]) { return .repeatable }
        switch clause[0] {
        case "ADD": return added(clause)
        case "DROP": return dropped(clause)
        case "CHANGE":
            let at = clause[1] == "COLUMN" ? 2 : 1
            guard let old = name(clause, at), let new = name(clause, at + 1) else { return .none }
            if old.lowercased() == new.lowercased() { return .repeatable }
            return .signs([sign(.column, old, false), sign(.column, new, true)])
        case "RENAME": return renamed(clause)
        case "PARTITION", "REORGANIZE", "COALESCE", "EXCHANGE", "TRUNCATE", "DISCARD", "IMPORT", "REMOVE", "":
            return .none
        // A definition that is given whole: the same once more.
        default: return .repeatable
        }
    }

    private func sign(_ kind: MariaDBEffect.Sign.Kind, _ name: String, _ exists: Bool) -> MariaDBEffect.Sign {
        MariaDBEffect.Sign(kind: kind, owner: table, name: name, exists: exists)
    }

    private func name(_ clause: MariaDBWords, _ index: Int) -> String? {
        guard index < clause.words.count, clause.words[index].isName else { return nil }
        return clause.words[index].plain
    }

    private func added(_ clause: MariaDBWords) -> MariaDBEffect.Evidence {
        var at = 1
        var constraint: String?
        if clause[at] == "CONSTRAINT" {
            constraint = name(clause, at + 1)
            at += 2
        }
        switch clause[at] {
        case "PRIMARY": return .signs([sign(.index, "PRIMARY", true)])
        case "FOREIGN", "CHECK": return constraint.map { .signs([sign(.constraint, $0, true)]) } ?? .none
        case "UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "KEY":
            while ["UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "KEY"].contains(clause[at]) { at += 1 }
            let own = ["(", "USING"].contains(clause[at]) ? nil : name(clause, at)
            return (own ?? constraint).map { .signs([sign(.index, $0, true)]) } ?? .none
        case "PARTITION", "PERIOD", "SYSTEM", "CONSTRAINT": return .none
        default: return addedColumns(clause, clause[at] == "COLUMN" ? at + 1 : at)
        }
    }

    /// `ADD [COLUMN] a …` or `ADD [COLUMN] (a …, b …)`.
    private func addedColumns(_ clause: MariaDBWords, _ at: Int) -> MariaDBEffect.Evidence {
        guard clause[at] == "(" else {
            return name(clause, at).map { .signs([sign(.column, $0, true)]) } ?? .none
        }
        let names = Self.split(clause.words[(at + 1)...].dropLast()).map { name($0, 0) }
        let columns = names.compactMap { $0 }
        return columns.count == names.count ? .signs(columns.map { sign(.column, $0, true) }) : .none
    }

    private func dropped(_ clause: MariaDBWords) -> MariaDBEffect.Evidence {
        let kind: MariaDBEffect.Sign.Kind
        var at = 2
        switch clause[1] {
        case "PRIMARY": return .signs([sign(.index, "PRIMARY", false)])
        case "FOREIGN":
            kind = .constraint
            at = 3
        case "CONSTRAINT", "CHECK": kind = .constraint
        case "INDEX", "KEY": kind = .index
        case "COLUMN": kind = .column
        case "PARTITION", "PERIOD", "SYSTEM": return .none
        default:
            kind = .column
            at = 1
        }
        return name(clause, at).map { .signs([sign(kind, $0, false)]) } ?? .none
    }

    private func renamed(_ clause: MariaDBWords) -> MariaDBEffect.Evidence {
        switch clause[1] {
        case "COLUMN", "INDEX", "KEY":
            guard clause[3] == "TO", let old = name(clause, 2), let new = name(clause, 4) else { return .none }
            let kind: MariaDBEffect.Sign.Kind = clause[1] == "COLUMN" ? .column : .index
            return .signs([sign(kind, old, false), sign(kind, new, true)])
        default:
            var at = ["TO", "AS", "="].contains(clause[1]) ? 2 : 1
            if clause[at + 1] == "." { at += 2 }
            guard let new = name(clause, at) else { return .none }
            return .signs([
                MariaDBEffect.Sign(kind: .table, name: table, exists: false),
                MariaDBEffect.Sign(kind: .table, name: new, exists: true),
            ])
        }
    }
}
