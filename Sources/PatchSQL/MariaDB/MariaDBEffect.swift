/// What a statement that runs outside of transactions leaves in the catalogue, as far as its words tell: after it was cut
/// off, its effect is looked for there.
///
/// Since MariaDB 10.6 a statement that defines something takes effect whole or not at all, also when the server is killed
/// in the middle of it; only DROP TABLE of several tables is done a table at a time.
struct MariaDBEffect {
    /// Something whose being there shows that a statement took effect.
    struct Sign: Hashable {
        enum Kind: Hashable { case table, view, sequence, column, index, constraint, routine, trigger, event }
        var kind: Kind
        /// The table of a column, an index or a constraint; `PROCEDURE` or `FUNCTION` of a routine.
        var owner = ""
        var name: String
        var exists: Bool
    }

    /// How the effect shows.
    enum Evidence: Equatable {
        /// It does not matter: to run it once more comes to the same.
        case repeatable
        /// All of these.
        case signs([Sign])
        /// It does not.
        case none
    }

    /// How the effect shows.
    private(set) var evidence = Evidence.none
    /// Whether, having failed, it had no effect at all.
    private(set) var isWhole = true

    private let words: MariaDBWords

    init(_ words: MariaDBWords) {
        self.words = words
        switch words[0] {
        case "CREATE": evidence = created()
        case "DROP": evidence = dropped()
        case "RENAME": evidence = words[1] == "TABLE" || words[1] == "TABLES" ? renamed() : .none
        case "ALTER": evidence = altered()
        case "TRUNCATE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "CHECKSUM", "FLUSH", "GRANT", "SET", "SELECT",
            "SHOW",
            "RESET", "CACHE", "LOAD":
            evidence = words[0] == "LOAD" && words[1] != "INDEX" ? .none : .repeatable
        case "REVOKE", "INSTALL", "UNINSTALL": break
        // A procedure or a block may have done half of it; so may a change of rows that cannot be taken back.
        default: isWhole = false
        }
        if words[0] == "LOAD" { isWhole = false }
        if words[0] == "DROP", case .signs(let signs) = evidence, signs.count > 1 { isWhole = false }
    }

    /// A name at a place, without the database in front of it, and the place behind it; nil where none stands there.
    private func name(at index: Int) -> (name: String, next: Int)? {
        guard index < words.words.count, words.words[index].isName else { return nil }
        let isQualified = words[index + 1] == "." && index + 2 < words.words.count
        return isQualified ? (words.words[index + 2].plain, index + 3) : (words.words[index].plain, index + 1)
    }

    /// The first place behind some words that may be left out.
    private func skip(_ optional: Set<String>, from index: Int) -> Int {
        var index = index
        while optional.contains(words[index]) { index += 1 }
        return index
    }

    private static let existence: Set = ["IF", "NOT", "EXISTS"]

    private func created() -> Evidence {
        if words.starts(with: "CREATE", "OR", "REPLACE") || hasExistence { return .repeatable }
        guard let at = words.words.prefix(24).firstIndex(where: { Self.kinds[$0.text] != nil && $0.kind == .word }),
            let kind = Self.kinds[words[at]], let (name, next) = name(at: at + 1)
        else { return .none }
        switch kind {
        case .index:
            guard let on = words.words[next...].firstIndex(where: { $0.text == "ON" }),
                let table = self.name(at: on + 1)
            else { return .none }
            return .signs([Sign(kind: .index, owner: table.name, name: name, exists: true)])
        case .routine: return .signs([Sign(kind: kind, owner: words[at], name: name, exists: true)])
        default: return .signs([Sign(kind: kind, name: name, exists: true)])
        }
    }

    /// IF EXISTS or IF NOT EXISTS, near the front: not in the body of a procedure.
    private var hasExistence: Bool {
        let head = MariaDBWords(words.words.prefix(12))
        return head.contains(["IF", "EXISTS"]) || head.contains(["IF", "NOT", "EXISTS"])
    }

    private static let kinds: [String: Sign.Kind] = [
        "TABLE": .table, "VIEW": .view, "SEQUENCE": .sequence, "INDEX": .index, "PROCEDURE": .routine,
        "FUNCTION": .routine, "TRIGGER": .trigger, "EVENT": .event,
    ]

    private func dropped() -> Evidence {
        if hasExistence { return .repeatable }
        guard let kind = Self.kinds[words[1]], var found = name(at: 2) else { return .none }
        switch kind {
        case .index:
            guard words[found.next] == "ON", let table = name(at: found.next + 1) else { return .none }
            return .signs([Sign(kind: .index, owner: table.name, name: found.name, exists: false)])
        case .routine: return .signs([Sign(kind: kind, owner: words[1], name: found.name, exists: false)])
        default:
            var signs = [Sign(kind: kind, name: found.name, exists: false)]
            while words[found.next] == ",", let another = name(at: found.next + 1) {
                signs.append(Sign(kind: kind, name: another.name, exists: false))
                found = another
            }
            return .signs(signs)
        }
    }

    /// `RENAME TABLE a TO old, new TO a`: what is there in the end.
    private func renamed() -> Evidence {
        var there: [String: Bool] = [:]
        var at = skip(Self.existence, from: 2)
        while let from = name(at: at), words[from.next] == "TO", let to = name(at: from.next + 1) {
            there[from.name] = false
            there[to.name] = true
            guard words[to.next] == "," else {
                return .signs(there.map { Sign(kind: .table, name: $0.key, exists: $0.value) })
            }
            at = to.next + 1
        }
        return .none
    }

    private func altered() -> Evidence {
        let at = skip(["ONLINE", "IGNORE"], from: 1)
        guard words[at] == "TABLE" else {
            // What they set, they set once more; only another name would be missed.
            let others: Set = [
                "VIEW", "PROCEDURE", "FUNCTION", "SEQUENCE", "USER", "DATABASE", "SCHEMA", "DEFINER", "SQL",
            ]
            return others.contains(words[at]) || words[at] == "ALGORITHM" ? .repeatable : .none
        }
        let start = skip(Self.existence, from: at + 1)
        guard let table = name(at: start) else { return .none }
        var next = table.next
        if words[next] == "WAIT" { next += 2 } else if words[next] == "NOWAIT" { next += 1 }
        return MariaDBAlterClauses(table: table.name, words.words[next...]).evidence
    }
}
