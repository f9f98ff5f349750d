import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A MariaDB database in use` {
    static let cases = [
        // A row lock.
        ("BEGIN; UPDATE pay SET name = 'x' WHERE id = 1", "UPDATE pay SET name = 'y'"),
        // A lock on the table's definition, by one who has only read.
        ("BEGIN; SELECT count(*) FROM pay", "ALTER TABLE pay ADD COLUMN a INT"),
        ("LOCK TABLES pay READ", "UPDATE pay SET name = 'y'"),
        ("BEGIN; SELECT count(*) FROM pay", "DROP TABLE pay"),
    ]

    @Test(arguments: cases)
    func `is an error that names who uses it, and the script goes on when they are gone`(
        held: String, statement: String
    ) throws {
        let database = try TestMariaDB()
        let holder = try MariaDBHolder(held, database)
        var blocked: [SQLError] = []
        #expect(
            try database.run("SELECT 1; \(statement)") { _ in
            } tryAgain: { error in
                blocked.append(error)
                if blocked.count == 2 { holder.leave() }
                return blocked.count < 10
            })
        #expect(blocked.count >= 2)
        for error in blocked.prefix(2) {
            #expect(error.code == .inUse && error.place?.statement == 2, "\(error)")
            let blocker = try #require(error.blockers.first, "\(error)")
            #expect(error.blockers.count == 1 && blocker.session?.id == holder.id, "\(error)")
            #expect(blocker.session?.user == "root" && blocker.session?.statement == "idle")
            #expect(blocker.session?.seconds != nil && blocker.session?.canBeEnded == true)
        }
        #expect(try database.marker == "done 2")
    }

    @Test func `names only those who hold what is waited for`() throws {
        let database = try TestMariaDB("CREATE TABLE other(a INT); INSERT INTO other VALUES (1);")
        let innocent = try MariaDBHolder("BEGIN; UPDATE other SET a = 2", database)
        // The same table, and another row.
        let neighbour = try MariaDBHolder("BEGIN; UPDATE pay SET name = 'x' WHERE id = 2", database)
        let holder = try MariaDBHolder("BEGIN; UPDATE pay SET name = 'x' WHERE id = 1", database)
        let row = try #require(throws: SQLError.self) { try database.run("DELETE FROM pay WHERE id = 1") }
        #expect(row.blockers.compactMap(\.session?.id) == [holder.id], "\(row)")
        let table = try #require(throws: SQLError.self) {
            try database.run("ALTER TABLE pay ADD COLUMN a INT", name: "b.sql")
        }
        #expect(Set(table.blockers.compactMap(\.session?.id)) == [neighbour.id, holder.id], "\(table)")
        neighbour.leave()
        innocent.leave()
        holder.leave()
    }

    @Test func `without patience leaves the script where it is, and says whom to end`() throws {
        let database = try TestMariaDB()
        let holder = try MariaDBHolder("BEGIN; UPDATE pay SET name = 'x' WHERE id = 1", database)
        let begun = ContinuousClock.now
        let error = try #require(throws: SQLError.self) { try database.run("SELECT 1; DELETE FROM pay") }
        #expect(ContinuousClock.now - begun < .seconds(20))
        #expect(
            error.description.contains("1205") && error.description.contains("session \(holder.id), user root"),
            "\(error)")
        holder.leave()
        #expect(try database.marker == "running 1")
    }

    /// Whether the others are these, once the server has let go of those who have just left.
    private func others(_ session: any Session, are ids: [String]) -> Bool {
        let end = MonotonicClock.seconds + 30
        while session.others().map(\.session?.id) != ids {
            if MonotonicClock.seconds > end { return false }
        }
        return true
    }

    @Test func `shows everybody who has it open, and nobody of patchd's own`() throws {
        let database = try TestMariaDB()
        let (session, own) = (try database.open(), try database.open())
        #expect(others(session, are: []))
        let holder = try MariaDBHolder("SELECT 1", database)
        let elsewhere = try MariaDBHolder("USE mysql", database)
        #expect(others(session, are: [holder.id]))
        #expect(try own.columns(of: "pay") == ["id", "name"])
        holder.leave()
        elsewhere.leave()
    }

    @Test func `ends a session, and not another one that it is not`() throws {
        let database = try TestMariaDB()
        let session = try database.open()
        let holder = try MariaDBHolder("BEGIN; SELECT count(*) FROM pay", database)
        #expect(others(session, are: [holder.id]))
        var blocker = try #require(session.others().first)
        blocker.session?.user = "another"
        #expect(try session.end(blocker))
        #expect(try holder.isConnected(database))
        blocker.session?.user = "root"
        blocker.session?.began = "1 localhost"
        #expect(try session.end(blocker))
        #expect(try holder.isConnected(database))
        #expect(try session.end(#require(session.others().first)))
        #expect(
            try database.run("DROP TABLE pay") { _ in
            } tryAgain: { _ in
                true
            })
        #expect(try !holder.isConnected(database))
    }

    @Test func `by a role without rights is named as far as it can be seen, and who cannot be ended is said`() throws {
        let database = try TestMariaDB()
        let user = database.name
        try database.server.run("CREATE USER \(user); GRANT ALL ON \(database.name).* TO \(user)")
        let session = try TestMariaDB.find(database.server.url(database.name, user: user)).open(
            lockTimeout: 1, create: false)
        let own = try MariaDBHolder("BEGIN; SELECT count(*) FROM pay", database, user: user)
        let other = try MariaDBHolder("BEGIN; SELECT count(*) FROM pay", database)
        let error = try #require(throws: SQLError.self) {
            try session.run(TestMariaDB.script("ALTER TABLE pay ADD COLUMN a INT"), as: .sample())
        }
        #expect(error.code == .inUse && error.blockers.compactMap(\.session?.id) == [own.id], "\(error)")
        #expect(try session.end(error.blockers[0]))
        let hidden = try #require(database.open().others().first { $0.session?.id == other.id })
        // Another's session is not even shown.
        #expect(try session.end(hidden))
        #expect(try other.isConnected(database))
        other.leave()
        own.leave()
    }

    @Test func `is looked at by a role whose missing rights are told, with what gives them`() throws {
        let database = try TestMariaDB("CREATE PROCEDURE p() SELECT 1;")
        let user = database.name
        try database.server.run("CREATE USER \(user); GRANT ALL ON \(database.name).* TO \(user)")
        let session = try TestMariaDB.find(database.server.url(database.name, user: user)).open(
            lockTimeout: 1, create: false)
        let lacked = try session.checkRights()
        let grants = lacked.compactMap { sentence in
            sentence.firstRange(of: "GRANT").map { String(sentence[$0.lowerBound...]) }
        }
        #expect(grants.count == 3 && lacked.count == 3, "\(lacked)")
        for grant in grants { try database.server.run(grant) }
        let better = try TestMariaDB.find(database.server.url(database.name, user: user)).open(
            lockTimeout: 1, create: false)
        #expect(try better.checkRights() == [])
        #expect(try database.open().checkRights() == [])
    }

    @Test func `is asked to end by an escalation`() throws {
        let database = try TestMariaDB()
        let holder = try MariaDBHolder("BEGIN; SELECT count(*) FROM pay", database)
        let second = try database.open()
        var escalation = Escalation(grace: 0.1)
        var actions: [Escalation.Action] = []
        try database.run("ALTER TABLE pay ADD COLUMN a INT") { _ in
        } tryAgain: { error in
            let action = escalation.next(error.blockers, at: MonotonicClock.seconds)
            if action != .wait { actions.append(action) }
            if case .end(let blockers) = action { for blocker in blockers { _ = try? second.end(blocker) } }
            if case .giveUp = action { return false }
            return true
        }
        #expect(actions.count == 2, "\(actions)")
        #expect(try !holder.isConnected(database))
    }

    @Test func `by another session of patchd's waits for it, by name`() throws {
        let database = try TestMariaDB()
        let first = try database.open()
        try first.keepOthersOut()
        try first.keepOthersOut()
        let error = try #require(throws: SQLError.self) { try database.run("SELECT 1") }
        #expect(error.code == .inUse && error.blockers.map(\.command) == ["patchd"], "\(error)")
        try first.reconnect()
        #expect(throws: SQLError.self) { try database.run("SELECT 1") }
        _ = consume first
        #expect(
            try database.run("SELECT 1") { _ in
            } tryAgain: { _ in
                true
            })
    }

    /// The server goes on with a statement whose client was killed; that session has patchd's lock until it ends.
    @Test func `by the statement of a worker that was killed is waited for, and then looked at`() async throws {
        let database = try TestMariaDB()
        let url = database.server.url(database.name)
        let text = "CREATE TABLE slow AS SELECT id FROM pay FOR UPDATE"
        let holder = try MariaDBHolder("BEGIN; UPDATE pay SET name = 'x'", database)
        await #expect(processExitsWith: .signal(SIGKILL)) { [url = url as String, text = text as String] in
            // A year: the server must still be at it when this test is next given a thread.
            let session = try TestMariaDB.find(url).open(lockTimeout: 31_536_000, create: false)
            session.shouldEnd = {
                kill(getpid(), SIGKILL)
                return false
            }
            try session.run(TestMariaDB.script(text), as: .sample())
        }
        var waited: [SQLError] = []
        let hasRun = try database.run(text) { _ in
        } tryAgain: { error in
            waited.append(error)
            holder.leave()
            return true
        }
        #expect(hasRun && !waited.isEmpty)
        #expect(waited.first?.blockers.map(\.command) == ["patchd"], "\(waited)")
        #expect(try database.program("SELECT count(*) FROM slow") == "2")
        #expect(try database.marker == "done 1")
    }

    @Test func `keeps those out who come new, whose account is for it alone, and lets them in again`() throws {
        let database = try TestMariaDB()
        let (own, shared, spared, closed) = (
            "\(database.name)a", "\(database.name)b", "\(database.name)c", "\(database.name)d"
        )
        for user in [own, shared, spared, closed] {
            try database.program("CREATE USER \(user)@localhost; GRANT ALL ON \(database.name).* TO \(user)@localhost")
        }
        try database.program("CREATE DATABASE \(shared); GRANT ALL ON \(shared).* TO \(shared)@localhost")
        try database.program("ALTER USER \(closed)@localhost ACCOUNT LOCK")
        func comesIn(_ user: String) -> Bool {
            (try? database.server.run("SELECT 1", in: database.name, user: user)) == "1"
        }
        let users = [own, shared, spared, closed]
        #expect(users.map(comesIn) == [true, true, true, false])
        try database.open().keepNewcomersOut(sparing: [spared])
        #expect(users.map(comesIn) == [false, true, true, false])
        // Another one later, as after a crash: nobody who was locked before patchd came is let in.
        try database.open().keepNewcomersOut(sparing: [spared])
        for _ in 1...2 { try database.open().letNewcomersIn() }
        #expect(users.map(comesIn) == [true, true, true, false])
        // Who may not change accounts keeps nobody out, and that is no error.
        let poor = try TestMariaDB.find(database.server.url(database.name, user: own))
        try poor.open(lockTimeout: 1, create: false).keepNewcomersOut(sparing: [])
        #expect(users.map(comesIn) == [true, true, true, false])
        try database.program("DROP DATABASE \(shared)")
        for user in users { try database.program("DROP USER \(user)@localhost") }
    }
}
