import Foundation
import Support
import Testing

/// The worker is killed at the n-th system call of a kind in the phase in which it works on the database. The daemon starts
/// it again, and all must be as if nothing had happened. `scripts/database-kills` makes all cuts, the tests a few.
@Suite struct `A worker that is killed at a system call` {
    /// A database that an update works on: where it is, and how somebody else asks it.
    struct Target {
        var url: String
        /// Lines of the configuration of its folder.
        var more = ""
        /// What its tables are called; `rates` as the data job names it.
        var rates = "rates"
        var sql: (String) throws -> String
    }

    enum Engine: String, CaseIterable {
        case sqlite, postgresql, mariadb, firebird

        func target(_ host: Installation) throws -> Target {
            switch self {
            case .sqlite: return Target(url: "sqlite:app.db") { try host.sql($0) }
            case .postgresql:
                let server = try PostgreSQLServer.shared()
                let name = try server.createDatabase()
                return Target(url: server.url(name)) { try server.sql($0, in: name) }
            case .mariadb:
                let server = try MariaDBServer.shared()
                let name = try server.makeDatabase()
                return Target(url: server.url(name)) { try server.run($0, in: name) }
            case .firebird:
                let server = try FirebirdServer.shared.get()
                let path = try server.newDatabase()
                try host.write("user=\(FirebirdServer.user)\npassword=\(FirebirdServer.password)\n", "etc/credentials")
                chmod("\(host.root)/etc/credentials", 0o600)
                return Target(
                    url: server.url(path), more: ", credentials: \"\(host.root)/etc/credentials\"", rates: "RATES"
                ) { try server.isql($0 + ";", path) }
            }
        }
    }

    private static let environment = ProcessInfo.processInfo.environment
    /// What talks to a server or changes a file.
    private static let calls = [
        "sendto", "recvfrom", "write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "unlink", "renameat2",
    ]

    /// The programs, of which the worker is started by a shell script that reads what to do to it.
    private final class Bench {
        let path = "/tmp/patchd-kills-\(UInt64.random(in: .min ... .max))"

        init() throws {
            let host = try Installation()
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Command.tool("/bin/cp", host.program("patchd"), "\(path)/patchd")
            let worker = host.program("patchd-worker")
            let script = """
                #!/bin/sh
                . \(path)/order
                if [ "$1" != apply ] || ! mkdir \(path)/chosen 2>/dev/null; then exec \(worker) "$@"; fi
                exec strace -f -qq -o \(path)/trace -e trace=\(calls.joined(separator: ",")) $INJECT \(worker) "$@"

                """
            // Written by another process: what this one has open for writing cannot be run.
            try script.write(toFile: "\(path)/draft", atomically: false, encoding: .utf8)
            try Command.tool("/bin/cp", "\(path)/draft", "\(path)/patchd-worker")
            try Command.tool("/bin/chmod", "755", "\(path)/patchd-worker")
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// What the worker did that was watched.
        var trace: String { (try? String(contentsOfFile: "\(path)/trace", encoding: .utf8)) ?? "" }
    }

    private let bench: Bench

    init() throws { bench = try Bench() }

    /// Applies the update with one disturbance.
    ///
    /// - Returns: what is there afterwards.
    private func apply(_ engine: Engine, _ inject: String = "") throws -> [String] {
        let host = try Installation()
        let target = try engine.target(host)
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write(
            """
            endpoint: payroll
            path: \(host.root)/srv
            \(owner)grace: 1s
            backup: none
            folders:
              - {name: PAIE, version: 8.0.1, modules: [HRM], database: "\(target.url)"\(target.more)}

            """, "etc/endpoints.d/payroll.yaml")
        _ = try target.sql("CREATE TABLE ran (id integer NOT NULL PRIMARY KEY, name varchar(60))")
        _ = try target.sql("CREATE TABLE \(target.rates) (code varchar(10) NOT NULL PRIMARY KEY, rate integer)")
        try Self.update(target.rates).pack(to: "\(host.root)/spool/incoming/update.zip")
        try? FileManager.default.removeItem(atPath: "\(bench.path)/chosen")
        try "INJECT='\(inject)'\n".write(toFile: "\(bench.path)/order", atomically: true, encoding: .utf8)
        let outcome = try Installation.run("\(bench.path)/patchd", host.placed(["--once"]))
        let job = (try? host.job(1)).map { "\($0)" } ?? ""
        guard outcome.code == 0 else { return ["exit \(outcome.code): \(outcome.errors) \(job)"] }
        let queries = [
            "SELECT id, name FROM ran ORDER BY id", "SELECT code, rate FROM \(target.rates) ORDER BY code",
            "SELECT a FROM made ORDER BY a", "SELECT version FROM patchd_version",
            "SELECT count(*) FROM patchd_revision", "SELECT DISTINCT script, state FROM patchd_step ORDER BY script",
        ]
        return try queries.map(target.sql) + [host.read("srv/PAIE/lib/8.0.2.dat"), host.read("srv/PAIE/shell")]
    }

    private static func update(_ rates: String) -> ExampleUpdate {
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/lib/8.0.2.dat": "here\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.1.5.sql": """
            CREATE TABLE made (a integer);
            INSERT INTO ran SELECT count(*) + 1, 'first' FROM ran;
            ALTER TABLE made ADD b integer;
            INSERT INTO made VALUES (1, 1);
            INSERT INTO ran SELECT count(*) + 1, 'second' FROM ran;

            """,
            "X3V8_P2/FILPATCH/upgrades/8.0.2.sh": "echo ran >shell\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.2.sql": """
            INSERT INTO made VALUES (2, 2);
            INSERT INTO ran SELECT count(*) + 1, 'third' FROM ran;

            """,
            "X3V8_P2/FILPATCH/migrations/0001_more.sql": "INSERT INTO ran SELECT count(*) + 1, 'fourth' FROM ran;\n",
            "X3V8_P2BIS/FILPATCH/jobs.json": "[[\"installdata\", \"\(rates)\"]]",
            "X3V8_P2BIS/FILPATCH/datafiles.json": """
            {"\(rates)": {"files": [], "record": {"index": 7}, "rows": "rates.csv", "key": ["code"]}}
            """,
            "X3V8_P2BIS/FILPATCH/rates.csv": "code,rate\nA,1\nB,2\nC,3\n",
        ]
        return update
    }

    /// Every call of the undisturbed run, by its kind and number: each thread counts its own.
    private func cuts() -> [(call: String, number: Int)] {
        var counts: [Substring: [Substring: Int]] = [:]
        for line in bench.trace.split(separator: "\n") {
            // The thread, then the call with its arguments.
            let words = line.split(maxSplits: 2) { $0 == " " || $0 == "(" }
            guard words.count > 1, Self.calls.contains(String(words[1])) else { continue }
            counts[words[1], default: [:]][words[0], default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.flatMap { call, byThread in
            (1...(byThread.values.max() ?? 1)).map { (String(call), $0) }
        }
    }

    @Test func `leaves a database on any engine as if it had not been killed`() throws {
        let engines = Self.environment["KILL_ENGINES"]?.split(separator: " ").compactMap {
            Engine(rawValue: String($0))
        }
        let sample = Self.environment["KILL_SAMPLE"] ?? "4"
        let seed = Self.environment["KILL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)
        for engine in engines ?? Engine.allCases {
            let undisturbed = try apply(engine)
            try #require(undisturbed.count > 1, "\(engine.rawValue): \(undisturbed)")
            var cuts = self.cuts()
            try #require(!cuts.isEmpty)
            var random = SeededGenerator(seed: seed)
            cuts.shuffle(using: &random)
            let made = sample == "all" ? cuts : Array(cuts.prefix(try #require(Int(sample))))
            var (came, bad) = (0, 0)
            for cut in made {
                let after = try apply(engine, "-e inject=\(cut.call):signal=KILL:when=\(cut.number)")
                if bench.trace.contains("killed by SIGKILL") { came += 1 }
                if after == undisturbed { continue }
                bad += 1
                Issue.record("\(engine.rawValue), \(cut.call) \(cut.number): \(after)\ninstead of \(undisturbed)")
            }
            print("\(engine.rawValue), seed \(seed): \(came) of \(made.count) cuts came, of \(cuts.count), \(bad) bad")
            #expect(came * 2 > made.count)
        }
    }
}
