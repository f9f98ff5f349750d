import PatchModel

/// What the statements of a script leave in their session beside what they commit: user variables, prepared statements,
/// temporary tables. A session that goes on with a script repeats what it can, and refuses what needs the rest: with
/// NULL in the place of a variable a script would run on and do something else.
struct MariaDBScriptMemory {
    /// Words of a statement that are looked at; only rows of data are longer.
    static let wordLimit = 4000

    /// By name (`@x`, a prepared statement, a temporary table, `LAST_INSERT_ID`), the number of the statement that made
    /// what is gone.
    private var lost: [String: Int] = [:]
    /// Prepared statements by name, in small letters.
    private var prepared: [String: String] = [:]

    /// Functions whose result depends on nothing but what they are given.
    private static let pure: Set = ["CONCAT", "REPLACE", "IF", "IFNULL", "COALESCE", "UPPER", "LOWER", "TRIM"]
    /// Statements that change nothing that is committed.
    private static let passing: Set = [
        "SET", "PREPARE", "DEALLOCATE", "SELECT", "SHOW", "DO", "COMMIT", "BEGIN", "START", "",
    ]

    // MARK: Going on

    /// The statements that bring about what those that are done left in their session; notes what cannot be.
    mutating func settings(of statements: ArraySlice<SQLStatement>) -> [SQLStatement] {
        let all = statements.map { ($0, MariaDBWords($0.text, limit: Self.wordLimit)) }
        // Nothing has changed since these ran first, so that they come to the same.
        let tail = (all.lastIndex { !Self.passing.contains($0.1[0]) || $0.1[1] == "NOT" } ?? -1) + 1
        var repeated: [SQLStatement] = []
        for (index, (statement, words)) in all.enumerated() {
            if MariaDBStatementPolicy.action(of: words) == .run, isRepeated(words, isLast: index >= tail) {
                lost = lost.filter { !words.assigned.contains($0.key) }
                repeated.append(statement)
            } else {
                forget(words, statement.number)
            }
        }
        return repeated
    }

    private func isRepeated(_ words: MariaDBWords, isLast: Bool) -> Bool {
        guard ["SET", "PREPARE", "DEALLOCATE"].contains(words[0]) || isLast && words[0] == "SELECT" else {
            return false
        }
        // Of the server, not of the session: SET GLOBAL, SET @@GLOBAL.
        if words[1] == "GLOBAL" || words[1] == "@" && words[3] == "GLOBAL" { return false }
        let uses = words.variables.subtracting(words.assigned.map { String($0.dropFirst()) })
        guard uses.allSatisfy({ lost["@" + $0] == nil }) else { return false }
        if isLast { return words[0] != "SELECT" || !words.assigned.isEmpty }
        let calls = words.words.indices.dropLast().filter { index in
            words[index + 1] == "(" && words.words[index].isName && !Self.pure.contains(words[index])
        }
        return calls.isEmpty && !words.contains("FROM") || words[0] == "PREPARE" || words[0] == "DEALLOCATE"
    }

    private mutating func forget(_ words: MariaDBWords, _ number: Int) {
        for name in words.assigned { lost[name] = number }
        switch words[0] {
        case "INSERT", "REPLACE", "LOAD": lost["LAST_INSERT_ID"] = number
        case "CALL", "EXECUTE", "BEGIN":
            for name in words.variables { lost["@" + name] = number }
            lost["LAST_INSERT_ID"] = number
        case "CREATE":
            if let name = words.temporaryTable { lost[name] = number }
        case "PREPARE": lost[words.words.dropFirst().first?.plain.lowercased() ?? ""] = number
        case "DROP":
            for word in words.words where word.isName { lost[word.plain.lowercased()] = nil }
        default: break
        }
    }

    // MARK: Running

    /// Refuses a statement that needs what is gone.
    func check(_ words: MariaDBWords, _ statement: SQLStatement) throws(SQLError) {
        guard !lost.isEmpty else { return }
        let names = words.words.filter(\.isName).map { $0.plain.lowercased() }
        let variables = words.variables.subtracting(words.assigned.map { String($0.dropFirst()) })
        let used =
            variables.map { "@" + $0 } + names.filter { !$0.isEmpty }
            + (words.contains("LAST_INSERT_ID") ? ["LAST_INSERT_ID"] : [])
        guard let name = used.first(where: { lost[$0] != nil }), let number = lost[name] else { return }
        // Made anew.
        if words.temporaryTable == name || words[0] == "PREPARE" && names.dropFirst().first == name { return }
        throw SQLError(
            .sql, "run",
            at: .init(file: "", statement: statement.number, line: statement.line, summary: statement.summary),
            "it uses \(name), which statement \(number) made in a session that was cut off",
            wayOut:
                "look into the database, then set hash to '' and statements to \(number - 1) in the script's row of "
                + "patchd_step where those from \(number) on may run again, or run the rest by hand and resume with "
                + "--assume-done")
    }

    /// Takes in a statement that has run.
    ///
    /// - Parameter value: the value of a user variable, by its name with the `@`.
    mutating func take<Failure: Error>(
        _ words: MariaDBWords, value: (String) throws(Failure) -> String?
    ) {
        for name in words.assigned { lost[name] = nil }
        switch words[0] {
        case "INSERT": lost["LAST_INSERT_ID"] = nil
        case "CREATE":
            if let name = words.temporaryTable { lost[name] = nil }
        case "PREPARE":
            let name = words.words.dropFirst().first?.plain.lowercased() ?? ""
            lost[name] = nil
            guard let from = words.words.firstIndex(where: { $0.text == "FROM" }), from + 1 < words.words.count else {
                return
            }
            let source = words.words[from + 1]
            prepared[name] = source.text == "@" ? (try? value("@\(words.words[from + 2].plain)")) ?? nil : source.plain
        default: break
        }
    }

    /// Of `EXECUTE`, the statement that it runs, where it is known.
    func resolved(_ words: MariaDBWords) -> MariaDBWords {
        guard words[0] == "EXECUTE" else { return words }
        if words[1] == "IMMEDIATE" {
            guard words.words.count == 3 else { return words }
            return MariaDBWords(words.words[2].plain)
        }
        return prepared[words.words.dropFirst().first?.plain.lowercased() ?? ""].map { MariaDBWords($0) } ?? words
    }
}

extension MariaDBWords {
    /// The user variables that it sets, in small letters with the `@`.
    var assigned: Set<String> {
        var found: Set<String> = []
        for index in words.indices.dropLast() where self[index] == "@" {
            if index > 0, self[index - 1] == "@" { continue }
            let behind = (self[index + 2], self[index + 3])
            let isSet = self[0] == "SET" && behind.0 == "="
            let isInto =
                index > 0 && self[0] == "SELECT" && [",", "INTO"].contains(self[index - 1]) && contains("INTO")
            guard isSet || isInto || behind == (":", "=") else { continue }
            found.insert("@" + words[index + 1].plain.lowercased())
        }
        return found
    }

    /// The temporary table that it makes, in small letters.
    var temporaryTable: String? {
        guard self[0] == "CREATE", let at = words.prefix(5).firstIndex(where: { $0.text == "TEMPORARY" }) else {
            return nil
        }
        let name = words[(at + 1)...].drop { ["TABLE", "IF", "NOT", "EXISTS"].contains($0.text) }
        return name.first?.plain.lowercased()
    }

    /// Whether it is one that changes rows of tables.
    var changesRows: Bool {
        ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "LOAD", "SELECT", "DO"].contains(self[0])
    }
}
