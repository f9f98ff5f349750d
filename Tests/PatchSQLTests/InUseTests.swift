import Foundation
import PatchModel
import Testing

@testable import PatchSQL

@Suite struct `A database in use` {
    struct Case: Sendable, Codable, CustomTestStringConvertible {
        var journal: TestDatabase.Journal
        var use: Holder.Use
        var blocks: Bool
        var testDescription: String { "\(journal) \(use)" }
    }

    /// With a rollback journal readers keep a commit off, with a WAL only writers do.
    static let cases = TestDatabase.Journal.allCases.flatMap { journal in
        Holder.uses.map { use in
            Case(journal: journal, use: use, blocks: use == .writes || use != .idle && journal == .delete)
        }
    }

    @Test(arguments: cases)
    func `is an error that names who uses it, and the script runs when it is gone`(test: Case) throws {
        let database = try TestDatabase(test.journal)
        try database.open().prepareTables()
        let holder = try Holder(test.use, database.path)
        var blocked: [SQLError] = []
        var started = 0
        let hasRun = try database.run("UPDATE pay SET name = 'x'; SELECT 1") {
            if case .started = $0 { started += 1 }
        } tryAgain: { error in
            blocked.append(error)
            if blocked.count == 2 { holder.leave() }
            return blocked.count < 20
        }
        #expect(hasRun)
        // No statement ran before the whole transaction could be had.
        #expect(started == 2)
        #expect((blocked.count >= 2) == test.blocks)
        for error in blocked.prefix(2) {
            #expect(error.code == .inUse && !error.isOwn)
            #expect(error.blockers.map(\.pid) == [holder.pid])
            #expect(error.blockers.map(\.command) == ["python3"])
            #expect(error.blockers.map(\.writes) == [test.use == .writes])
            #expect(error.blockers.allSatisfy { $0.started > 0 })
        }
        holder.leave()
        #expect(try database.program("SELECT count(*) FROM pay WHERE name = 'x'") == "2")
    }

    @Test(arguments: TestDatabase.Journal.allCases)
    func `without patience leaves nothing and says whom to end`(journal: TestDatabase.Journal) throws {
        let database = try TestDatabase(journal)
        let holder = try Holder(.writes, database.path)
        defer { holder.leave() }
        let session = try database.open()
        let begun = ContinuousClock.now
        let error = try #require(throws: SQLError.self) {
            try session.run(script("DELETE FROM pay"), as: .sample())
        }
        #expect(ContinuousClock.now - begun < .seconds(10))
        #expect(error.description.hasPrefix("cannot run 8.0.2.sql: "))
        #expect(error.description.contains("is locked by python3 (pid \(holder.pid))"), "\(error)")
        #expect(session.blockers().map(\.pid) == [holder.pid])
        #expect(try !session.end(session.blockers()[0]))
    }

    @Test(arguments: cases)
    func `shows everybody who has it open`(test: Case) throws {
        let database = try TestDatabase(test.journal)
        let session = try database.open()
        #expect(session.others() == [])
        let holder = try Holder(test.use, database.path)
        #expect(session.others().map(\.pid) == [holder.pid])
        holder.leave()
        #expect(session.others() == [])
    }

    @Test(arguments: TestDatabase.Journal.allCases)
    func `by somebody who has it for himself cannot even be opened, and he is named`(
        journal: TestDatabase.Journal
    ) throws {
        let database = try TestDatabase(journal)
        let holder = try Holder(.exclusive, database.path)
        let error = try #require(throws: SQLError.self) { try database.open() }
        #expect(error.code == .inUse && error.blockers.map(\.pid) == [holder.pid], "\(error)")
        holder.leave()
        #expect(try database.open().columns(of: "pay") == ["id", "name"])
    }

    @Test func `lets a single statement wait where the script wants no transaction`() throws {
        let database = try TestDatabase(.wal)
        var holder: Holder?
        var asked = 0
        try database.run("-- patchd:transaction none\nSELECT 1;\nDELETE FROM pay;\nVACUUM") {
            guard case .finished(let statement, _) = $0, statement.number == 1 else { return }
            holder = try? Holder(.writes, database.path)
        } tryAgain: { error in
            asked += 1
            #expect(error.place?.statement == 2 && error.blockers.count == 1)
            holder?.leave()
            return true
        }
        #expect(holder != nil && asked == 1)
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `needs everybody to leave for another journal mode`() throws {
        let database = try TestDatabase(.wal)
        let holder = try Holder(.idle, database.path)
        var asked = 0
        try database.run("PRAGMA journal_mode=DELETE; DELETE FROM pay") { _ in
        } tryAgain: { error in
            asked += 1
            #expect(error.blockers.map(\.pid) == [holder.pid])
            holder.leave()
            return asked < 20
        }
        #expect(asked == 1)
        #expect(try database.program("PRAGMA journal_mode") == "delete")
    }

    /// SQLITE_LOCKED: the session stands in its own way, as with a checkpoint within a transaction.
    @Test func `by the session itself is told apart, and tried once more in a new one`() throws {
        let database = try TestDatabase(.wal)
        let session = try database.open()
        var tries = 0
        let error = try #require(throws: SQLError.self) {
            try session.patiently { _ in
                Issue.record("nobody else can help")
                return false
            } _: { () throws(SQLError) in
                tries += 1
                try session.transaction { () throws(SQLError) in
                    try session.query("INSERT INTO pay VALUES (9, 'x')", [])
                    try session.query("PRAGMA wal_checkpoint", [])
                }
            }
        }
        #expect(tries == 2)
        #expect(error.code == .inUse && error.isOwn && error.blockers == [])
        #expect(error.description.contains("-- patchd:reconnect"))
        #expect(try database.program("SELECT count(*) FROM pay") == "2")
    }

    @Test func `is asked to end by an escalation that knows its lock holders`() throws {
        let database = try TestDatabase()
        let holder = try Holder(.idleInTransaction, database.path)
        var escalation = Escalation(grace: 0.1)
        var actions: [Escalation.Action] = []
        try database.run("DELETE FROM pay") { _ in
        } tryAgain: { error in
            let action = escalation.next(error.blockers, at: StatementAuthorizer.now)
            if action != .wait { actions.append(action) }
            if case .end(let blockers) = action { for pid in blockers.compactMap(\.pid) { kill(pid, SIGKILL) } }
            if case .giveUp = action { return false }
            return true
        }
        #expect(actions.count == 2)
        guard case .ask(let asked) = actions.first, case .end(let ended) = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(asked.map(\.pid) == [holder.pid] && ended == asked)
    }
}
