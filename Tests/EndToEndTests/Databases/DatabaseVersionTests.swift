import Foundation
import Support
import Testing

/// PAIE has a SQLite database, and updates come that have scripts for it and such that have not.
@Suite struct `The version in a folder's database` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.configureDatabase(version: "8.0.1", settings: "grace: 1s\n")
        try host.sql("CREATE TABLE account (name TEXT)")
    }

    private func update(_ version: String, after dependency: String, sql: Bool) -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2BIS/FILPATCH/bis.dat": "bis\n", "X3V8_P2/FILPATCH/lib/a.dat": "\(version)\n"]
        if sql {
            update.files["X3V8_P2/FILPATCH/upgrades/\(version).sql"] = "INSERT INTO account VALUES ('\(version)');"
            update.files["X3V8_P2/FILPATCH/downgrades/\(version).sql"] =
                "DELETE FROM account WHERE name = '\(version)';"
        }
        return update
    }

    /// Whether the update was done.
    private func apply(
        _ version: String, after dependency: String, sql: Bool = false, environment: [String: String] = [:]
    ) throws -> Bool {
        try update(version, after: dependency, sql: sql).pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once(environment: environment).code == 0
    }

    private func version() throws -> String { try host.sql("SELECT version FROM patchd_step WHERE script = ''") }
    /// What applications read: the folder's version, and the recommended one.
    private func shown() throws -> String { try host.sql("SELECT version, recommended FROM patchd_version") }
    private func accounts() throws -> String { try host.sql("SELECT name FROM account ORDER BY name") }
    private func told(_ number: Int) -> String { (try? host.job(number)["message"] as? String) ?? "" }

    private func dump() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(host.root)/srv/PAIE/app.db")) }
    private func restore(_ dump: Data) throws {
        try dump.write(to: URL(fileURLWithPath: "\(host.root)/srv/PAIE/app.db"))
    }

    @Test func `is raised by an update of files alone, which makes no copy of the database, and goes back with it`()
        throws
    {
        #expect(try apply("8.0.2", after: "8.0.1"), "\(told(1))")
        #expect(try version() == "8.0.2")
        #expect(try shown() == "8.0.2|8.0.2")
        #expect(try apply("8.0.3", after: "8.0.2", sql: true), "\(told(2))")
        #expect(try apply("8.0.4", after: "8.0.3"), "\(told(3))")
        #expect(try version() == "8.0.4")
        #expect(try !host.read("state/jobs/3/traces/PAIE.log").contains("copying the database"))
        #expect(try apply("8.0.5", after: "8.0.4", sql: true), "\(told(4))")
        #expect(try accounts() == "8.0.3\n8.0.5")
        for (job, expected) in [(5, "8.0.4"), (6, "8.0.3"), (7, "8.0.2"), (8, "8.0.1")] {
            _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
            #expect(try host.job(job)["state"] as? String == "done", "\(told(job))")
            #expect(try version() == expected)
            #expect(try shown().hasPrefix("\(expected)|"))
        }
        #expect(try accounts() == "")
    }

    @Test func `is compared by an update of files alone, and by a rollback`() throws {
        let first = try dump()
        #expect(try apply("8.0.2", after: "8.0.1", sql: true), "\(told(1))")
        let second = try dump()
        #expect(try apply("8.0.3", after: "8.0.2", sql: true), "\(told(2))")
        let third = try dump()
        try restore(second)
        #expect(try !apply("8.0.4", after: "8.0.3"))
        #expect(try host.job(3)["code"] as? String == "database")
        #expect(told(3).contains("payroll/PAIE is at 8.0.3, but its database at 8.0.2"), "\(told(3))")
        #expect(!host.exists("srv/PAIE/update.lock"))
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)
        #expect(try host.job(4)["code"] as? String == "database", "\(told(4))")
        try restore(first)
        #expect(try !apply("8.0.4", after: "8.0.3"))
        #expect(told(5).contains("no record"), "\(told(5))")
        try restore(third)
        #expect(try apply("8.0.4", after: "8.0.3"), "\(told(6))")
        #expect(try host.read("srv/PAIE/lib/a.dat") == "8.0.4\n")
    }

    @Test func `cannot be recorded where nobody can open it, which is a fault though the update needs nothing of it`()
        throws
    {
        let good = try dump()
        try host.write("this is no database, but a text that is long enough to be one\n", "srv/PAIE/app.db")
        #expect(try !apply("8.0.2", after: "8.0.1"))
        #expect(try host.job(1)["code"] as? String == "database")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/PAIE/app.db")
        #expect(try !apply("8.0.2", after: "8.0.1"))
        #expect(told(2).contains("take \"database\" out of the folder's configuration"), "\(told(2))")
        #expect(!host.exists("srv/PAIE/update.lock"))
        try restore(good)
        #expect(try apply("8.0.2", after: "8.0.1"), "\(told(3))")
    }

    @Test func `is shown beside the recommended one, which changes when an update is marked unstable`() throws {
        #expect(try apply("8.0.2", after: "8.0.1"), "\(told(1))")
        #expect(try apply("8.0.3", after: "8.0.2"), "\(told(2))")
        #expect(try shown() == "8.0.3|8.0.3")
        _ = try host.ask(#"{"command": "markUnstable", "update": "X3V8_P2@8.0.3"}"#)
        #expect(try shown() == "8.0.3|8.0.2")
        _ = try host.ask(#"{"command": "markStable", "update": "X3V8_P2@8.0.3"}"#)
        #expect(try shown() == "8.0.3|8.0.3")
        try host.request(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.1"}"#, as: "b.json")
        _ = try host.once()
        #expect(try shown().hasPrefix("8.0.1|"))
    }

    @Test func `is recorded by an update of files alone whose workers are killed at each next fault point`() throws {
        let order = ["PATCHD_FAULT_POINT": "patchd-worker:kill:next:\(host.root)/next"]
        _ = try apply("8.0.2", after: "8.0.1", environment: order)
        var starts = 1
        while try ["running", "queued"].contains(host.job(1)["state"] as? String ?? ""), starts < 500 {
            try host.once(environment: order)
            starts += 1
        }
        #expect(try (Int(host.read("next")) ?? 0) > 20)
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try version() == "8.0.2")
        #expect(try host.read("srv/PAIE/lib/a.dat") == "8.0.2\n")
    }
}
