import PatchConfig
import PatchModel
import Testing

@Suite struct ConfigurationTests {
    private let contract = """
        # endpoints.d/payroll.yaml
        endpoint: payroll
        path: /srv/payroll
        accepts: ["X3V8_*"]
        tasks:
          stop: [payroll-batch.service, "payroll-*.timer", "payroll-app@%f.service"]
          maintenance: [payroll-batch@maintenance.service]
        leadTime: 0s
        grace: 45s
        disconnect: always
        spare: []
        backup: auto
        links: deny
        onFailure: hold
        approval: none
        windows: []
        scriptTimeout: 2h
        programFiles: []
        specificPrograms: []
        hooks: {before: "", validate: "", after: ""}
        folders:
          - {name: PAIE, type: supervisor, version: 8.10, modules: [HRM]}
          - {name: SEED, parent: PAIE}
          - {name: SEED2, parent: PAIE, type: test}
          - {name: SEEDPROD, parent: PAIE, path: prod/seed, owner: nobody}
          - {name: SEEDPROD2, parent: SEEDPROD, modules: [], version: 8.9}
          - {name: OLD, parent: PAIE, active: false}
        """

    @Test func `the contract's endpoint is read as it stands`() throws {
        let configuration = try load(["endpoints.d/payroll.yaml": contract])
        #expect(configuration.daemon == DaemonSettings())
        let endpoint = try #require(configuration.endpoints.first)
        #expect(endpoint.name == "payroll")
        #expect(endpoint.accepts == ["X3V8_*"])
        #expect(endpoint.tasks.stop == ["payroll-batch.service", "payroll-*.timer", "payroll-app@%f.service"])
        #expect(endpoint.grace == 45)
        #expect(endpoint.scriptTimeout == 7200)
        #expect(endpoint.folders.map(\.name) == ["PAIE", "SEED", "SEED2", "SEEDPROD", "SEEDPROD2", "OLD"])
        #expect(endpoint.folders.map(\.role) == [.supervisor, .standard, .test, .standard, .standard, .standard])
        #expect(endpoint.folders.map(\.active) == [true, true, true, true, true, false])
    }

    @Test func `version, modules and owner come from the folder, else its reference folder, else the endpoint`() throws
    {
        let folders = try #require(try load(["endpoints.d/payroll.yaml": contract]).endpoints.first).folders
        #expect(folders.map(\.version?.description) == ["8.10", "8.10", "8.10", "8.10", "8.9", "8.10"])
        #expect(folders.map(\.modules) == [["HRM"], ["HRM"], ["HRM"], ["HRM"], [], ["HRM"]])
        #expect(folders.map(\.owner) == [nil, nil, nil, "nobody", "nobody", nil])
        #expect(folders.map(\.path).prefix(4).last == "/srv/payroll/prod/seed")

        let keys = "version: 7.1\nmodules: [FIN]\nowner: daemon\n"
        let inherited = try load([
            "endpoints.d/a.yaml": endpoint(keys, folders: "  - {name: A}\n  - {name: B, parent: A, version: 8.0}")
        ])
        let (first, second) = (inherited.endpoints[0].folders[0], inherited.endpoints[0].folders[1])
        #expect(first.version?.description == "7.1" && second.version?.description == "8.0")
        #expect(first.modules == ["FIN"] && second.modules == ["FIN"] && second.owner == "daemon")
    }

    @Test func `without any file the defaults count and there are no endpoints`() throws {
        #expect(try load([:]) == Configuration(endpoints: []))
    }

    @Test func `a file of comments only counts as absent`() throws {
        #expect(
            try load(["patchd.yaml": "# workers: 3\n", "endpoints.d/a.yaml": "---\n"]) == Configuration(endpoints: []))
    }

    @Test func `files that are hidden or renamed away are left alone, a yml is a slip`() throws {
        let files = ["endpoints.d/.a.yaml": "{", "endpoints.d/a.yaml.off": "{", "endpoints.d/README": "{"]
        #expect(try load(files).endpoints.isEmpty)
        #expect(
            try problems(["endpoints.d/a.yml": ""]) == [
                "endpoints.d/a.yml: only *.yaml is read; rename it to \"a.yaml\""
            ])
    }

    @Test func `a directory that does not exist is a problem`() throws {
        #expect(throws: ConfigurationErrors.self) {
            try ConfigurationDirectory("/nonexistent/patchd").load(units: .ignored)
        }
    }

    @Test func `the daemon's settings are read`() throws {
        let text = """
            workers: 3
            settle: 500ms
            signature: off
            limits: {entries: 7, unpacked: 2GiB, manifest: 64KiB, name: 255, depth: 9, output: 1MiB, rejected: 3GiB, audit: 20MiB}
            """
        let daemon = try load(["patchd.yaml": text]).daemon
        #expect(daemon.workers == 3 && daemon.settle == 0.5 && daemon.signature == .off)
        #expect(daemon.limits.entries == 7 && daemon.limits.unpacked == 2 << 30 && daemon.limits.manifest == 64 << 10)
        #expect(daemon.limits.name == 255 && daemon.limits.depth == 9 && daemon.limits.output == 1 << 20)
        #expect(daemon.limits.rejected == 3 << 30 && daemon.limits.audit == 20 << 20)
    }

    @Test func `every problem of every file is told, in the order of files and lines`() throws {
        let found = try problems([
            "patchd.yaml": "retain: 0\nworkers: many\n",
            "endpoints.d/b.yaml": "endpoint: b\npath: srv\nfolders: [{name: B}]\naccepts: [B]\n",
            "endpoints.d/a.yaml": "endpoint: a b\npath: /srv/a\ngrace: 5\nfolders: [{name: A}, {name: A, parent: X}]\n",
        ])
        #expect(
            found.map { String($0.prefix { $0 != " " }) } == [
                "patchd.yaml:1:9:", "patchd.yaml:2:10:",
                "endpoints.d/a.yaml:1:1:", "endpoints.d/a.yaml:1:11:", "endpoints.d/a.yaml:3:8:",
                "endpoints.d/a.yaml:4:29:", "endpoints.d/a.yaml:4:40:", "endpoints.d/b.yaml:2:7:",
            ])
    }
}
