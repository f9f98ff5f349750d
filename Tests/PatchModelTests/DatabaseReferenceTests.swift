import PatchModel
import Testing

@Suite struct DatabaseReferenceTests {
    private func malformed(_ text: String) throws -> String {
        try #require(throws: DatabaseReference.Malformed.self) { try DatabaseReference(text) }.message
    }

    @Test(arguments: [
        ("sqlite:data/app.db", "data/app.db"), ("sqlite:/srv/app.db", "/srv/app.db"),
        ("sqlite:///srv/app.db", "/srv/app.db"),
    ])
    func `a SQLite file is relative to its folder or absolute`(_ text: String, _ path: String) throws {
        let reference = try DatabaseReference(text)
        #expect(
            reference.engine == .sqlite(path: path) && reference.description == text && reference.scheme == "sqlite")
    }

    @Test func `a server's database has all parts of the contract's grammar`() throws {
        let full = try DatabaseReference("postgresql://me@Db.example:5433/app?sslmode=require&schema=tenant7")
        guard case .postgresql(let server) = full.engine else { throw TestFailure() }
        #expect(server.user == "me" && server.host == "db.example" && server.port == 5433 && server.database == "app")
        #expect(server.schema == "tenant7" && server["sslmode"] == "require" && server.parameters.count == 2)
        guard case .postgresql(let local) = try DatabaseReference("postgresql:///seedprod").engine else {
            throw TestFailure()
        }
        #expect(local.user == nil && local.host == nil && local.port == nil && local.database == "seedprod")
        guard case .mariadb(let socket) = try DatabaseReference("mariadb:///pay?socket=/run/m.sock&tls=verify").engine
        else { throw TestFailure() }
        #expect(socket["socket"] == "/run/m.sock" && socket.schema == nil)
        guard case .firebird(let path) = try DatabaseReference("firebird://sysdba@[::1]:3051//srv/a.fdb").engine,
            case .firebird(let alias) = try DatabaseReference("firebird://h/employee").engine
        else { throw TestFailure() }
        #expect(
            path.database == "/srv/a.fdb" && path.host == "::1" && path.port == 3051 && alias.database == "employee")
        #expect(try DatabaseReference("firebird:/srv/a.fdb").engine == .embeddedFirebird(path: "/srv/a.fdb"))
        guard case .postgresql(let encoded) = try DatabaseReference("postgresql://h/a%20b").engine else {
            throw TestFailure()
        }
        #expect(encoded.database == "a b")
        #expect(throws: Never.self) { try DatabaseReference("postgresql:///?service=pay") }
    }

    @Test(arguments: [
        ("app.db", "begins with sqlite:, postgresql:, mariadb: or firebird:"), ("mysql://h/d", "\"mariadb\""),
        ("postgresq://h/d", "\"postgresql\""), ("sqlite:", "empty"), ("sqlite:a//b", "too many"),
        ("sqlite:../x", "without \".\""), ("sqlite:a b", "blanks"), ("postgresql:d", "postgresql:///DATABASE"),
        ("postgresql://h/", "postgresql://HOST/DATABASE"), ("postgresql://h", "postgresql://HOST/DATABASE"),
        ("postgresql://h:0/d", "port"), ("postgresql://h:x/d", "port"), ("postgresql://me:pw@h/d", "a password"),
        ("postgresql:///d?password=pw", "a password"), ("mariadb://h/d?sslmode=x", "unknown parameter"),
        ("mariadb://h/d?tls=no", "required or verify"), ("mariadb://h/d?tls", "without a value"),
        ("firebird:a.fdb", "relative"), ("postgresql://h/a%2", "hexadecimal"), ("postgresql://h/a%00", "control"),
    ])
    func `a malformed reference is refused with the reason, and no password is repeated`(_ text: String, _ part: String)
        throws
    {
        let message = try malformed(text)
        #expect(message.contains(part), "\(message)")
        #expect(!message.contains("pw"), "\(message)")
    }

    @Test func `references of one database are equal however they are written, and others are not`() throws {
        func identity(_ text: String) throws -> [String] { try DatabaseReference(text).identity(in: "/srv/A") }
        #expect(try identity("sqlite:x.db") == identity("sqlite:///srv/A/x.db"))
        #expect(try identity("postgresql:///d") == identity("postgresql://me@LOCALHOST:5432/d?sslmode=require"))
        #expect(try identity("postgresql://h/d") == identity("postgresql:///d?host=h"))
        #expect(try identity("postgresql:///d?schema=a") != identity("postgresql:///d?schema=b"))
        #expect(try identity("postgresql://h:5433/d") != identity("postgresql://h/d"))
        #expect(try identity("mariadb://h/d") != identity("postgresql://h/d"))
    }

    @Test func `a SQLite file's own files are known wherever they lie in the folder`() throws {
        let names = ["data/a.db", "data/a.db-journal", "data/a.db-wal", "data/a.db-shm"].map { ExactText($0) }
        #expect(try DatabaseReference("sqlite:data/a.db").files(in: "/srv/A") == names)
        #expect(try DatabaseReference("sqlite:///srv/A/data/a.db").files(in: "/srv/A") == names)
        #expect(try DatabaseReference("sqlite:/srv/B/a.db").files(in: "/srv/A") == [])
    }
}

private struct TestFailure: Error {}
