import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

/// A database of a test's own on the server of this process.
final class TestMariaDB {
    let server: MariaDBServer
    let name: String

    /// A database with the table `pay(id, name)` and two rows.
    init(_ sql: String = "", on server: MariaDBServer? = nil) throws {
        self.server = try server ?? MariaDBServer.shared()
        name = try self.server.makeDatabase()
        try program(
            "CREATE TABLE pay(id INT PRIMARY KEY, name VARCHAR(40) NOT NULL);"
                + "INSERT INTO pay VALUES (1, 'Ada'), (2, 'Grace');\n" + sql)
    }

    deinit { _ = try? server.run("DROP DATABASE \(name)") }

    /// What the mariadb program prints.
    ///
    /// `database()` is replaced by the name: information_schema looks through the tables of all databases where the name is no
    /// constant, and waits for the locks of other tests, which wait for this one to leave their thread.
    @discardableResult
    func program(_ sql: String) throws -> String {
        try server.run(sql.replacing("database()", with: "'\(name)'"), in: name)
    }

    /// The names of the tables.
    var tables: String {
        get throws {
            try program(
                "SELECT group_concat(table_name ORDER BY table_name) FROM information_schema.tables "
                    + "WHERE table_schema = '\(name)' AND table_name NOT LIKE 'patchd%'")
        }
    }

    static func find(_ url: String, credentials: Credentials? = nil) throws -> any Database {
        try Databases.find(
            DatabaseReference(url), in: Directory.open("/tmp"),
            as: DatabaseLogin(name: "payroll/SEED", credentials: credentials))
    }

    func open(lockTimeout: Double = 1) throws -> any Session {
        try Self.find(server.url(name)).open(lockTimeout: lockTimeout, create: false)
    }

    /// Runs a script as one of the update X3V8_P2.
    @discardableResult
    func run(
        _ text: String, name: String = "8.0.2.sql", seconds: Double = .infinity,
        onEvent: (ScriptEvent) -> Void = { _ in },
        tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws -> Bool {
        try open().run(Self.script(text), as: .sample(name, seconds), onEvent: onEvent, tryAgain: tryAgain)
    }

    static func script(_ text: String) throws -> SQLScript {
        try SQLScript(Array(text.utf8), name: "8.0.2.sql", dialect: .mariadb)
    }

    /// How far the script is by its record: the state and the number of statements.
    var marker: String {
        get throws {
            let marker = try open().record()?[.sample()]
            return marker.map { "\($0.state) \($0.statements)" } ?? "none"
        }
    }

    /// Sets the record to what it is when the worker is killed in the middle of a statement that runs alone.
    func cut(_ text: String, before number: Int) throws {
        let script = try Self.script(text)
        let session = try open()
        try session.prepareTables()
        let marker = try StepMarker(
            .sample(), version: ScriptRun.sample().version, state: .executing, job: 12, statements: number - 1,
            total: script.statements.count, hash: script.hash(first: number - 1))
        try session.transaction { () throws(SQLError) in try session.write(marker) }
    }
}
