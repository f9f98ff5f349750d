import Glibc
import PatchConfig
import PatchModel
import Testing

/// Only syntax and cross-references refuse a configuration; what this host lacks is for `config check` and preflight.
@Suite struct HostCheckTests {
    private let host: TemporaryDirectory

    init() throws {
        host = try TemporaryDirectory()
        for name in ["pay", "pay/PAIE", "pay/SEED"] { try host.directory(name) }
        try host.write("", to: "pay/PAIE/app.db")
    }

    private func file(_ more: String = "", folders: String = "  - {name: PAIE}") -> [String: String] {
        ["endpoints.d/a.yaml": "endpoint: payroll\npath: \(host.path)/pay\n\(more)folders:\n\(folders)\n"]
    }

    @Test func `a configuration whose directories, database and owner exist passes`() throws {
        let folders = """
              - {name: PAIE, owner: root, database: "sqlite:app.db"}
              - {name: SEED, parent: PAIE}
            """
        #expect(try hostProblems(file(folders: folders)) == [])
    }

    @Test func `a missing directory is reported where it is configured, an inactive folder's is not`() throws {
        let folders = """
              - {name: PAIE}
              - {name: SEEED, parent: PAIE}
              - {name: OLD, parent: PAIE, active: false}
              - {name: OLDER, parent: OLD}
            """
        let found = try hostProblems(file(folders: folders))
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:5:"), "\(found)")
        #expect(found.first?.contains("there is no directory \(host.path)/pay/SEEED; create it") == true)
        let gone = try hostProblems([
            "endpoints.d/a.yaml": "endpoint: a\npath: \(host.path)/gone\nfolders: [{name: A}]\n"
        ])
        #expect(gone.count == 1 && gone[0].hasPrefix("endpoints.d/a.yaml:2:"), "\(gone)")
    }

    @Test func `a missing owner, database or group is reported`() throws {
        let owner = try hostProblems(file("owner: nobody-by-this-name\n"))
        #expect(owner.count == 1 && owner[0].contains("nobody-by-this-name"), "\(owner)")
        let database = try hostProblems(file(folders: "  - {name: PAIE, database: \"sqlite:ap.db\"}"))
        #expect(database.count == 1 && database[0].contains("there is no database"), "\(database)")
        #expect(try hostProblems(["patchd.yaml": "approvers: root\n"]).isEmpty)
        let group = try hostProblems(["patchd.yaml": "settle: 1s\napprovers: roto\n"])
        #expect(group.count == 1 && group[0].hasPrefix("patchd.yaml:2:"), "\(group)")
        #expect(group.first?.contains("did you mean \"root\"?") == true, "\(group)")
    }

    @Test func `a missing unit is reported where it is configured, with a suggestion`() throws {
        let units = KnownUnits.these(["payroll-batch.service", "payroll-app@.service"])
        let found = try hostProblems(file("tasks:\n  stop: [payrol-batch.service]\n"), units: units)
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:4:"), "\(found)")
        #expect(found.first?.contains("did you mean \"payroll-batch.service\"") == true, "\(found)")
        // A glob may match later; an instance exists when its template does.
        let fine = "tasks:\n  stop: [\"other-*.timer\", payroll-app@X.service, \"payroll-app@%f.service\"]\n"
        #expect(try hostProblems(file(fine), units: units).isEmpty)
    }

    @Test(arguments: ["", "/PAIE"]) func `one tree is not two endpoints by way of a link`(below: String) throws {
        #expect(symlink("pay", host.path + "/link") == 0)
        var files = file("accepts: [X*]\n")
        files["endpoints.d/b.yaml"] =
            "endpoint: b\npath: \(host.path)/link\(below)\naccepts: [Y*]\nfolders: [{name: PAIE, active: false}]\n"
        let found = try hostProblems(files)
        #expect(found.count == 1 && found[0].contains("the path of the endpoint in endpoints.d/a.yaml"), "\(found)")
    }
}
