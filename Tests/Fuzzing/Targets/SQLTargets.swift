import PatchFiles

@testable import PatchSQL

/// A CSV file: it does not matter in what pieces its bytes come.
enum RowsTarget {
    private struct Read: Equatable {
        var rows: [[String?]] = []
        var lines: [Int] = []
        var problem: String?
    }

    static func run(_ bytes: [UInt8]) throws {
        let whole = read(bytes, by: max(1, bytes.count))
        try hold(read(bytes, by: 1) == whole, "read byte by byte it has other rows")
        try hold(zip(whole.lines, whole.lines.dropFirst()).allSatisfy { $0 < $1 }, "its rows are not in order")
        try? RowFile.check(File.inMemory(bytes), name: "rows.csv")
    }

    private static func read(_ bytes: [UInt8], by size: Int) -> Read {
        var reader = RowReader(name: "rows.csv")
        var read = Read()
        func take(_ line: Int, _ row: [String?]) {
            read.rows.append(row)
            read.lines.append(line)
        }
        do throws(SQLError) {
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                let result: Result<Void, SQLError> = piece.withUnsafeBytes { buffer in
                    Result { () throws(SQLError) in try reader.read(buffer, take) }
                }
                try result.get()
            }
            try reader.finish(take)
        } catch {
            read.problem = "\(error)"
        }
        return read
    }
}

/// A script: its statements come in their order, and each is a part of the file.
enum ScriptTarget {
    static func run(_ bytes: [UInt8], dialect: String) throws {
        _ = ScriptProblems.all(in: bytes, dialect: dialect)
        let dialects: [String: SQLDialect] = [
            "sqlite": .sqlite, "postgresql": .postgresql, "mariadb": .mariadb, "firebird": .firebird,
        ]
        guard let rules = dialects[dialect],
            let script = try? SQLScript(bytes, name: "script.sql", dialect: rules)
        else { return }
        var line = 1
        for (index, statement) in script.statements.enumerated() {
            try hold(statement.number == index + 1, "statement \(index + 1) has number \(statement.number)")
            try hold(statement.line >= line, "statement \(index + 1) stands before the one before it")
            line = statement.line
            try hold(!statement.text.isEmpty, "statement \(index + 1) is empty")
            try hold(statement.summary.count <= SQLStatement.summaryLength, "a summary of \(statement.summary.count)")
            _ = statement.words(of: rules)
            if dialect == "mariadb" {
                _ = (MariaDBEffect(MariaDBWords(statement.text)), MariaDBWords(statement.text).variables)
            }
            if dialect == "postgresql" { _ = PostgreSQLEffect(statement) }
        }
        try hold(script.parts.last?.upperBound == script.statements.count, "its parts are not all of it")
    }
}
