import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A PostgreSQL database` {
    // MARK: Reaching it

    @Test func `that is not there, or refuses, is a fault of the database in the server's words`() throws {
        let server = try PostgreSQLServer.shared()
        func message(_ url: String, _ credentials: Credentials? = nil) throws -> SQLError {
            try #require(throws: SQLError.self) {
                try Databases.find(
                    DatabaseReference(url), in: Directory.open("/tmp"),
                    as: DatabaseLogin(name: "payroll/SEED", credentials: credentials)
                ).open(lockTimeout: 1, create: false)
            }
        }
        let missing = try message(server.url("nosuch"))
        #expect(missing.code == .database && missing.description.contains("database \"nosuch\" does not exist"))
        let down = try message("postgresql:///x?host=%2Fnowhere")
        #expect(down.code == .database && down.description.contains("/nowhere"), "\(down)")
        let role = "secret\(UInt32.random(in: .min ... .max))"
        try server.sql("CREATE ROLE \(role) LOGIN PASSWORD 'right:\\word' IN ROLE secretive")
        let wrong = try message(
            server.url("postgres", user: role), Credentials(Array("password=wrong\n".utf8), name: "c"))
        #expect(wrong.code == .database && wrong.description.contains("password authentication failed"))
        #expect(!wrong.description.contains("wrong"))
        let none = try message(server.url("postgres", user: role))
        #expect(none.description.contains("no password supplied"), "\(none)")
    }

    @Test func `takes user and password from the credentials`() throws {
        let database = try PostgreSQLFixture()
        let role = "secret\(UInt32.random(in: .min ... .max))"
        try database.server.sql("CREATE ROLE \(role) LOGIN PASSWORD 'a:b\\c''d' IN ROLE secretive")
        let credentials = try Credentials(Array("# who\nuser=\(role)\npassword=a:b\\c'd\n".utf8), name: "c")
        let session = try database.open(user: "nobody", credentials: credentials)
        #expect(try session.query("SELECT current_user", []) == [[role]])
        #expect("\(credentials)".contains(role) && !"\(credentials)".contains("a:b"))
    }

    @Test func `is no use where its schema is missing or the role may not use it`() throws {
        let database = try PostgreSQLFixture()
        let missing = try #require(throws: SQLError.self) { try database.open(schema: "tenant7") }
        #expect(missing.code == .database && missing.description.contains("CREATE SCHEMA \"tenant7\""), "\(missing)")
    }

    @Test func `names the right that a role lacks`() throws {
        let database = try PostgreSQLFixture()
        let role = "plain\(UInt32.random(in: .min ... .max))"
        try database.server.sql("CREATE ROLE \(role) LOGIN")
        let session = try database.open(user: role)
        let error = try #require(throws: SQLError.self) { try session.prepareTables() }
        #expect(error.description.contains("permission denied for schema public [SQLSTATE 42501]"), "\(error)")
    }

    // MARK: What is recorded

    @Test func `records scripts, the version and the lock in the folder's own schema`() throws {
        let database = try PostgreSQLFixture(schema: "tenant7")
        try database.sql("CREATE SCHEMA tenant8")
        try database.run("SET search_path = tenant8;\nCREATE TABLE t(a int);")
        let session = try database.open()
        let version = try #require(Version("8.0.2"))
        try session.settle(version)
        #expect(try session.record()?.version == version)
        #expect(try session.record()?.steps.count == 1)
        #expect(try database.open(schema: "tenant8").record() == nil, "they are two folders")
        let lock = UpdateLock(
            endpoint: "payroll", folder: "SEED", phase: .disconnect, update: "X", from: nil, to: nil, job: 1,
            since: .now,
            message: "We'll be back")
        try session.show(Revision(lock))
        #expect(
            try database.sql("SELECT code || phase || message FROM tenant7.patchd_revision")
                == "9999disconnectWe'll be back")
        try session.show(nil)
        #expect(try database.sql("SELECT count(*) FROM tenant7.patchd_revision") == "0")
    }

    @Test func `notifies those who listen, with the lock`() throws {
        let database = try PostgreSQLFixture()
        let listener = try database.server.session(in: database.name)
        try listener.run("LISTEN please_down; LISTEN please_disconnect;")
        let session = try database.open()
        for phase in [UpdateLock.Phase.announced, .disconnect] {
            try session.show(
                Revision(
                    UpdateLock(
                        endpoint: "payroll", folder: "SEED", phase: phase, update: "X", from: nil, to: nil, job: 1,
                        since: .now, message: "away")))
        }
        let heard = try listener.run("SELECT 1;")
        #expect(
            heard.contains("\"please_down\" with payload \"{\"") && heard.contains("\"please_disconnect\""), "\(heard)")
        #expect(heard.contains("\"folder\":\"SEED\"") && heard.contains("\"code\":9998"))
    }

    @Test func `is updated by one at a time, and the other is named`() throws {
        let database = try PostgreSQLFixture()
        let first = try database.open()
        try first.keepOthersOut()
        try first.keepOthersOut()
        let error = try #require(throws: SQLError.self) { try database.run("SELECT 1") }
        #expect(error.code == .inUse && error.blockers.first?.command == "patchd payroll/SEED", "\(error)")
        try first.reconnect()
        #expect(throws: SQLError.self) { try database.run("SELECT 1") }
    }

    // MARK: In use

    @Test func `names who is in the way, with his program and statement, and goes on when he has left`() throws {
        let database = try PostgreSQLFixture()
        let other = try database.server.session(in: database.name, program: "payroll-client")
        try other.run("BEGIN; SELECT name FROM pay LIMIT 1;")
        var asked: [SQLError] = []
        let isDone = try database.run("ALTER TABLE pay ADD COLUMN x int;", lockTimeout: 1.5) { _ in
        } tryAgain: { error in
            asked.append(error)
            try? other.send("COMMIT;")
            return true
        }
        #expect(isDone)
        let blocker = try #require(asked.first?.blockers.first)
        #expect(asked.first?.code == .inUse && blocker.command == "payroll-client")
        #expect(blocker.session?.user == "postgres")
        #expect(blocker.session?.statement.contains("idle in transaction, last: SELECT name FROM pay") == true)
    }

    @Test func `ends who is in the way`() throws {
        let database = try PostgreSQLFixture()
        let other = try database.server.session(in: database.name)
        try other.run("BEGIN; LOCK TABLE pay IN ACCESS SHARE MODE;")
        let killer = try database.open()
        var ended = 0
        try database.run("ALTER TABLE pay ADD COLUMN x int;", lockTimeout: 1.5) { _ in
        } tryAgain: { error in
            for blocker in error.blockers where (try? killer.end(blocker)) == true { ended += 1 }
            return true
        }
        #expect(ended >= 1)
        #expect(try other.run("SELECT 1;").contains("terminating connection due to administrator command"))
    }

    @Test func `does not end another that has the number by now`() throws {
        let database = try PostgreSQLFixture()
        let other = try database.server.session(in: database.name)
        let pid = try other.run("SELECT pg_backend_pid();")
        let session = try database.open()
        let stale = Blocker(
            pid: nil, command: "psql", writes: true, session: DatabaseSession(id: pid, began: "12.5", user: "postgres"))
        #expect(try session.end(stale), "it is gone")
        #expect(try other.run("SELECT 7;") == "7")
    }

    @Test func `shows a prepared transaction, which nobody can end`() throws {
        let database = try PostgreSQLFixture()
        try database.sql("BEGIN; LOCK TABLE pay; PREPARE TRANSACTION 'month end'")
        let error = try #require(throws: SQLError.self) {
            try database.run("ALTER TABLE pay ADD COLUMN x int", lockTimeout: 1.5)
        }
        let blocker = try #require(error.blockers.first)
        #expect(blocker.command == "the prepared transaction 'month end'" && blocker.session?.canBeEnded == false)
        #expect(try !database.open().end(blocker))
        try database.sql("ROLLBACK PREPARED 'month end'")
    }

    @Test func `has its own session's open work cured by a new session`() throws {
        let database = try PostgreSQLFixture(
            nil, "CREATE TABLE child(id int REFERENCES pay DEFERRABLE INITIALLY DEFERRED);")
        // Pending trigger events of the same transaction: SQLSTATE 55006, which nobody else can cure.
        let text = "INSERT INTO child VALUES (1);\nALTER TABLE child ADD COLUMN x int;"
        let error = try #require(throws: SQLError.self) { try database.run(text) }
        #expect(error.isOwn && error.description.contains("patchd:reconnect"), "\(error)")
        try database.run(text.replacing("\n", with: "\n-- patchd:reconnect\n"))
        #expect(try database.sql("SELECT count(*) FROM child") == "1")
    }

    @Test func `knows who else uses it, but not where the folder is a schema`() throws {
        let database = try PostgreSQLFixture(schema: "tenant7")
        let other = try database.server.session(in: database.name, program: "app")
        try other.run("SELECT 1;")
        #expect(try database.open().others().isEmpty)
        #expect(try database.open(schema: "public").others().isEmpty)
        let whole = try Databases.find(
            DatabaseReference(database.server.url(database.name)), in: Directory.open("/tmp"),
            as: DatabaseLogin(name: "payroll/SEED"))
        #expect(try whole.open(lockTimeout: 1, create: false).others().map(\.command) == ["app"])
    }

    @Test func `is closed to newcomers and opened again, also by another session`() throws {
        let owner = "owner\(UInt32.random(in: .min ... .max))"
        let app = "app\(UInt32.random(in: .min ... .max))"
        let server = try PostgreSQLServer.shared()
        try server.sql("CREATE ROLE \(owner) LOGIN; CREATE ROLE \(app) LOGIN")
        let name = try server.createDatabase(owner: owner)
        let found = try Databases.find(
            DatabaseReference(server.url(name, user: owner)), in: Directory.open("/tmp"),
            as: DatabaseLogin(name: "payroll/SEED"))
        #expect(try server.sql("SELECT 1", in: name, user: app) == "1")
        try found.open(lockTimeout: 1, create: false).keepNewcomersOut(sparing: [])
        #expect(throws: Command.Problem.self) { try server.sql("SELECT 1", in: name, user: app) }
        let later = try found.open(lockTimeout: 1, create: false)
        try later.keepNewcomersOut(sparing: [])
        try later.letNewcomersIn()
        try later.letNewcomersIn()
        #expect(try server.sql("SELECT 1", in: name, user: app) == "1")
        let other = try Databases.find(
            DatabaseReference(server.url(name, user: app)), in: Directory.open("/tmp"),
            as: DatabaseLogin(name: "payroll/SEED"))
        try other.open(lockTimeout: 1, create: false).keepNewcomersOut(sparing: [])
        #expect(try server.sql("SELECT 1", in: name, user: app) == "1", "a role that may not, does not")
    }

    @Test func `is told of with what its role may not`() throws {
        let role = "plain\(UInt32.random(in: .min ... .max))"
        let server = try PostgreSQLServer.shared()
        try server.sql("CREATE ROLE \(role) LOGIN")
        let database = try PostgreSQLFixture()
        let error = try #require(throws: SQLError.self) { try database.open(user: role).checkRights() }
        #expect(error.code == .database)
        #expect(error.description.contains("GRANT CREATE ON SCHEMA \"public\" TO \"\(role)\""), "\(error)")
        try database.sql("GRANT CREATE ON SCHEMA public TO \(role)")
        let warnings = try database.open(user: role).checkRights()
        #expect(warnings.count == 2 && warnings[0].hasSuffix("GRANT pg_signal_backend TO \"\(role)\""))
        try server.sql("GRANT pg_signal_backend, pg_read_all_stats TO \(role)")
        #expect(try database.open(user: role).checkRights() == [])
        #expect(try database.open().checkRights() == [])
    }

    // MARK: Rows

    @Test func `gets rows added, changed and left alone by their key`() throws {
        let database = try PostgreSQLFixture(nil, "CREATE TABLE rate(code text PRIMARY KEY, value numeric, note text);")
        try database.sql("INSERT INTO rate VALUES ('A', 1.5, 'own'), ('B', 2, 'own')")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = "\(folder)/rates.csv"
        try "CODE,VALUE,NOTE\nA,1.50,vendor\nC,3,\n".write(toFile: file, atomically: false, encoding: .utf8)
        let target = RowTarget(table: "rate", key: ["code"], preserve: ["note"])
        let session = try database.open()
        #expect(try !session.has(File.open(file), name: "rates.csv", in: target))
        let count = try session.load(File.open(file), name: "rates.csv", into: target, as: .sample("rates.csv"))
        #expect(count == RowCount(added: 1, changed: 1))
        #expect(
            try database.sql("SELECT string_agg(code || value || coalesce(note, '-'), ' ' ORDER BY code) FROM rate")
                == "A1.50own B2own C3-")
        #expect(try session.has(File.open(file), name: "rates.csv", in: target))
        #expect(try session.load(File.open(file), name: "rates.csv", into: target, as: .sample("rates.csv")) == nil)
        try "code,value\nD,four\n".write(toFile: file, atomically: false, encoding: .utf8)
        let error = try #require(throws: SQLError.self) {
            try session.load(File.open(file), name: "rates.csv", into: target, as: .sample("other.csv"))
        }
        #expect(error.place?.line == 2 && error.description.contains("numeric"), "\(error)")
    }

    @Test func `compares rows without a key as a whole`() throws {
        let database = try PostgreSQLFixture(nil, "CREATE TABLE log(a int, b text);")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = "\(folder)/log.csv"
        try "a,b\n1,x\n1,x\n2,\n".write(toFile: file, atomically: false, encoding: .utf8)
        let target = RowTarget(table: "log")
        let session = try database.open()
        #expect(try !session.has(File.open(file), name: "log.csv", in: target))
        try session.load(File.open(file), name: "log.csv", into: target, as: .sample("log.csv"))
        #expect(try session.has(File.open(file), name: "log.csv", in: target))
        try database.sql("DELETE FROM log WHERE a = 2; INSERT INTO log VALUES (1, 'x')")
        #expect(try !session.has(File.open(file), name: "log.csv", in: target))
    }

    // MARK: Copies

    @Test(arguments: [nil, "tenant7"])
    func `comes back from its copy as it was, whatever was made meanwhile`(schema: String?) throws {
        let database = try PostgreSQLFixture(schema: schema, "CREATE VIEW names AS SELECT name FROM pay;")
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try database.open().settle(Version("8.0.1"))
        let directory = try Directory.open(folder)
        var told: [String] = []
        let backup = try database.open().backUp(
            to: directory, as: "backup", onUnchecked: { _ in }, onProgress: { told.append($0) })
        #expect(told.contains { $0.contains("dumping contents of table") })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["backup"])
        try database.run(
            "CREATE VIEW more AS SELECT * FROM names;\nCREATE FUNCTION f() RETURNS int LANGUAGE SQL AS 'SELECT 1';\n"
                + "CREATE TYPE mood AS ENUM ('glad');\nINSERT INTO pay VALUES (3, 'Mary');\nCREATE SEQUENCE s;")
        try database.open().restore(backup, from: directory, onProgress: { _ in })
        let inner = schema.map { "\($0)." } ?? ""
        #expect(try database.sql("SELECT count(*) FROM \(inner)pay") == "2")
        #expect(try database.sql("SELECT count(*) FROM \(inner)names") == "2")
        #expect(
            try database.sql("SELECT to_regclass('\(inner)more') IS NULL AND to_regtype('\(inner)mood') IS NULL") == "t"
        )
        #expect(try database.sql("SELECT to_regproc('\(inner)f') IS NULL AND to_regclass('\(inner)s') IS NULL") == "t")
        #expect(try database.record()?.version == Version("8.0.1"))
        #expect(try database.record()?.steps.isEmpty == true)
    }

    @Test func `is left as it is by a copy that is not whole`() throws {
        let database = try PostgreSQLFixture()
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let session = try database.open()
        let directory = try Directory.open(folder)
        var backup = try session.backUp(to: directory, as: "backup")
        try database.sql("INSERT INTO pay VALUES (3, 'Mary')")
        let whole = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/backup"))
        try whole.dropLast(40).write(to: URL(fileURLWithPath: "\(folder)/backup"))
        let changed = try #require(throws: SQLError.self) { try session.restore(backup, from: directory) }
        #expect(changed.description.contains("size or SHA-256 differ"))
        // Also where the record of it was made for the torn file.
        let file = try File.open("\(folder)/backup")
        backup.size = try file.status().size
        backup.sha256 = try file.sha256()
        #expect(throws: SQLError.self) { try session.restore(backup, from: directory) }
        #expect(try database.sql("SELECT count(*) FROM pay") == "3")
    }

    @Test func `is copied and restored with a password that no command line has`() throws {
        let role = "secret\(UInt32.random(in: .min ... .max))"
        let server = try PostgreSQLServer.shared()
        try server.sql("CREATE ROLE \(role) LOGIN PASSWORD 'pass:word\\' IN ROLE secretive")
        let name = try server.createDatabase(owner: role)
        let login = DatabaseLogin(
            name: "payroll/SEED", credentials: try Credentials(Array("password=pass:word\\\n".utf8), name: "c"))
        let session = try Databases.find(
            DatabaseReference(server.url(name, user: role)), in: Directory.open("/tmp"), as: login
        ).open(lockTimeout: 1, create: false)
        try session.query("CREATE TABLE t(a int)", [])
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let directory = try Directory.open(folder)
        let backup = try session.backUp(to: directory, as: "backup")
        try session.query("DROP TABLE t", [])
        try session.restore(backup, from: directory)
        #expect(try session.columns(of: "t") == ["a"])
    }

    // MARK: The server goes away

    @Test func `that is killed in mid-script has nothing of it, and goes on when it is there again`() throws {
        let server = try PostgreSQLServer()
        let database = try PostgreSQLFixture(server)
        let text = "INSERT INTO pay VALUES (3, 'Mary');\nSELECT pg_sleep(0.3);\nINSERT INTO pay VALUES (4, 'Joan');"
        let error = try #require(throws: SQLError.self) {
            try database.run(text) { event in
                if case .started(let statement) = event, statement.number == 2 { try? server.kill() }
            }
        }
        #expect(error.code == .database && error.description.contains("SQLSTATE"), "\(error)")
        try server.start()
        #expect(try database.sql("SELECT count(*) FROM pay") == "2")
        #expect(try database.run(text))
        #expect(try database.sql("SELECT count(*) FROM pay") == "4")
    }
}
