import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A crash with Firebird` {
    static let text = """
        CREATE TABLE extra(a integer NOT NULL);
        INSERT INTO extra VALUES (1);
        ALTER TABLE extra ADD b integer;
        UPDATE extra SET b = a + 1;
        CREATE UNIQUE INDEX extra_a ON extra(a);
        INSERT INTO extra VALUES (2, 3);
        """

    private static func run(_ url: String, onEvent: (ScriptEvent) -> Void = { _ in }) throws {
        let session = try Databases.find(
            DatabaseReference(url), in: Directory.open("/"), as: FirebirdTestDatabase.login()
        )
        .open(lockTimeout: 1, create: false)
        try session.run(FirebirdTestDatabase.script(text), as: .sample(), onEvent: onEvent)
    }

    /// How many statements took effect, by what is there.
    private func effect(_ database: FirebirdTestDatabase) throws -> Int {
        let columns = try database.open().columns(of: "extra")
        if columns.isEmpty { return 0 }
        let rows = try Int(database.isql("SELECT count(*) FROM extra;")) ?? -1
        if columns.count == 1 { return 1 + rows }
        let changed = try Int(database.isql("SELECT count(b) FROM extra;")) ?? -1
        let indices = try database.isql("SELECT 1 FROM RDB$INDICES WHERE RDB$INDEX_NAME = 'EXTRA_A';").isEmpty ? 0 : 1
        return 2 + rows + min(changed, 1) + indices
    }

    /// Each process ends by SIGKILL right after the n-th statement has run, before it is committed.
    @Test func `of the worker leaves each statement's effect with its record, or neither`() async throws {
        for number in 1...6 {
            let database = try FirebirdTestDatabase()
            let url = database.server.url(database.path)
            await #expect(processExitsWith: .signal(SIGKILL)) { [url = url as String, number = number as Int] in
                try Self.run(url) {
                    if case .finished(let statement, _) = $0, statement.number == number { kill(getpid(), SIGKILL) }
                }
            }
            let marker = try database.record()?[.sample()]
            #expect((marker?.statements ?? 0) == number - 1)
            #expect(try effect(database) == number - 1)
            // Who was killed keeps nobody out.
            try Self.run(url)
            #expect(try effect(database) == 6)
            #expect(try database.record()?[.sample()]?.state == .done)
        }
    }

    @Test func `of the server in the middle of a script fails it with a database that is gone, and it goes on behind`()
        throws
    {
        let server = try FirebirdServer()
        let database = try FirebirdTestDatabase(on: server)
        let url = server.url(database.path)
        let error = try #require(throws: SQLError.self) {
            try Self.run(url) {
                if case .finished(let statement, _) = $0, statement.number == 4 { try? server.kill() }
            }
        }
        #expect(error.code == .database && error.wayOut.contains("see to it that the server"), "\(error)")
        let down = try #require(throws: SQLError.self) { try database.open() }
        #expect(down.code == .database)
        try server.start()
        #expect(try database.record()?[.sample()]?.statements == 3)
        #expect(try effect(database) == 3)
        try Self.run(url)
        #expect(try effect(database) == 6)
    }

    @Test func `of a server that lives, but answers nobody, is a database that is gone`()
        throws
    {
        let server = try FirebirdServer()
        let database = try FirebirdTestDatabase(on: server)
        let url = server.url(database.path)
        let begun = ContinuousClock.now
        let error = try #require(throws: SQLError.self) {
            try Self.run(url) {
                if case .finished(let statement, _) = $0, statement.number == 4 { try? server.freeze() }
            }
        }
        #expect(error.code == .database && error.cause.contains("does not answer"), "\(error)")
        #expect(try #require(throws: SQLError.self) { try database.open() }.code == .database)
        #expect(ContinuousClock.now - begun < .seconds(120))
        try server.thaw()
        // Until the server sees that the attachments have ended, they are somebody who is in the way.
        let script = try FirebirdTestDatabase.script(Self.text)
        try database.open().run(script, as: .sample()) { _ in
        } tryAgain: { _ in
            (try? database.isql("SELECT 1 FROM RDB$DATABASE;")) != nil
        }
        #expect(try effect(database) == 6)
    }

    @Test func `is no matter of time as long as the server answers others`() throws {
        let database = try FirebirdTestDatabase()
        let session = try database.open()
        // Longer than a server that answers nobody is waited for before it is tried.
        let text = """
            SET TERM ^ ;
            EXECUTE BLOCK AS DECLARE until timestamp; DECLARE now timestamp;
            BEGIN
              now = CAST('NOW' AS timestamp);
              until = DATEADD(14 SECOND TO now);
              WHILE (now < until) DO now = CAST('NOW' AS timestamp);
            END^
            SET TERM ; ^
            """
        #expect(try session.run(FirebirdTestDatabase.script(text), as: .sample()))
    }
}
