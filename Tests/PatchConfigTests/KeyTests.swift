import PatchConfig
import PatchModel
import Testing

@Suite struct KeyTests {
    @Test func `a backup command needs its restore command and the other way round`() throws {
        let alone = try problems(endpoint("backup: /bin/dump\n"))
        #expect(alone.contains { $0.contains("\"restore\" is needed") })
        let other = try problems(endpoint("restore: /bin/load\n"))
        #expect(other.contains { $0.contains("for a \"backup\" that is a command") })
    }

    @Test func `credentials need a database beside them`() throws {
        let found = try problems(endpoint(folders: "  - {name: A, credentials: /etc/a}"))
        #expect(found.count == 1 && found[0].contains("only with a \"database\""), "\(found)")
        for url in ["sqlite:data/app.db", "postgresql:///a", "mariadb:///a", "firebird:/a", "firebird://h/a"] {
            #expect(try problems(endpoint(folders: "  - {name: A, database: \"\(url)\"}")).isEmpty, "\(url)")
        }
    }

    @Test func `with a command for SQL, a database is any text`() throws {
        let file = endpoint("sql: /usr/bin/isql -b\n", folders: "  - {name: A, database: DSN=pay roll}")
        let found = try load(["endpoints.d/a.yaml": file]).endpoints.first
        #expect(found?.sql == "/usr/bin/isql -b" && found?.folders.first?.database?.description == "DSN=pay roll")
        let order = try #require(found?.databaseOrder(of: "A"))
        #expect(order.command == "/usr/bin/isql -b" && order.backup == "none" && order.url.forScripts == "DSN=pay roll")
        #expect(order.url.file == nil && order.url.engine == .foreign)
        let empty = endpoint("sql: /usr/bin/isql\n", folders: "  - {name: A, database: \"\"}")
        #expect(try problems(empty).count == 1)
        #expect(try problems(endpoint(folders: "  - {name: A, database: DSN=pay}")).count == 1)
    }

    @Test(arguments: [("DSN=pay", 1), ("DSN=other", 0)])
    func `with a command for SQL, two folders on one database are told by its text`(other: String, count: Int) throws {
        let folders = "  - {name: A, database: DSN=pay}\n  - {name: B, parent: A, database: \(other)}"
        let found = try problems(endpoint("sql: /usr/bin/isql\n", folders: folders))
        #expect(found.filter { $0.contains("has the database of payroll/A") }.count == count, "\(found)")
    }

    @Test func `units may be named where systemd runs or where they are left alone`() throws {
        let text = endpoint("tasks: {stop: [a.service], maintenance: [b.service]}\n")
        #expect(try problems(text, units: .ignored).isEmpty)
        #expect(try problems(text, units: .these(["a.service", "b.service"])).isEmpty)
        let found = try problems(text, units: .absent)
        #expect(found.count == 2 && found.allSatisfy { $0.contains("--without-systemd") }, "\(found)")
        #expect(try problems(endpoint(), units: .absent).isEmpty)
    }

    @Test func `approval and windows are read`() throws {
        let text = endpoint("approval: required\nwindows: [\"Sat,Sun 02:00-05:00\"]\n")
        let found = try load(["endpoints.d/a.yaml": text, "patchd.yaml": "notify: /bin/true\n"])
        #expect(found.endpoints.first?.approval == .required && found.daemon.notify == "/bin/true")
        #expect(found.endpoints.first?.windows.map(\.description) == ["Sat,Sun 02:00-05:00"])
    }

    @Test func `defaults that are written out are accepted`() throws {
        let text = """
            workers: 0
            settle: 60s
            signature: auto
            retain: 5
            approvers: patchd
            limits: {entries: 200000, unpacked: 64GiB, manifest: 1MiB, name: 1024, depth: 32, rehearsal: 64GiB, output: 16MiB, rejected: 1GiB, audit: 640MiB}
            sources: []
            notify: ""
            """
        #expect(try problems(["patchd.yaml": text]).isEmpty)
        let defaults = [
            "behind: locked", "maxFailures: 0", "canary: []", "canaryPause: 0s", "canaryPause: 0m", "sandbox: {}",
            "rehearse: off", "sql: \"\"",
        ]
        for line in defaults { #expect(try problems(endpoint(line + "\n")).isEmpty, "\(line)") }
        #expect(try problems(endpoint(folders: "  - {name: A, credentials: \"\"}")).isEmpty)
    }

    @Test func `a malformed value is reported as malformed`() throws {
        for line in ["behind: usabel", "maxFailures: -1", "canaryPause: 1", "rehearse: of", "canary: SEED"] {
            let found = try problems(endpoint(line + "\n"))
            #expect(found.count == 1, "\(line): \(found)")
        }
    }

    @Test func `rehearsal is configured by an endpoint, a folder and a limit`() throws {
        let text = endpoint(
            "rehearse: always\n",
            folders: "  - {name: A, database: \"mariadb:///a\", rehearseCredentials: /etc/patchd/rehearse}")
        let found = try load(["endpoints.d/a.yaml": text, "patchd.yaml": "limits: {rehearsal: 1GiB}\n"])
        #expect(found.endpoints.first?.rehearse == .always && found.daemon.limits.rehearsal == 1 << 30)
        #expect(found.endpoints.first?.folders.first?.rehearseCredentials == "/etc/patchd/rehearse")
        let alone = try problems(endpoint(folders: "  - {name: A, rehearseCredentials: /etc/a}"))
        #expect(alone.count == 1 && alone[0].contains("only with a \"database\""), "\(alone)")
    }
}
