import Foundation
import Support
import Testing

/// PAIE has a database that patchd does not speak: a command runs its scripts.
@Suite struct `A command for SQL` {
    let host: Installation

    init() throws {
        host = try Installation()
        // What it is given is recorded, a line with `fail` makes it fail.
        try host.write(
            """
            #!/bin/sh
            { echo "$PATCHD_SCRIPT $PATCHD_ATTEMPT $PATCHD_DATABASE_URL $*"; cat; } >"$PWD/given.$$"
            cat "$PWD/given.$$" >>"$PWD/given"
            if grep -q forever "$PWD/given.$$"; then sleep 60; fi
            if grep -q fail "$PWD/given.$$"; then echo "a line before" >&2; echo "ORA-00942: no table" >&2; exit 3; fi

            """, "command")
        chmod("\(host.root)/command", 0o755)
        try configure()
    }

    private func configure(_ settings: String = "backup: none\n", database: String = "DSN=pay roll") throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            sql: \(host.root)/command -b
            \(settings)folders:
              - {name: PAIE, version: 8.0.1, database: "\(database)"}

            """, "etc/endpoints.d/payroll.yaml")
    }

    private func update(_ files: [String: String], _ version: String = "8.0.2", _ dependency: String = "8.0.1")
        -> ExampleUpdate
    {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = ["X3V8_P2/FILPATCH/lib/a.dat": "\(version)\n", "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        for (name, text) in files { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        return update
    }

    private func apply(_ update: ExampleUpdate) throws -> Int32 {
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func told(_ number: Int) -> String { (try? host.job(number)).map { "\($0)" } ?? "" }
    private func given() throws -> String { try host.read("srv/PAIE/given") }

    @Test func `gets each script as its standard input, in order, and downgrades too`() throws {
        let first = update([
            "upgrades/8.0.2.sql": "SELECT q'[it's]' FROM dual;\n", "upgrades/8.0.2.sh": "echo shell >>given\n",
            "downgrades/8.0.2.sql": "DROP it;\n", "downgrades/8.0.2.sh": "true\n",
        ])
        #expect(try apply(first) == 0, "\(told(1))")
        let before = "8.0.2.sql 1 DSN=pay roll -b\nSELECT q'[it's]' FROM dual;\nshell\n"
        #expect(try given() == before)
        #expect(try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)["ok"] as? Bool == true)
        #expect(try host.job(2)["state"] as? String == "done", "\(told(2))")
        #expect(try given() == before + "8.0.2.sql 1 DSN=pay roll -b\nDROP it;\n")
    }

    @Test func `that fails stops the folder with its last line, and resume runs the script again`() throws {
        #expect(try apply(update(["upgrades/8.0.2.sql": "fail\n"])) == 1)
        #expect(try host.job(1)["code"] as? String == "sql", "\(told(1))")
        #expect(told(1).contains("ended with exit code 3: ORA-00942: no table"), "\(told(1))")
        try host.write("#!/bin/sh\ncat >>given\n", "command")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done", "\(told(1))")
        #expect(try given().hasSuffix("fail\nfail\n"))
    }

    @Test func `has scriptTimeout to end`() throws {
        try configure("backup: none\nscriptTimeout: 1s\n")
        #expect(try apply(update(["upgrades/8.0.2.sql": "forever\n"])) == 1)
        #expect(try host.job(1)["code"] as? String == "sql" && told(1).contains("scriptTimeout"), "\(told(1))")
    }

    @Test func `that is cut off runs its script again from the start, and none that is done`() throws {
        try update(["upgrades/8.0.2.sql": "two\n", "upgrades/8.0.1.5.sql": "one\n"])
            .pack(to: "\(host.root)/spool/incoming/update.zip")
        for point in stride(from: 1, to: 200, by: 3) {
            if try host.once(environment: ["PATCHD_FAULT_POINT": "patchd-worker:kill:\(point)"]).code == 0 { break }
        }
        #expect(try host.once().code == 0, "\(told(1))")
        let lines = try given().split(separator: "\n").filter { $0 == "one" || $0 == "two" }
        #expect(lines.first == "one" && lines.last == "two" && Array(lines) == lines.sorted(), "\(lines)")
        let attempts = try given().split(separator: "\n").filter { $0.hasPrefix("8.0") }.map {
            $0.split(separator: " ")[1]
        }
        #expect(attempts.allSatisfy { ["1", "2", "3", "4"].contains($0) }, "\(attempts)")
    }

    @Test func `runs migrations once, as the folder's history has them`() throws {
        #expect(
            try apply(update(["migrations/1_a.sql": "a\n", "migrations/1_a.down.sql": "undo a\n"])) == 0, "\(told(1))")
        let both = [
            "migrations/1_a.sql": "a\n", "migrations/1_a.down.sql": "undo a\n", "migrations/2_b.sql": "b\n",
            "migrations/2_b.down.sql": "undo b\n",
        ]
        #expect(try apply(update(both, "8.0.3", "8.0.2")) == 0, "\(told(2))")
        let texts = { try self.given().split(separator: "\n").filter { !$0.hasPrefix("migrations/") } }
        #expect(try texts() == ["a", "b"])
        #expect(try host.ask(#"{"command": "rollback", "target": "payroll/PAIE"}"#)["ok"] as? Bool == true)
        #expect(try host.job(3)["state"] as? String == "done", "\(told(3))")
        #expect(try texts() == ["a", "b", "undo b"])
        #expect(try apply(update(both, "8.0.3", "8.0.2")) == 0, "\(told(4))")
        #expect(try texts() == ["a", "b", "undo b", "b"])
        let answer = try host.ask(
            #"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.3", "migrations": "5_x"}"#)
        #expect(answer["code"] as? String == "database", "\(answer)")
        #expect(
            try host.ask(#"{"command": "baseline", "target": "payroll/PAIE", "version": "8.0.3"}"#)["ok"] as? Bool
                == true)
    }

    @Test func `is beside a backup of commands only, and a plan says so`() throws {
        try configure("")
        try update(["upgrades/8.0.2.sql": "x\n"]).pack(to: "\(host.root)/plan.zip")
        let outcome = try host.run("patchctl", "plan", "\(host.root)/plan.zip", "--json")
        #expect(outcome.code == 0 && outcome.output.contains("no copy of the databases is made"), "\(outcome)")
        try configure("backup: /bin/date >$PATCHD_BACKUP\nrestore: /bin/cp $PATCHD_BACKUP restored\n")
        let other = try host.run("patchctl", "plan", "\(host.root)/plan.zip", "--json")
        #expect(other.code == 0 && !other.output.contains("no copy"), "\(other)")
        #expect(try apply(update(["upgrades/8.0.2.sql": "x\n"])) == 0, "\(told(1))")
        _ = try host.ask(#"{"command": "rollback", "target": "payroll/PAIE", "discardData": true}"#)
        #expect(try host.job(2)["state"] as? String == "done", "\(told(2))")
        #expect(try !host.read("srv/PAIE/restored").isEmpty)
    }

    @Test func `loads no rows`() throws {
        let rows = update([
            "jobs.json": #"[["installdata", "RATES"]]"#, "datafiles.json": #"{"RATES": {"rows": "rates.csv"}}"#,
            "rates.csv": "code\nA\n",
        ])
        #expect(try apply(rows) == 1)
        #expect(try host.job(1)["code"] as? String == "database", "\(told(1))")
    }
}
