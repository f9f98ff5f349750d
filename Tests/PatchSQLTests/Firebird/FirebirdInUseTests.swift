import CFirebird
import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A Firebird database in use` {
    @Test(arguments: [
        ("UPDATE pay SET name = 'held' WHERE id = 1;", "UPDATE pay SET name = 'x'"),
        ("SELECT name FROM pay;", "DROP TABLE pay"),
        ("INSERT INTO pay VALUES (9, 'held');", "CREATE INDEX pay_name ON pay(name)"),
    ])
    func `is an error that names who uses it, and the script runs when he is gone`(
        held: String, statement: String
    ) throws {
        let database = try FirebirdTestDatabase()
        let holder = try database.server.holder(held, database.path)
        var blocked: [SQLError] = []
        try database.run("CREATE TABLE before(a integer); \(statement)") { _ in
        } tryAgain: { error in
            blocked.append(error)
            if blocked.count == 2 { holder.leave("ROLLBACK;") }
            return blocked.count < 20
        }
        #expect(blocked.count >= 2)
        for error in blocked.prefix(2) {
            #expect(error.code == .inUse && !error.isOwn && error.place?.statement == 2, "\(error)")
            #expect(error.blockers.map(\.command) == ["isql-fb"])
            let session = try #require(error.blockers.first?.session)
            #expect(session.user == "APP" && session.address == "" && session.canBeEnded && !session.began.isEmpty)
            #expect(session.seconds.map { $0 >= 0 } == true)
            #expect(session.statement.contains("FROM RDB$DATABASE"), "\(session)")
        }
        // Asked again, it is the same one.
        #expect(blocked[0].blockers.first?.session?.id == blocked[1].blockers.first?.session?.id)
        #expect(try database.record()?[.sample()]?.state == .done)
    }

    @Test func `without patience leaves what was done, and takes no longer than its lock time-out`() throws {
        let database = try FirebirdTestDatabase()
        let holder = try database.server.holder("UPDATE pay SET name = 'held';", database.path)
        defer { holder.leave() }
        for timeout in [0.5, 2.0] {
            let begun = ContinuousClock.now
            let error = try #require(throws: SQLError.self) {
                try database.run("CREATE TABLE t(a integer); DELETE FROM pay", lockTimeout: timeout)
            }
            #expect(error.code == .inUse && error.description.contains("by isql-fb (session "), "\(error)")
            let time = ContinuousClock.now - begun
            #expect(time < .seconds(10) && (timeout < 1 || time >= .seconds(1)))
        }
        #expect(try database.record()?[.sample()]?.statements == 1)
    }

    @Test func `shows everybody else, ends whom it is told to, and nobody who came later with his number`() throws {
        let database = try FirebirdTestDatabase()
        let session = try database.open()
        try session.keepOthersOut()
        #expect(session.others() == [])
        let holder = try database.server.holder("SELECT 1 FROM pay;", database.path)
        let found = session.others()
        #expect(found.map(\.command) == ["isql-fb"] && found.first?.pid == nil)
        var other = try #require(found.first)
        other.session?.began = "2001-01-01 00:00:00.0000"
        _ = try session.end(other)
        #expect(session.others().map(\.command) == ["isql-fb"])
        #expect(try session.end(#require(found.first)))
        #expect(holder.leave("SELECT 1 FROM pay;").contains("connection shutdown"))
        #expect(session.others() == [])
    }

    @Test func `goes on after an escalation that asks him and ends him`() throws {
        let database = try FirebirdTestDatabase()
        let holder = try database.server.holder("UPDATE pay SET name = 'held';", database.path)
        var escalation = Escalation(grace: 0.2)
        var actions: [String] = []
        try database.run("DELETE FROM pay") { _ in
        } tryAgain: { error in
            switch escalation.next(error.blockers, at: StatementAuthorizer.now) {
            case .ask: actions.append("ask")
            case .end(let all):
                actions.append("end")
                do {
                    let session = try database.open()
                    for blocker in all { #expect(try session.end(blocker)) }
                } catch {
                    Issue.record(error)
                }
            case .wait: break
            case .giveUp: return false
            }
            return true
        }
        #expect(actions == ["ask", "end"])
        #expect(holder.leave("COMMIT;").contains("connection shutdown"))
        #expect(try database.isql("SELECT count(*) FROM pay;") == "0")
    }

    /// What stands in a session's own way is an open statement of its own; another session cures it.
    @Test func `by the session itself is told apart, and tried once more in a new one`() throws {
        let database = try FirebirdTestDatabase()
        let session = try #require(try database.open() as? FirebirdSession)
        var tries = 0
        try session.patiently { _ in
            Issue.record("nobody else can help")
            return false
        } _: { () throws(SQLError) in
            tries += 1
            // Prepared with a value, it is kept.
            if tries == 1 { try session.query("SELECT name FROM pay WHERE id = ?", ["1"]) }
            try session.transaction { () throws(SQLError) in try session.query("DROP TABLE pay", []) }
        }
        #expect(tries == 2)
        #expect(try session.columns(of: "pay") == [])
    }

    @Test func `by another update is told, with its session, until that has ended`() throws {
        let database = try FirebirdTestDatabase()
        let first = try database.open()
        try first.keepOthersOut()
        try first.keepOthersOut()
        let second = try database.open()
        let error = try #require(throws: SQLError.self) { try second.keepOthersOut() }
        #expect(error.code == .inUse && error.blockers.count == 1, "\(error)")
        #expect(error.description.contains("keep other updates out"), "\(error)")
        // Its commits do not let others in.
        try first.run(FirebirdTestDatabase.script("DELETE FROM pay WHERE id = 1; COMMIT"), as: .sample())
        #expect(throws: SQLError.self) { try second.keepOthersOut() }
        try first.reconnect()
        #expect(throws: SQLError.self) { try second.keepOthersOut() }
        #expect(try #require(first as? FirebirdSession).detach() == ())
        try second.keepOthersOut()
    }

    @Test func `tells those who wait for the event before it ends them`() throws {
        let database = try FirebirdTestDatabase()
        let session = try database.open()
        let waiter = try EventWaiter("PLEASE_DISCONNECT", database)
        try session.show(Revision(code: 9998, phase: .announced, message: "soon", deadline: nil))
        try session.show(Revision(code: 9999, phase: .disconnect, message: "now", deadline: nil))
        #expect(waiter.wait())
        #expect(try database.isql("SELECT code, phase, message FROM patchd_revision;") == "9999|disconnect|now")
        for blocker in session.others() { _ = try session.end(blocker) }
        try session.show(nil)
        #expect(try database.isql("SELECT count(*) FROM patchd_revision;") == "0")
    }

    @Test func `tells first that it will go down`() throws {
        let database = try FirebirdTestDatabase()
        let waiter = try EventWaiter("PLEASE_DOWN", database)
        try database.open().show(Revision(code: 9998, phase: .announced, message: "soon", deadline: nil))
        #expect(waiter.wait())
    }

    @Test func `is seen by somebody else's user as far as he may`() throws {
        let database = try FirebirdTestDatabase()
        let login = try FirebirdTestDatabase.login(FirebirdServer.stranger, FirebirdServer.strangersPassword)
        let holder = try database.server.holder("SELECT 1 FROM pay;", database.path)
        defer { holder.leave() }
        let session = try database.open(login)
        #expect(session.others() == [])
        let error = try #require(throws: SQLError.self) {
            try session.run(FirebirdTestDatabase.script("DELETE FROM pay"), as: .sample())
        }
        #expect(error.code == .sql && error.description.contains("grant it to the user STRANGER"), "\(error)")
    }

    @Test func `by a user without rights is told before an update, with what gives them`() throws {
        let database = try FirebirdTestDatabase()
        #expect(try database.open().checkRights() == [])
        let login = try FirebirdTestDatabase.login(FirebirdServer.stranger, FirebirdServer.strangersPassword)
        let error = try #require(throws: SQLError.self) { try database.open(login).checkRights() }
        #expect(error.code == .database && error.wayOut.contains("GRANT CREATE TABLE TO USER STRANGER"), "\(error)")
        try database.isql("GRANT CREATE TABLE TO USER STRANGER;")
        let warnings = try database.open(login).checkRights()
        #expect(warnings.count == 1 && warnings[0].contains("owner, APP"), "\(warnings)")
        // What was granted is enough for a script of its own.
        try database.isql("GRANT DELETE, SELECT ON pay TO USER STRANGER;")
        #expect(try database.open(login).run(FirebirdTestDatabase.script("DELETE FROM pay"), as: .sample()))
    }

    @Test func `lets nobody in anew while its lock is shown, but for those who are spared`() throws {
        let database = try FirebirdTestDatabase()
        let inside = try database.server.holder("COMMIT;", database.path)
        try database.open().keepNewcomersOut(sparing: ["stranger"])
        // Nothing is shown yet.
        #expect(try database.isql("SELECT 1 FROM RDB$DATABASE;") == "1")
        try database.open().show(
            Revision(code: 9999, phase: .updating, message: "Come back at eight.", deadline: nil))
        let error = #expect(throws: FirebirdServer.Problem.self) { try database.isql("SELECT 1 FROM RDB$DATABASE;") }
        #expect(error?.description.contains("Come back at eight.") == true)
        _ = try database.open(
            FirebirdTestDatabase.login(FirebirdServer.stranger, FirebirdServer.strangersPassword))
        #expect(inside.leave("SELECT 'inside' FROM pay;").contains("inside"))
        // After a crash another session opens the gate, and once more does no harm.
        for _ in 1...2 { try database.open().letNewcomersIn() }
        #expect(try database.isql("SELECT count(*) FROM RDB$TRIGGERS WHERE RDB$TRIGGER_TYPE = 8192;") == "0")
        #expect(try database.isql("SELECT code FROM patchd_revision;") == "9999")
    }

    /// The client library takes the signal for itself, and ends its connections on it.
    @Test func `leaves SIGTERM to the worker`() async throws {
        let database = try FirebirdTestDatabase()
        let url = database.server.url(database.path)
        await #expect(processExitsWith: .success) { [url = url as String] in
            setenv("TOLD", "no", 1)
            signal(SIGTERM) { _ in setenv("TOLD", "yes", 1) }
            let session = try Databases.find(
                DatabaseReference(url), in: Directory.open("/"), as: FirebirdTestDatabase.login()
            ).open(lockTimeout: 1, create: false)
            // Another thread gets it: this one, of a pool, takes no signals.
            kill(getpid(), SIGTERM)
            for _ in 1...1000 where getenv("TOLD").map({ String(cString: $0) }) == "no" { poll(nil, 0, 10) }
            try #require(getenv("TOLD").map { String(cString: $0) } == "yes")
            try #require(try session.query("SELECT count(*) FROM pay", []) == [["2"]])
        }
    }
}

@Suite struct `A Firebird server` {
    @Test func `that is not there, refuses the password or has no such database is a fault that says so`() throws {
        let database = try FirebirdTestDatabase()
        let login = try FirebirdTestDatabase.login(FirebirdServer.user, "wrong")
        let refused = try #require(throws: SQLError.self) { try database.open(login) }
        #expect(refused.code == .database && refused.wayOut.contains("password"), "\(refused)")
        #expect(!"\(refused)".contains("wrong"))
        let missing = try #require(throws: SQLError.self) {
            try Databases.find(
                DatabaseReference(database.server.url("/nowhere/x.fdb")), in: .open("/"),
                as: FirebirdTestDatabase.login()
            ).open(lockTimeout: 0.1, create: false)
        }
        #expect(missing.code == .database && missing.description.contains("No such file"), "\(missing)")
        let gone = try #require(throws: SQLError.self) {
            try Databases.find(
                DatabaseReference("firebird://localhost:1//x.fdb"), in: .open("/"), as: FirebirdTestDatabase.login()
            ).open(lockTimeout: 0.1, create: false)
        }
        #expect(gone.code == .database && gone.description.contains("localhost:1"), "\(gone)")
    }
}

/// A client that has said that it wants to hear of an event.
private final class EventWaiter: @unchecked Sendable {  // The thread beside has it to itself until it has signalled.
    private let connection: FirebirdConnection
    private let block: [UInt8]
    private var result: [UInt8]
    private let waiting: patch_fb_wait_for_event
    private let done = DispatchSemaphore(value: 0)

    /// Returns when the server knows of it.
    init(_ event: String, _ database: FirebirdTestDatabase) throws {
        let library = try FirebirdLibrary()
        waiting = try library.library.function("isc_wait_for_event", as: patch_fb_wait_for_event.self)
        let reference = try DatabaseReference(database.server.url(database.path))
        guard case .firebird(let server) = reference.engine else { throw CancellationError() }
        connection = try FirebirdConnection(FirebirdAddress(server, FirebirdTestDatabase.login()), library)
        block = [1, UInt8(event.utf8.count)] + Array(event.utf8) + [0, 0, 0, 0]
        result = block
        // The first call returns the count of before, whatever that is.
        try ask(block)
        let first = result
        Thread.detachNewThread {
            try? self.ask(first)
            self.done.signal()
        }
    }

    private func ask(_ counted: [UInt8]) throws {
        try connection.call { waiting($0, &connection.database, Int16(counted.count), counted, &result) }
    }

    /// Whether it heard of it within ten seconds.
    func wait() -> Bool { done.wait(timeout: .now() + 10) == .success }
}
