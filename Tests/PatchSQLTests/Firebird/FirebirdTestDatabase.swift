import Foundation
import PatchFiles
import PatchModel
import Support
import Testing

@testable import PatchSQL

/// A database of its own on the tests' Firebird server.
struct FirebirdTestDatabase {
    let server: FirebirdServer
    let path: String

    /// With the table `pay(id, name)` and two rows.
    init(_ sql: String = "", on own: FirebirdServer? = nil) throws {
        server = try own ?? FirebirdServer.shared.get()
        path = try server.newDatabase()
        if !sql.isEmpty { try server.isql(sql, path) }
    }

    /// What isql shows.
    @discardableResult
    func isql(_ sql: String) throws -> String { try server.isql(sql, path) }

    static func login(_ user: String = FirebirdServer.user, _ password: String = FirebirdServer.password) throws
        -> DatabaseLogin
    {
        DatabaseLogin(
            name: "payroll/SEED",
            credentials: try Credentials(Array("user=\(user)\npassword=\(password)\n".utf8), name: "credentials"))
    }

    func open(
        lockTimeout: Double = 0.05, _ login: DatabaseLogin? = nil
    ) throws -> any Session {
        try Databases.find(DatabaseReference(server.url(path)), in: Directory.open("/"), as: login ?? Self.login())
            .open(
                lockTimeout: lockTimeout, create: false)
    }

    /// Runs a script as one of the update X3V8_P2.
    @discardableResult
    func run(
        _ text: String, name: String = "8.0.2.sql", seconds: Double = .infinity, lockTimeout: Double = 0.05,
        onEvent: (ScriptEvent) -> Void = { _ in }, tryAgain: (SQLError) -> Bool = { _ in false }
    ) throws -> Bool {
        try open(lockTimeout: lockTimeout).run(
            Self.script(text, name), as: .sample(name, seconds), onEvent: onEvent, tryAgain: tryAgain)
    }

    static func script(_ text: String, _ name: String = "8.0.2.sql") throws -> SQLScript {
        try SQLScript(Array(text.utf8), name: name, dialect: .firebird)
    }

    func record() throws -> DatabaseRecord? { try open().record() }
}
