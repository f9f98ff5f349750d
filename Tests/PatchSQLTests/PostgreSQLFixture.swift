import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

/// A database of its own on the server that all tests share, with the table `pay(id, name)` and two rows.
final class PostgreSQLFixture {
    let server: PostgreSQLServer
    let name: String
    let schema: String?

    init(_ server: PostgreSQLServer? = nil, schema: String? = nil, _ sql: String = "") throws {
        self.server = try server ?? .shared()
        self.schema = schema
        name = try self.server.createDatabase()
        if let schema { try self.server.sql("CREATE SCHEMA \(schema)", in: name) }
        let path = schema.map { "SET search_path = \($0);" } ?? ""
        try self.server.sql(
            "\(path) CREATE TABLE pay(id integer PRIMARY KEY, name text NOT NULL);"
                + "INSERT INTO pay VALUES (1, 'Ada'), (2, 'Grace'); \(sql)", in: name)
    }

    func open(
        lockTimeout: Double = 0.3, user: String = "postgres", credentials: Credentials? = nil, schema: String? = nil
    ) throws -> any Session {
        let url = server.url(name, user: user, schema: schema ?? self.schema)
        return try Databases.find(
            DatabaseReference(url), in: Directory.open("/tmp"),
            as: DatabaseLogin(name: "payroll/SEED", credentials: credentials)
        ).open(lockTimeout: lockTimeout, create: false)
    }

    @discardableResult
    func run(
        _ text: String, name: String = "8.0.2.sql", seconds: Double = .infinity, lockTimeout: Double = 0.3,
        onEvent: (ScriptEvent) -> Void = { _ in }, tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws -> Bool {
        let script = try SQLScript(Array(text.utf8), name: name, dialect: .postgresql)
        return try open(lockTimeout: lockTimeout).run(
            script, as: .sample(name, seconds), onEvent: onEvent, tryAgain: tryAgain)
    }

    /// What psql prints.
    @discardableResult
    func sql(_ text: String) throws -> String { try server.sql(text, in: name) }

    func record() throws -> DatabaseRecord? { try open().record() }
}
