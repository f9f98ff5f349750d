import Foundation
import Testing

/// `Fixtures/first-build.tar.gz` is a host as commit 9eb2902, the first that applied an update, left it: on `other` job 1 is
/// done in A; on `payroll` job 2 is done in PAIE and failed in SEED, because its script wants a file `ready` there.
@Suite struct `What an older patchd left` {
    private let host: Installation

    init() throws {
        let older = try OlderHost("first-build.tar.gz")
        host = older.host
        for (endpoint, job, folder) in [
            ("other", 1, "other/A"), ("payroll", 2, "srv/PAIE"), ("payroll", 2, "srv/SEED"),
        ] {
            let name = (folder as NSString).lastPathComponent
            let configuration = "etc/endpoints.d/\(endpoint).yaml"
            try older.move(configuration)
            // Made with one endpoint after the other.
            let accepts = endpoint == "other" ? "X3V8_A" : "X3V8_P"
            let text = try host.read(configuration)
            if !text.contains("accepts") { try host.write("accepts: [\(accepts)]\n" + text, configuration) }
            try older.move("state/endpoints/\(endpoint)/\(name).json")
            try older.move("state/jobs/\(job)/plan.json")
            try older.mark(folder)
            let places = [1: "lib/a.dat", 2: "new.dat"]
            try older.relink("state/jobs/\(job)/ledger/\(name)") { slot in
                guard let step = slot["step"] as? Int, let place = places[step] else { return slot }
                let own = slot.merging(["inode": try older.inode("\(folder)/\(place)")]) { $1 }
                if slot["replaces"] == nil { return own }
                return own.merging(["replaces": try older.inode("\(folder)/.patchd/jobs/\(job)/\(step)")]) { $1 }
            }
        }
    }

    @Test func `is gone on with where it failed`() throws {
        #expect(try host.once().code == 0)
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        try host.write("", "srv/SEED/ready")
        #expect(try host.ask("{\"command\": \"resume\", \"job\": 2}")["ok"] as? Bool == true)
        let job = try host.job(2)
        #expect(job["state"] as? String == "done", "\(job["message"] ?? "")")
        #expect(try host.read("srv/SEED/lib/a.dat") == "new\n")
        #expect(try host.read("srv/SEED/log") == "up\nup\n", "the script ran again, from its start")
        #expect(!host.exists("srv/SEED/update.lock"))
    }

    @Test func `is taken back`() throws {
        #expect(try host.ask("{\"command\": \"rollback\", \"job\": 1}")["ok"] as? Bool == true)
        let job = try host.job(3)
        #expect(job["state"] as? String == "done", "\(job["message"] ?? "")")
        #expect(try host.json("state/endpoints/other/A.json")["version"] as? String == "8.0.1")
        #expect(try host.read("other/A/lib/a.dat") == "old\n")
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/other/A")
        #expect(Set(names) == [".patchd", "lib"], "nothing was taken for a change of the admin's")
    }

    /// That patchd did not put a script's downgrade aside.
    @Test func `is left as it is where it ran scripts and kept no way back`() throws {
        _ = try host.ask("{\"command\": \"rollback\", \"job\": 2}")
        #expect(try host.job(3)["code"] as? String == "irreversible")
        #expect(try host.read("srv/SEED/lib/a.dat") == "new\n")
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
    }
}
