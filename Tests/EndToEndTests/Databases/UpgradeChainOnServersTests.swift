import Foundation
import Support
import Testing

/// Scripts for dozens of versions, named as AlternC names its own, and migrations besides, over three updates of which
/// each brings all that the one before brought.
@Suite struct `A chain of upgrades and migrations` {
    let host: Installation

    init() throws { host = try Installation() }

    /// In the order in which they have to run, with the version that each of three updates brings.
    private static let chain: [(version: String, scripts: [String])] = [
        (
            "1.1",
            [
                "0.9.1.sql", "0.9.1_migrationldap.php", "0.9.2.sql", "0.9.3.sql", "0.9.3.1.sql", "0.9.5.sql",
                "0.9.5.sh", "0.9.9.sql", "0.9.10.sql", "1.0.sql", "1.0.4.sh", "1.1.sql",
            ]
        ),
        (
            "3.0.3",
            [
                "2.0.sql", "3.0.0~2.sh", "3.0.0~b.sql", "3.0.0.sql", "3.0.1.sql", "3.0.3~a.sql", "3.0.3~b.sql",
                "3.0.3.sql",
            ]
        ),
        (
            "3.5.3",
            (4...12).map { "3.0.\($0).sql" } + ["3.5.3~20250703001.sql", "3.5.3~20250703002.sql", "3.5.3.sql"]
        ),
    ]

    private static func migrations(of update: Int) -> [String] {
        (1...4).map { "\(update * 4 + $0)_m\(update)" } + ["\(update * 4 + 4).1_n\(update)"]
    }

    private func configure(_ database: String, credentials: String? = nil) throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        let more = credentials.map { ", credentials: \"\($0)\"" } ?? ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            backup: none
            folders:
              - {name: PAIE, version: "0.9", database: "\(database)"\(more)}

            """, "etc/endpoints.d/payroll.yaml")
    }

    /// What a script or migration leaves: a table of its own and a numbered row.
    private static func statements(_ name: String, _ number: Int) -> String {
        """
        CREATE TABLE t\(number) (x integer);
        INSERT INTO ran SELECT count(*) + 1, '\(name)' FROM ran;

        """
    }

    /// Applies the three updates, and twice what the last one brings.
    ///
    /// - Parameter ran: what ran, in order, a line a name.
    private func run(_ ran: () throws -> String) throws {
        var expected: [String] = []
        var shell: [String] = []
        var files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        for (index, link) in Self.chain.enumerated() {
            for name in link.scripts {
                let place = "X3V8_P2/FILPATCH/upgrades/\(name)"
                if name.hasSuffix(".sql") {
                    expected.append(name)
                    files[place] = Self.statements(name, files.count)
                } else {
                    shell.append(name)
                    files[place] =
                        name.hasSuffix(".php")
                        ? "<?php file_put_contents('shell', \"\(name)\\n\", FILE_APPEND);\n" : "echo \(name) >>shell\n"
                }
            }
            for name in Self.migrations(of: index) {
                expected.append(name)
                files["X3V8_P2/FILPATCH/migrations/\(name).sql"] = Self.statements(name, files.count)
            }
            var update = ExampleUpdate(version: link.version, dependency: "0.9")
            update.name = "CHAIN_\(index)"
            update.files = files
            try update.pack(to: "\(host.root)/spool/incoming/\(index).zip")
            let outcome = try host.once()
            let told = (try? host.job(index + 1)).map { "\($0)" } ?? ""
            try #require(outcome.code == 0, "\(outcome.errors) \(told)")
            let done = try ran().split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(done == expected)
        }
        #expect(try host.read("srv/PAIE/shell").split(separator: "\n").map(String.init) == shell)
        var again = ExampleUpdate(version: "3.5.4", dependency: "0.9")
        again.files = files
        try again.pack(to: "\(host.root)/spool/incoming/again.zip")
        #expect(try host.once().code == 0)
        #expect(try ran().split(separator: "\n").count == expected.count, "nothing ran twice")
        try goBack(ran, expected)
    }

    /// A mark that an admin sets, one migration above it, and the way back from that.
    private func goBack(_ ran: () throws -> String, _ expected: [String]) throws {
        let answer = try host.ask(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "3.5.4", "migrations": "0050_x.sql"}"#)
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        var last = ExampleUpdate(version: "3.5.5", dependency: "3.5.4")
        last.files = [
            "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
            "X3V8_P2/FILPATCH/migrations/0050_z.sql": Self.statements("0050_z", 50),
            "X3V8_P2/FILPATCH/migrations/0051_a.sql": Self.statements("0051_a", 51),
            "X3V8_P2/FILPATCH/migrations/0051_a.down.sql": "DROP TABLE t51;\nDELETE FROM ran WHERE name = '0051_a';\n",
        ]
        try last.pack(to: "\(host.root)/spool/incoming/last.zip")
        #expect(try host.once().code == 0)
        #expect(try ran().contains("0051_a") && !ran().contains("0050_z"))
        #expect(try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)["ok"] as? Bool == true)
        let jobs = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/jobs").compactMap { Int($0) }
        let job = try host.job(try #require(jobs.max()))
        #expect(job["state"] as? String == "done", "\(job)")
        #expect(try ran().split(separator: "\n").count == expected.count)
    }

    private static let table = "CREATE TABLE ran (id integer, name varchar(60))"
    private static let query = "SELECT name FROM ran ORDER BY id"

    @Test func `in SQLite runs each once, in order`() throws {
        try configure("sqlite:app.db")
        try host.sql(Self.table)
        try run { try host.sql(Self.query) }
    }

    @Test(arguments: [nil, "tenant7"])
    func `in PostgreSQL, also in a schema, runs each once, in order`(_ schema: String?) throws {
        let server = try PostgreSQLServer.shared()
        let name = try server.createDatabase()
        let path = schema.map { "CREATE SCHEMA \($0); SET search_path = \($0); " } ?? ""
        try server.sql(path + Self.table, in: name)
        try configure(server.url(name, schema: schema))
        let prefix = schema.map { "\($0)." } ?? ""
        try run { try server.sql("SELECT name FROM \(prefix)ran ORDER BY id", in: name) }
        #expect(try server.sql("SELECT count(*) FROM \(prefix)patchd_step WHERE patch = '$ROOT'", in: name) == "15")
    }

    @Test func `in MariaDB runs each once, in order`() throws {
        let server = try MariaDBServer.shared()
        let name = try server.makeDatabase()
        try server.run(Self.table, in: name)
        try configure(server.url(name))
        try run { try server.run(Self.query, in: name) }
    }

    @Test func `on a Firebird server runs each once, in order`() throws {
        let server = try FirebirdServer.shared.get()
        let path = try server.newDatabase()
        _ = try server.isql(Self.table + ";", path)
        try host.write("user=\(FirebirdServer.user)\npassword=\(FirebirdServer.password)\n", "etc/credentials")
        chmod("\(host.root)/etc/credentials", 0o600)
        try configure(server.url(path), credentials: "\(host.root)/etc/credentials")
        try run { try server.isql(Self.query + ";", path) }
    }
}
