import Foundation
import Support
import Testing

@Suite struct `Files that an admin has changed` {
    let host: Installation

    init() throws { host = try Installation() }

    private func drop(_ version: String, _ dependency: String) throws -> Installation.Outcome {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.keep = ["*.ini"]
        update.files = [
            "X3V8_P2/FILPATCH/conf/app.ini": "of \(version)\n", "X3V8_P2/FILPATCH/lib/a.dat": "of \(version)\n",
            "X3V8_P2BIS/FILPATCH/bis.dat": "of \(version)\n",
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    @Test func `stay where the update keeps them, with the new one beside, and a rollback takes that away`() throws {
        #expect(try drop("8.0.2", "8.0.1").code == 0)
        #expect(try host.read("srv/SEED/conf/app.ini") == "of 8.0.2\n")
        try host.write("mine\n", "srv/SEED/conf/app.ini")
        let before = try host.picture()
        #expect(try drop("8.0.3", "8.0.2").code == 0)
        #expect(try host.read("srv/SEED/conf/app.ini") == "mine\n")
        #expect(try host.read("srv/SEED/conf/app.ini.patchd-new") == "of 8.0.3\n")
        for folder in ["PAIE", "SEED2", "SEEDPROD", "SEEDPROD2"] {
            #expect(try host.read("srv/\(folder)/conf/app.ini") == "of 8.0.3\n")
            #expect(!host.exists("srv/\(folder)/conf/app.ini.patchd-new"))
        }
        let plan = try host.json("state/jobs/2/plan.json")
        let warnings = (plan["endpoints"] as? [[String: Any]])?.first?["warnings"] as? [String]
        #expect(warnings?.contains { $0.contains("SEED: \"conf/app.ini\" was changed here and stays") } == true)

        try host.write("{\"command\": \"rollback\", \"job\": 2}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try host.picture() == before)
    }
}

@Suite struct `A folder's own symbolic links` {
    /// A folder of which `lib` is a link to a directory inside it.
    private func host(_ settings: String) throws -> Installation {
        let host = try Installation(settings: settings)
        try host.write("old\n", "srv/SEED/releases/1/a.dat")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED/lib")
        try FileManager.default.createSymbolicLink(
            atPath: "\(host.root)/srv/SEED/lib", withDestinationPath: "releases/1")
        return host
    }

    @Test func `are not written through by default: a fault of that folder, and nothing is touched`() throws {
        let host = try host("")
        let before = try host.picture(withTimes: true)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "ownership")
        #expect((job["message"] as? String)?.contains("links: inside") == true)
        #expect(try host.picture(withTimes: true) == before)
    }

    @Test func `are written through with links: inside, and stay links`() throws {
        let host = try host("links: inside\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.read("srv/SEED/releases/1/a.dat") == "new a\n")
        #expect(try host.read("srv/SEED/releases/1/deep/b.dat") == "new b\n")
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: "\(host.root)/srv/SEED/lib")
        #expect(link == "releases/1")
    }

    @Test func `that lead out of the folder are not written through either way`() throws {
        let host = try Installation(settings: "links: inside\n")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED/lib")
        try FileManager.default.createSymbolicLink(
            atPath: "\(host.root)/srv/SEED/lib", withDestinationPath: "../SEED2/lib")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "ownership")
        #expect(try host.read("srv/SEED2/lib/a.dat") == "old\n")
    }
}
