import PatchSQL
import Testing

@testable import PatchSteps

@Suite struct `The trace of a script` {
    private func script(_ count: Int) throws -> SQLScript {
        let text = (1...count).map { "INSERT INTO t VALUES (\($0));\n" }.joined()
        return try SQLScript(Array(text.utf8), name: "8.0.2.sql", dialect: .sqlite)
    }

    /// The lines of a script of which one statement fails, none for 0.
    private func lines(_ count: Int, failing: Int = 0, _ result: (Int) -> StatementResult = { _ in .init(changes: 1) })
        throws -> [String]
    {
        var lines: [String] = []
        let report = StatementReport(total: count) { lines.append($0) }
        for statement in try script(count).statements {
            report.add(.started(statement))
            if statement.number == failing {
                report.fail()
                break
            }
            report.add(.finished(statement, result(statement.number)))
        }
        return lines
    }

    @Test func `has a line for each statement of a short one`() throws {
        #expect(try lines(100).filter { $0.hasPrefix("statement") }.count == 100)
    }

    @Test func `of 60,000 statements has the first, every 600th, and no more than a few hundred lines`() throws {
        let lines = try lines(60_000)
        #expect(lines.count < 300)
        #expect(lines.contains("statement 20, line 20: INSERT INTO t VALUES (20)"))
        #expect(lines.contains("statement 59400, line 59400: INSERT INTO t VALUES (59400)"))
        #expect(!lines.contains { $0.hasPrefix("statement 21,") })
    }

    @Test func `names the statement that fails, whichever it is, once`() throws {
        #expect(try lines(5000, failing: 4321).last == "statement 4321, line 4321: INSERT INTO t VALUES (4321)")
        #expect(try lines(5000, failing: 7).filter { $0.hasPrefix("statement 7,") }.count == 1)
    }

    @Test func `names a slow statement, and one that returns rows`() throws {
        var lines: [String] = []
        let report = StatementReport(total: 5000) { lines.append($0) }
        let statements = try script(100).statements
        report.add(.started(statements[60]))
        report.add(StatementResult(changes: 3), after: .seconds(2))
        #expect(lines == ["statement 61, line 61: INSERT INTO t VALUES (61)", "  3 rows changed", "  took 2 s"])
        lines = []
        report.add(.started(statements[61]))
        report.add(StatementResult(rows: 30, output: ["a", "b"]), after: .zero)
        #expect(lines == ["statement 62, line 62: INSERT INTO t VALUES (62)", "  a", "  b", "  … 30 rows"])
    }

    @Test func `has no more than a thousand lines of returned rows`() throws {
        let lines = try lines(5000) { _ in StatementResult(rows: 1, output: ["row"]) }
        #expect(lines.filter { $0 == "  row" }.count == 1000)
    }
}
