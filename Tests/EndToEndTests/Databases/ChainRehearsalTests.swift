import Foundation
import Support
import Testing

/// PAIE has a SQLite database at 8.0.0; two archives lead on from there.
@Suite struct `A rehearsal of a chain` {
    let host: Installation

    init() throws {
        host = try Installation()
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)folders:
              - {name: PAIE, version: 8.0.0, database: "sqlite:app.db"}

            """, "etc/endpoints.d/payroll.yaml")
        _ = try host.sql("CREATE TABLE account (name TEXT)")
    }

    private func pack(_ version: String, _ dependency: String, _ script: String) throws -> String {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2/FILPATCH/lib/\(version).dat": "here\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        update.files["X3V8_P2/FILPATCH/upgrades/\(version).sql"] = script
        try update.pack(to: "\(host.root)/\(version).zip")
        return "\(host.root)/\(version).zip"
    }

    @Test func `runs all archives in order from each version, without a daemon, and changes nothing`() throws {
        let second = try pack("8.0.2", "8.0.1", "INSERT INTO first VALUES (1);\n")
        let first = try pack("8.0.1", "8.0.0", "CREATE TABLE first (x);\n")
        let before = try host.picture()
        let outcome = try host.run("patchctl", "test", second, first, "--rehearse", "--from", "8.0.0", "--json")
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("upgrades/8.0.1.sql") && outcome.output.contains("upgrades/8.0.2.sql"))
        let late = try host.run("patchctl", "test", second, first, "--rehearse", "--from", "8.0.1")
        #expect(late.code == 1 && late.output.contains("no such table: first"), "\(late.output)\(late.errors)")
        #expect(try host.picture() == before && !host.exists("srv/PAIE/.patchd"))
    }

    @Test func `says where the chain has a gap`() throws {
        let second = try pack("8.0.2", "8.0.1", "SELECT 1;\n")
        let outcome = try host.run("patchctl", "test", second, "--rehearse", "--from", "8.0.0")
        #expect(outcome.code == 1 && outcome.output.contains("dependency"), "\(outcome.output)\(outcome.errors)")
        #expect(try host.run("patchctl", "test", second, "--from", "8.0.0").code == 2)
        #expect(try host.run("patchctl", "test", second, second, "--rehearse").code == 2)
    }
}
