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
}
