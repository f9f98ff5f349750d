import Foundation
import Support
import Testing

/// A worker is a process of who owns its folder, and he may stop it.
@Suite struct `A worker that is stopped` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1", at: "app.db")
        try host.sql("CREATE TABLE employee (name TEXT)", in: "srv/PAIE/app.db")
    }

    /// A daemon whose next worker stops before it writes anything.
    private func start() throws -> Process {
        try host.start(environment: ["PATCHD_FAULT_POINT": "patchd-worker:stop:1:\(host.root)/stopped"])
    }

    /// Whether the daemon answers a request that concerns nobody.
    private func answers() throws -> Bool {
        try host.request(#"{"command":"cancel","job":7}"#, as: "other.json")
        return host.until("answered") { host.exists("spool/requests/done/other.json") }
    }

    private func end() throws { kill(try #require(Int32(try host.read("stopped").prefix { $0.isNumber })), SIGKILL) }

    @Test func `while it takes a database for a version holds up no other request`() throws {
        try host.once()
        let daemon = try start()
        defer { daemon.terminate() }
        try host.request(#"{"command":"baseline","target":"payroll/PAIE","version":"8.0.2"}"#, as: "a.json")
        #expect(host.until("it is stopped") { host.exists("stopped") })
        #expect(try answers())
        #expect(!host.exists("spool/requests/done/a.json"))
        try end()
        #expect(host.until("told") { host.exists("spool/requests/done/a.json") })
    }

    @Test func `while it shows a lock in a database holds up nobody, also when the daemon starts`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "exit 1\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(host.exists("srv/PAIE/update.lock"))
        let daemon = try start()
        defer { daemon.terminate() }
        #expect(host.until("it is stopped") { host.exists("stopped") })
        #expect(try answers())
        try end()
    }
}
