import Foundation
import Support
import Testing

@Suite struct `An endpoint with folders of several types` {
    private func host(_ settings: String) throws -> Installation {
        try Installation(settings: settings, types: ["SEED2": "test", "SEEDPROD": "specific"])
    }

    private func drop(_ host: Installation, options: String? = nil, _ files: [String: String] = [:]) throws -> Int32 {
        var update = ExampleUpdate()
        for (path, text) in files { update.files["X3V8_P2/FILPATCH/" + path] = text }
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once().code
    }

    private func holders(_ host: Installation, _ path: String) -> [String] {
        host.folders.filter { host.exists("srv/\($0)/\(path)") }
    }

    @Test func `brings programs to the root and to test folders, and everything else everywhere`() throws {
        let host = try host("programFiles: [\"*.src\"]\n")
        #expect(try drop(host, ["TRT/PAY.src": "program\n", "TRT2/PAY.txt": "text\n"]) == 0)
        #expect(holders(host, "TRT/PAY.src") == ["PAIE", "SEED2"])
        #expect(holders(host, "TRT") == ["PAIE", "SEED2"], "no directory is left empty elsewhere")
        #expect(holders(host, "TRT2/PAY.txt") == host.folders)
        for folder in host.folders {
            #expect(try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String == "8.0.2")
        }
    }

    @Test func `brings a patch for the supervisor to the root alone, its scripts too, and raises the others`() throws {
        let host = try host("programFiles: [\"*.src\"]\n")
        var update = ExampleUpdate()
        update.target = "supervisor"
        update.files["X3V8_P2/FILPATCH/TRT/PAY.src"] = "program\n"
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "echo ran > ran\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        for path in ["TRT/PAY.src", "top.dat", "ran"] { #expect(holders(host, path) == ["PAIE"], "\(path)") }
        #expect(holders(host, "bis.dat") == host.folders)
        for folder in host.folders {
            let state = try host.json("state/endpoints/payroll/\(folder).json")
            #expect(state["version"] as? String == "8.0.2")
            #expect((state["patches"] as? [String: Bool])?["X3V8_P2"] == (folder == "PAIE" ? true : nil))
        }
    }

    @Test func `replaces a specific program that is a link`() throws {
        let host = try host("specificPrograms: [X*]\n")
        try host.write("shared\n", "shared/XOLD.src")
        try FileManager.default.createSymbolicLink(
            atPath: "\(host.root)/srv/SEED/XOLD.src", withDestinationPath: "\(host.root)/shared/XOLD.src")
        #expect(try drop(host, ["XOLD.src": "new\n"]) == 0)
        #expect(holders(host, "XOLD.src") == ["SEED"])
        #expect(try host.read("srv/SEED/XOLD.src") == "new\n")
        #expect(try host.read("shared/XOLD.src") == "shared\n")
    }

    @Test func `calls a test folder that ran ahead diverged, until the others have caught up`() throws {
        let host = try host("programFiles: [\"*.src\"]\n")
        func diverged() throws -> [String] {
            try host.folders.filter { try host.json("state/endpoints/payroll/\($0).json")["diverged"] as? Bool == true }
        }
        #expect(try drop(host, options: "{\"only\": [\"SEED2\"]}", ["TRT/PAY.src": "program\n"]) == 0)
        #expect(holders(host, "TRT/PAY.src") == ["SEED2"])
        #expect(try diverged() == ["SEED2"])
        #expect(try host.run("patchctl", "status").output.contains("(diverged)"))
        #expect(try drop(host, ["TRT/PAY.src": "program\n"]) == 0)
        #expect(holders(host, "TRT/PAY.src") == ["PAIE", "SEED2"])
        #expect(try diverged() == [])
    }

    @Test func `has a test folder that ran ahead no more diverged when it went back`() throws {
        let host = try host("")
        #expect(
            try drop(host, options: "{\"only\": [\"SEED2\"]}", ["upgrades/8.0.2.sh": "", "downgrades/8.0.2.sh": ""])
                == 0)
        #expect(try host.json("state/endpoints/payroll/SEED2.json")["diverged"] as? Bool == true)
        try host.write("{\"command\": \"rollback\", \"job\": 1}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEED2.json")["diverged"] as? Bool == false)
    }

    @Test func `brings a specific program where it is already, and a new one to specific folders only`() throws {
        let host = try host("programFiles: [\"*.src\"]\nspecificPrograms: [X*]\n")
        for folder in ["SEED", "SEEDPROD2"] { try host.write("own\n", "srv/\(folder)/TRT/XOLD.src") }
        let files = ["TRT/XOLD.src": "new\n", "TRT/XNEW.src": "new\n", "TRT/PAY.src": "program\n"]
        #expect(try drop(host, files) == 0)
        #expect(holders(host, "TRT/XOLD.src") == ["SEED", "SEEDPROD2"])
        #expect(try host.read("srv/SEED/TRT/XOLD.src") == "new\n")
        #expect(holders(host, "TRT/XNEW.src") == ["SEEDPROD"])
        #expect(holders(host, "TRT/PAY.src") == ["PAIE", "SEED2"])
        // The next one replaces it there.
        var update = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
        update.files["X3V8_P2/FILPATCH/TRT/XNEW.src"] = "newer\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(holders(host, "TRT/XNEW.src") == ["SEEDPROD"])
        #expect(try host.read("srv/SEEDPROD/TRT/XNEW.src") == "newer\n")
    }

    @Test func `brings a specific program nowhere when only a folder that is left out has it, and says so`() throws {
        let host = try host("specificPrograms: [X*]\n")
        try host.write("own\n", "srv/SEED/XOLD.src")
        #expect(try drop(host, options: "{\"exclude\": [\"SEED\"]}", ["XOLD.src": "new\n"]) == 0)
        #expect(holders(host, "XOLD.src") == ["SEED"])
        #expect(try host.read("srv/SEED/XOLD.src") == "own\n")
        let plan = try host.json("state/jobs/1/plan.json")
        let warnings = (plan["endpoints"] as? [[String: Any]])?.first?["warnings"] as? [String]
        #expect(warnings?.contains { $0.contains("\"XOLD.src\" goes nowhere: only SEED has it") } == true)
    }

    @Test func `shows in patchctl plan where a specific program goes`() throws {
        let host = try host("specificPrograms: [X*]\n")
        try host.write("own\n", "srv/SEED/XOLD.src")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/XOLD.src"] = "new\n"
        try update.pack(to: "\(host.root)/update.zip")
        let outcome = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.components(separatedBy: "file XOLD.src").count == 2)
    }

    @Test func `names scripts that do not run and patches that reach nobody, in the plan and in the job that is done`()
        throws
    {
        let host = try host("")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/V8.0.2__x.sql"] = "SELECT 1;\n"
        try update.pack(to: "\(host.root)/update.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(plan.output.contains("scriptIgnored: X3V8_P2/FILPATCH/upgrades/V8.0.2__x.sql"), "\(plan.output)")
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["state"] as? String == "done")
        let warnings = try #require(job["warnings"] as? [String])
        #expect(
            warnings.contains { $0.hasPrefix("scriptIgnored: X3V8_P2/FILPATCH/upgrades/V8.0.2__x.sql") }, "\(warnings)")
        #expect(try host.run("patchctl", "show", "1").output.contains("V8.0.2__x.sql"))
    }
}
