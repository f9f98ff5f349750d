import Foundation
import Support
import Testing

/// No daemon runs: `patchctl config check` starts a worker as the folder's owner.
@Suite struct `config check tries a database on a server` {
    let host: Installation
    let server: PostgreSQLServer
    let name: String
    let role = "r\(UInt64.random(in: .min ... .max))"

    init() throws {
        host = try Installation()
        server = try .shared()
        name = try server.createDatabase()
    }

    private func check(_ keys: String) throws -> (code: Int, said: String) {
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(geteuid() == 0 ? "owner: root\n" : "")folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM], \(keys)}

            """, "etc/endpoints.d/payroll.yaml")
        let outcome = try host.run("patchctl", "config", "check")
        return (Int(outcome.code), outcome.errors + outcome.output)
    }

    @Test func `and says what the role lacks, with the GRANT`() throws {
        try server.sql("CREATE ROLE \(role) LOGIN")
        let url = server.url(name, user: role)
        let poor = try check("database: \"\(url)\"")
        #expect(poor.code == 4, "\(poor.said)")
        #expect(poor.said.contains("payroll/SEED: ") && poor.said.contains("GRANT CREATE ON SCHEMA"), "\(poor.said)")
        try server.sql("GRANT CREATE ON SCHEMA public TO \(role)", in: name)
        let warned = try check("database: \"\(url)\"")
        #expect(warned.code == 0, "\(warned.said)")
        #expect(
            warned.said.contains("warning: payroll/SEED: ") && warned.said.contains("GRANT pg_signal_backend TO"),
            "\(warned.said)")
        #expect(try check("database: \"\(server.url(name))\"").said.contains("warning") == false)
        #expect(try server.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'patchd%'", in: name) == "0")
    }

    @Test func `and says which cannot be reached`() throws {
        let none = try check("database: \"postgresql://app@/payroll?host=%2Fnonexistent\"")
        #expect(none.code == 4)
        #expect(none.said.contains("payroll/SEED: ") && none.said.contains("/nonexistent"), "\(none.said)")
        // The configuration itself is fine: a daemon starts with it, and other endpoints are updated.
        #expect(try host.once().code == 0)
    }

    @Test func `with the folder's credentials, of which nothing is said`() throws {
        let password = "kirschkern-\(role)"
        try server.sql("CREATE ROLE \(role) LOGIN SUPERUSER PASSWORD '\(password)'; GRANT secretive TO \(role)")
        let file = "\(host.root)/credentials"
        let keys = "database: \"\(server.url(name, user: role))\", credentials: \(file)"
        try host.write("password=\(password)\n", "credentials")
        chmod(file, 0o600)
        let right = try check(keys)
        #expect(right.code == 0 && right.said.contains("is fine"), "\(right.said)")
        try host.write("password=not-\(password)\n", "credentials")
        chmod(file, 0o600)
        let wrong = try check(keys)
        #expect(wrong.code == 4 && wrong.said.contains("password authentication failed"), "\(wrong.said)")
        chmod(file, 0o644)
        let open = try check(keys)
        #expect(open.code == 4 && open.said.contains("chmod 600 \(file)"), "\(open.said)")
        #expect(!(right.said + wrong.said + open.said).contains(password))
    }
}
