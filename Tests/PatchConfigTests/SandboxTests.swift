import PatchConfig
import PatchModel
import Testing

@Suite struct `The sandbox of an endpoint` {
    private func sandbox(_ text: String) throws -> Sandbox {
        let found = try load(["endpoints.d/a.yaml": endpoint("sandbox: \(text)\n")])
        return try #require(found.endpoints.first).sandbox
    }

    @Test func `is nothing by default, and what it says else`() throws {
        #expect(try sandbox("{}") == Sandbox())
        let found = try sandbox(
            "{write: [/var/lib/acme, /opt/acme/log], read: [/home/acme], network: false, memory: 2GiB, tasks: 512}")
        #expect(found.write == ["/var/lib/acme", "/opt/acme/log"] && found.read == ["/home/acme"])
        #expect(found.network == false && found.memory == 2 << 30 && found.tasks == 512)
        #expect(
            found.text == "write /var/lib/acme, /opt/acme/log; read /home/acme; no network; memory 2GiB; tasks 512")
    }

    @Test(arguments: [
        ("{writes: [/a]}", "unknown key \"writes\"; did you mean \"write\"?"),
        ("{write: /a}", "\"write\" is a list"),
        ("{write: [a]}", "is an absolute path, not \"a\""),
        ("{write: [/]}", "cannot be \"/\""),
        ("{write: [/a/../b]}", "is written without \".\" and \"..\""),
        ("{read: [/dev/sda]}", "cannot be in /dev"),
        ("{read: [/proc]}", "cannot be in /proc"),
        ("{read: [/a], write: [/a]}", "\"/a\" is given twice in \"sandbox\""),
        ("{network: yes}", "is true or false, not \"yes\"; did you mean \"true\"?"),
        ("{memory: 2GB}", "needs one of the units KiB, MiB, GiB, TiB"),
        ("{memory: 1MiB}", "is at least 64MiB"),
        ("{tasks: 3}", "is a number from 16 to"),
        ("true", "\"sandbox\" is a map"),
    ])
    func `is refused where it is wrong, with the place and the way out`(text: String, message: String) throws {
        let found = try problems(endpoint("sandbox: \(text)\n"))
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:3:"), "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test func `names paths that this host has, as config check says`() throws {
        let text = endpoint("sandbox: {write: [/nowhere/at-all], read: [/usr]}\n")
        let found = try hostProblems(["endpoints.d/a.yaml": text]).filter { $0.contains("sandbox") }
        #expect(found.count == 1 && found[0].hasPrefix("endpoints.d/a.yaml:3:"), "\(found)")
        #expect(found.first?.contains("there is no /nowhere/at-all; create it, or take it out") == true, "\(found)")
    }

    @Test func `gives a network to folders with a database on a server, and where the admin has commands`() throws {
        func network(_ more: String, _ folder: String = "") throws -> Bool {
            let found = try load(["endpoints.d/a.yaml": endpoint(more, folders: "  - {name: PAIE\(folder)}")])
            let own = try #require(found.endpoints.first)
            return own.hasNetwork(try #require(own.folders.first))
        }
        #expect(try !network(""))
        #expect(try !network("", ", database: \"sqlite:data/app.db\""))
        #expect(try !network("", ", database: \"firebird:/srv/payroll/PAIE/app.fdb\""))
        for server in ["postgresql:///app", "mariadb:///app", "firebird://localhost/app"] {
            #expect(try network("", ", database: \"\(server)\""))
            #expect(try !network("sandbox: {network: false}\n", ", database: \"\(server)\""))
        }
        #expect(try network("hooks: {validate: \"curl -f http://localhost/\"}\n"))
        #expect(try network("handlers: {dat: \"/bin/true {file}\"}\n"))
        #expect(try network("backup: /bin/true\nrestore: /bin/true\n"))
        #expect(try network("sql: /bin/true\n", ", database: anything"))
        #expect(try network("sandbox: {network: true}\n"))
    }
}
