import Foundation
import Support
import Testing

/// PAIE has a database on a real Firebird server.
@Suite struct `An update of a database on a Firebird server` {
    let host: Installation

    init() throws { host = try Installation() }

    /// Lets PAIE have a new database.
    private func newDatabase(on server: FirebirdServer, _ settings: String = "grace: 1s\n") throws -> String {
        let path = try server.newDatabase()
        let credentials = "\(host.root)/etc/credentials"
        try host.write("user=\(FirebirdServer.user)\npassword=\(FirebirdServer.password)\n", "etc/credentials")
        chmod(credentials, 0o600)
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)\(settings)folders:
              - {name: PAIE, version: 8.0.1, database: "\(server.url(path))", credentials: "\(credentials)"}

            """, "etc/endpoints.d/payroll.yaml")
        return path
    }

    private func drop(_ script: String) throws {
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/lib/8.0.2.dat": "here\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.2.sql": script,
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func told(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }
    private func state(_ number: Int) -> String { (try? host.job(number)["state"] as? String) ?? "" }
    private let trace = "state/jobs/1/traces/PAIE.log"

    @Test func `ends who is in the way after the grace, names him, and leaves no password anywhere`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try newDatabase(on: server, "grace: 1s\ndisconnect: onDemand\n")
        let idle = try server.holder("COMMIT;", path)
        let other = try server.holder("UPDATE pay SET name = 'held' WHERE id = 1;", path)
        try drop("ALTER TABLE pay ADD code integer;\nUPDATE pay SET code = (SELECT code FROM patchd_revision);\n")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors) \(told(1))")
        #expect(try server.isql("SELECT id, name, code FROM pay ORDER BY 1;", path) == "1|Ada|9999\n2|Grace|9999")
        #expect(try host.read(trace).contains("in use by isql-fb (session "))
        #expect(other.leave("SELECT 1 FROM pay;").contains("connection shutdown"))
        #expect(!idle.leave("SELECT 1 FROM pay;").contains("connection shutdown"))
        let found = try Installation.run("/usr/bin/grep", ["-rl", FirebirdServer.password, host.root])
        #expect(found.output == "\(host.root)/etc/credentials\n")
    }

    @Test func `ends all who use it before the first step, where it is told to`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try newDatabase(on: server)
        let idle = try server.holder("COMMIT;", path)
        try drop("DELETE FROM pay WHERE id = 1;\n")
        #expect(try host.once().code == 0, "\(told(1))")
        #expect(idle.leave("SELECT 1 FROM pay;").contains("connection shutdown"))
    }

    @Test func `whose script fails is put back from its copy where folders are reverted by themselves`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try newDatabase(on: server, "grace: 1s\nonFailure: revert\n")
        try drop("DELETE FROM pay;\nINSERT INTO nowhere VALUES (1);\n")
        #expect(try host.once().code == 1)
        #expect(
            (try host.job(1)["folders"] as? [String: [String: Any]])?["PAIE"]?["state"] as? String == "reverted",
            "\(told(1))")
        #expect(try server.isql("SELECT name FROM pay ORDER BY id;", path) == "Ada\nGrace")
    }

    @Test func `has each statement once although its worker is killed in the middle of the script`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try newDatabase(on: server)
        try drop(FirebirdServer.slowScript)
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        try awaitSlowStatement()
        kill(try #require(Installation.child(of: daemon.processIdentifier, named: "patchd-worker")), SIGKILL)
        #expect(host.until("it is done") { state(1) == "done" }, "\(told(1))")
        #expect(try server.isql("SELECT entry FROM log;", path) == "first\nslow\nlast")
        // It did run twice, and was taken back once.
        let text = try host.read(trace)
        #expect(text.split(separator: "\n").count { $0.contains("statement 3, line 4") } == 2, "\(text)")
    }

    @Test func `has each statement once although the server is killed in the middle of the script`() throws {
        let server = try FirebirdServer()
        let path = try newDatabase(on: server)
        try drop(FirebirdServer.slowScript)
        let daemon = try host.start()
        defer { kill(daemon.processIdentifier, SIGTERM) }
        try awaitSlowStatement()
        try server.kill()
        #expect(host.until("it fails") { state(1) == "failed" }, "\(told(1))")
        #expect(try host.job(1)["code"] as? String == "database")
        #expect(told(1).contains("see to it that the server"), "\(told(1))")
        try server.start()
        // The lock keeps newcomers out.
        let refused = #expect(throws: FirebirdServer.Problem.self) { try server.isql("SELECT entry FROM log;", path) }
        #expect(refused?.description.contains("X3V8_P2 8.0.2") == true)
        #expect(try server.isql("SELECT entry FROM log;", path, asOwner: true) == "first")
        try host.request(#"{"command": "resume", "job": 1}"#, as: "resume.json")
        #expect(host.until("it is done") { state(1) == "done" }, "\(told(1))")
        #expect(try server.isql("SELECT entry FROM log;", path) == "first\nslow\nlast")
    }

    private func awaitSlowStatement() throws {
        try #require(
            host.until("the slow statement runs") { (try? host.read(trace))?.contains("statement 3, line 4") == true },
            "\(told(1))")
    }
}
