import PatchConfig
import PatchModel
import Testing

@Suite struct NotBuiltTests {
    @Test func `a backup command needs its restore command and the other way round`() throws {
        let alone = try problems(endpoint("backup: /bin/dump\n"))
        #expect(alone.contains { $0.contains("\"restore\" is needed") })
        let other = try problems(endpoint("restore: /bin/load\n"))
        #expect(other.contains { $0.contains("for a \"backup\" that is a command") })
    }

    @Test func `a database of a kind that is not built is refused`() throws {
        let found = try problems(endpoint(folders: "  - {name: A, database: \"postgresql:///a\"}"))
        #expect(found.count == 1 && found[0].contains("\"database\": only sqlite: is built"), "\(found)")
        #expect(try problems(endpoint(folders: "  - {name: A, database: \"sqlite:data/app.db\"}")).isEmpty)
    }

    @Test func `units may be named where systemd runs or where they are left alone`() throws {
        let text = endpoint("tasks: {stop: [a.service], maintenance: [b.service]}\n")
        #expect(try problems(text, units: .ignored).isEmpty)
        #expect(try problems(text, units: .these(["a.service", "b.service"])).isEmpty)
        let found = try problems(text, units: .absent)
        #expect(found.count == 2 && found.allSatisfy { $0.contains("--without-systemd") }, "\(found)")
        #expect(try problems(endpoint(), units: .absent).isEmpty)
    }

    @Test func `a unit that does not exist is refused where it stands, with what may be meant`() throws {
        let units = KnownUnits.these(["payroll-batch.service", "payroll-app@.service"])
        let found = try problems(endpoint("tasks:\n  stop: [payrol-batch.service]\n"), units: units)
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:4:"), "\(found)")
        #expect(found.first?.contains("did you mean \"payroll-batch.service\"") == true, "\(found)")
        // A glob may match later; an instance exists when its template does.
        let fine = "tasks:\n  stop: [\"other-*.timer\", payroll-app@X.service, \"payroll-app@%f.service\"]\n"
        #expect(try problems(endpoint(fine), units: units).isEmpty)
    }

    @Test func `the daemon's keys are refused alike`() throws {
        let found = try problems(["patchd.yaml": "# a line\nsignature: required\n"])
        #expect(found.count == 1 && found[0].hasPrefix("patchd.yaml:2:1:"), "\(found)")
    }

    @Test func `approvers are a group of this host`() throws {
        #expect(try problems(["patchd.yaml": "approvers: root\n"]).isEmpty)
        let found = try problems(["patchd.yaml": "settle: 1s\napprovers: roto\n"])
        #expect(found.count == 1 && found[0].hasPrefix("patchd.yaml:2:"), "\(found)")
        #expect(found.first?.contains("did you mean \"root\"?") == true, "\(found)")
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
            limits: {entries: 200000, unpacked: 64GiB, manifest: 1MiB, name: 1024, depth: 32, output: 16MiB}
            notify: ""
            """
        #expect(try problems(["patchd.yaml": text]).isEmpty)
    }

    @Test func `allowed signers are not passed over while signatures are not checked`() throws {
        #expect(try problems(["allowed_signers": ""]).count == 1)
        #expect(try problems(["allowed_signers": "", "patchd.yaml": "signature: off\n"]).isEmpty)
    }
}
