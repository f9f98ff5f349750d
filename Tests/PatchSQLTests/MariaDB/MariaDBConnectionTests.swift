import Foundation
import PatchModel
import Support
import Testing

@testable import PatchSQL

@Suite struct `A connection to MariaDB` {
    private func error(_ url: String, _ credentials: Credentials? = nil) throws -> SQLError {
        try #require(throws: SQLError.self) {
            _ = try TestMariaDB.find(url, credentials: credentials).open(lockTimeout: 1, create: true)
        }
    }

    private func credentials(_ text: String) throws -> Credentials { try Credentials(Array(text.utf8), name: "c") }

    @Test func `that cannot be made is a fault that says where and what to do`() throws {
        let database = try TestMariaDB()
        let server = database.server
        for (url, cause) in [
            (server.url("nowhere"), "Unknown database"),
            (server.url(database.name, user: "nobody"), "Access denied"),
            ("mariadb://root@/x?socket=/nowhere/s", "/nowhere/s"),
            ("mariadb://root@127.0.0.1:1/x", "127.0.0.1"),
        ] {
            let error = try error(url)
            #expect(error.code == .database && error.description.contains(cause), "\(error)")
            #expect(!error.wayOut.isEmpty)
        }
    }

    @Test func `takes user and password from the credentials, and shows neither`() throws {
        let database = try TestMariaDB()
        let user = database.name
        try database.server.run(
            "CREATE USER \(user) IDENTIFIED BY 'se\"cr\\\\et #1'; GRANT ALL ON \(database.name).* TO \(user)")
        let good = try credentials("user=\(user)\npassword=se\"cr\\et #1\n")
        let session = try TestMariaDB.find(database.server.url(database.name), credentials: good).open(
            lockTimeout: 1, create: false)
        #expect(try session.query("SELECT CURRENT_USER()", [])[0][0] == "\(user)@%")
        let bad = try error(database.server.url(database.name), credentials("user=\(user)\npassword=wrong\n"))
        #expect(bad.code == .database && !bad.description.contains("wrong"), "\(bad)")
    }

    @Test func `takes the password from the owner's my.cnf`() throws {
        let database = try TestMariaDB()
        let user = database.name
        try database.server.run(
            "CREATE USER \(user) IDENTIFIED BY 'fromfile'; GRANT ALL ON \(database.name).* TO \(user)")
        let home = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: home) }
        try Data("[client]\npassword=fromfile\n".utf8).write(to: URL(fileURLWithPath: home + "/.my.cnf"))
        guard case .mariadb(let place) = try DatabaseReference(database.server.url(database.name, user: user)).engine
        else {
            Issue.record("no mariadb: URL")
            return
        }
        let found = try MariaDBDatabase(place, as: DatabaseLogin(name: "payroll/SEED"), home: home)
        #expect(try found.open(lockTimeout: 1, create: false).columns(of: "pay") == ["id", "name"])
        #expect(throws: SQLError.self) {
            try TestMariaDB.find(database.server.url(database.name, user: user)).open(lockTimeout: 1, create: false)
        }
    }

    @Test func `without the TLS that is asked for is none`() throws {
        let database = try TestMariaDB()
        let error = try error(database.server.url(database.name) + "&tls=required")
        #expect(
            error.code == .database && error.description.contains("TLS") || error.description.contains("SSL"),
            "\(error)")
    }

    @Test func `with TLS is encrypted, and a certificate that does not verify is an error`() throws {
        let folder = try TestDatabase.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Command.tool(
            "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-keyout", folder + "/key", "-out", folder + "/cert")
        try Command.tool("/bin/chmod", "-R", "a+rX", folder)
        let server = try MariaDBServer(options: ["--ssl-key=\(folder)/key", "--ssl-cert=\(folder)/cert"])
        let database = try TestMariaDB("", on: server)
        let session = try TestMariaDB.find(server.url(database.name) + "&tls=required").open(
            lockTimeout: 1, create: false)
        #expect(try session.query("SHOW STATUS LIKE 'Ssl_cipher'", [])[0][1]?.isEmpty == false)
        let error = try error(server.url(database.name) + "&tls=verify")
        #expect(error.code == .database && error.description.contains("certificate"), "\(error)")
    }

    @Test func `never waits for locks longer than it was told, nor is it made to by a script`() throws {
        let database = try TestMariaDB()
        let session = try database.open(lockTimeout: 0.2)
        let limits = "SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@autocommit"
        #expect(try session.query(limits, []) == [["1", "1", "1"]])
        try session.run(
            TestMariaDB.script("SET lock_wait_timeout = 500, SESSION innodb_lock_wait_timeout = 600"), as: .sample())
        #expect(try session.query(limits, []) == [["1", "1", "1"]])
    }
}
