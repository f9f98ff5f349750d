import Foundation
import Support
import Testing

@Suite struct `An update with commands` {
    let host: Installation
    private let main = "X3V8_P2/FILPATCH"

    init() throws { host = try Installation() }

    /// Brings the table and the form Address, a renamed tool, and takes a file away.
    private var first: ExampleUpdate {
        update(
            "8.0.2", "8.0.1",
            jobs: #"""
                [["fileupload","bin/tool"], ["filecopyto","bin/tool","sbin/tool-8"], ["filedelete","lib/a.dat"],
                 ["installdata","Address"], ["installform","Address"]]
                """#,
            data: #"""
                {"Address": {"files": ["Data/ADDR*"], "record": {"letter": "A", "size": 1.50},
                             "formdata": {"file": "Forms/ADDR.FRM", "title": "Addresses"}}}
                """#,
            files: [
                "bin/tool": "tool\n", "Data/ADDRAAAA.DBM": "rows\n", "Data/ADDRAAAA.IDX": "index\n",
                "Forms/ADDR.FRM": "form\n", "not/named": "no\n",
            ])
    }

    /// Replaces the table by one without its index, and brings another one.
    private var second: ExampleUpdate {
        update(
            "8.0.3", "8.0.2", jobs: #"[["replacedata","Address"], ["installorreplacedata","Rates"]]"#,
            data: #"""
                {"Address": {"files": ["Data/ADDRAAAA.DBM"]}, "Rates": {"files": ["Data/RATES.DBM"], "record": {}}}
                """#,
            files: ["Data/ADDRAAAA.DBM": "new rows\n", "Data/RATES.DBM": "rates\n"])
    }

    private func update(
        _ version: String, _ dependency: String, jobs: String, data: String, files: [String: String]
    ) -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "\(main)/jobs.json": jobs, "\(main)/datafiles.json": data, "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n",
            "\(main)/upgrades/\(version).sh": "cp registry.json seen\n",
            "\(main)/downgrades/\(version).sh": "rm -f seen\n",
        ]
        for (name, text) in files { update.files["\(main)/\(name)"] = text }
        return update
    }

    private func apply(_ update: ExampleUpdate) throws -> Int32 {
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func rollBack(_ job: Int) throws {
        try host.write("{\"command\": \"rollback\", \"job\": \(job)}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try host.json("spool/requests/done/r.json")["ok"] as? Bool == true)
    }

    private func registry(_ folder: String) throws -> [String: [String: [String: Any]]] {
        let all = try host.json("srv/\(folder)/registry.json")
        #expect(all["schema"] as? Int == 1)
        return all.compactMapValues { $0 as? [String: [String: Any]] }
    }

    @Test func `does what they say in every folder, and a rollback brings all of it back`() throws {
        let before = try host.picture()
        #expect(try apply(first) == 0)
        for folder in host.folders {
            #expect(try host.read("srv/\(folder)/sbin/tool-8") == "tool\n")
            #expect(try host.read("srv/\(folder)/Data/ADDRAAAA.IDX") == "index\n")
            #expect(try host.read("srv/\(folder)/Forms/ADDR.FRM") == "form\n")
            for name in ["lib/a.dat", "not/named", "bin/tool", "jobs.json", "datafiles.json"] {
                #expect(!host.exists("srv/\(folder)/\(name)"), "\(name)")
            }
            let registry = try registry(folder)
            #expect(
                registry["tables"]?["Address"]?["files"] as? [String] == ["Data/ADDRAAAA.DBM", "Data/ADDRAAAA.IDX"])
            #expect(registry["forms"]?["Address"]?["files"] as? [String] == ["Forms/ADDR.FRM"])
            #expect(try host.read("srv/\(folder)/seen") == host.read("srv/\(folder)/registry.json"))
        }
        #expect(try host.read("srv/SEED/registry.json").contains("\"size\":1.50"))
        let between = try host.picture().filter { !$0.contains("/seen ") }

        #expect(try apply(second) == 0)
        for folder in host.folders {
            #expect(try host.read("srv/\(folder)/Data/ADDRAAAA.DBM") == "new rows\n")
            #expect(!host.exists("srv/\(folder)/Data/ADDRAAAA.IDX"), "the new table has none")
            let registry = try registry(folder)
            #expect(registry["tables"]?.keys.sorted() == ["Address", "Rates"])
            // What the update says nothing of stays.
            #expect((registry["tables"]?["Address"]?["record"] as? [String: Any])?["letter"] as? String == "A")
            #expect(registry["forms"]?["Address"] != nil)
        }
        #expect(try host.run("patchctl", "verify").code == 0)

        try rollBack(2)
        #expect(try host.picture().filter { !$0.contains("/seen ") } == between)
        try rollBack(1)
        #expect(try host.picture() == before)
    }

    @Test func `that the folders do not fit touches nothing and names all of them`() throws {
        #expect(try apply(first) == 0)
        var again = first
        again.version = "8.0.3"
        again.dependency = "8.0.2"
        let before = try host.picture()
        #expect(try apply(again) == 1)
        let job = try host.json("state/jobs/2/job.json")
        #expect(job["code"] as? String == "exists")
        for folder in host.folders {
            #expect((job["message"] as? String)?.contains("\(folder): cannot install") == true)
        }
        #expect(try host.picture() == before)
    }

    @Test func `is not applied where the registry is damaged, and the plan says so as well`() throws {
        try host.write("{\"schema\": 1, \"tables\": ", "srv/SEED/registry.json")
        let before = try host.picture()
        #expect(try apply(first) == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "io")
        #expect((job["message"] as? String)?.contains("srv/SEED/registry.json") == true, "\(job)")
        #expect((job["message"] as? String)?.contains("SEED2") == false)
        #expect(try host.picture() == before)
        try first.pack(to: "\(host.root)/update.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(plan.code == 1)
        #expect(plan.output.contains("fault io: SEED: cannot use"), "\(plan.output)")
    }

    @Test func `is shown by plan as it will be done, without what is there already`() throws {
        try first.pack(to: "\(host.root)/update.zip")
        try host.write("tool\n", "srv/SEED/sbin/tool-8")
        let text = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(text.code == 0, "\(text.errors)")
        for line in [
            "    file sbin/tool-8", "    remove lib/a.dat", "    file Data/ADDRAAAA.DBM", "    file Forms/ADDR.FRM",
            "    registry registry.json", "    already up to date: 2",
        ] { #expect(text.output.contains(line + "\n"), "\(line) in\n\(text.output)") }
        let json = try host.run("patchctl", "plan", "--json", "\(host.root)/update.zip")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let endpoint = try #require((report["endpoints"] as? [[String: Any]])?.first)
        let folder = try #require((endpoint["folders"] as? [[String: Any]])?.first)
        let steps = try #require(folder["steps"] as? [[String: Any]])
        #expect(steps.contains { $0["kind"] as? String == "registry" && $0["path"] as? String == "registry.json" })
        #expect(steps.contains { $0["kind"] as? String == "remove" && $0["path"] as? String == "lib/a.dat" })
        #expect(!host.exists("srv/SEED/.patchd"))
    }

    @Test func `and rows is a fault that names the table, where the folders have no database`() throws {
        var update = second
        update.dependency = "8.0.1"
        update.files["\(main)/jobs.json"] = #"[["installdata","Rates"]]"#
        update.files["\(main)/rates.csv"] = "code,rate\nA,1\n"
        update.files["\(main)/datafiles.json"] = #"{"Rates": {"rows": "rates.csv", "key": ["code"]}}"#
        let before = try host.picture()
        #expect(try apply(update) == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "database")
        #expect((job["message"] as? String)?.contains("Rates") == true)
        #expect(try host.picture() == before)
    }

    /// As in the kill chain of a plain update: every start is killed one fault point later than the one before.
    @Test func `ends as if undisturbed when daemon and worker are killed at each next fault point`() throws {
        #expect(try apply(first) == 0)
        let other = try Installation()
        try first.pack(to: "\(other.root)/spool/incoming/update.zip")
        let order = ["patchd", "patchd-worker"].map { "\($0):kill:next:\(other.root)/next-\($0)" }.joined(
            separator: ",")
        var starts = 0
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        while outcome.code == 128 + SIGKILL, starts < 2000 {
            outcome = try other.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
        }
        #expect(outcome.code == 0 && starts > 20, "start \(starts): \(outcome.errors)")
        #expect(try other.picture() == host.picture())
        #expect(try other.json("state/jobs/1/job.json")["state"] as? String == "done")
    }
}
