import Foundation
import PatchFiles
import Testing

/// `Fixtures/first-build.tar.gz` is a host as commit 9eb2902, the first that applied an update, left it: on `other` job 1 is
/// done in A; on `payroll` job 2 is done in PAIE and failed in SEED, because its script wants a file `ready` there.
@Suite struct `What an older patchd left` {
    private let host: Installation
    /// Where the fixture was made.
    private static let origin = "/tmp/patchd-older"

    init() throws {
        host = try Installation()
        for name in ["etc", "spool", "srv", "state"] {
            try FileManager.default.removeItem(atPath: "\(host.root)/\(name)")
        }
        let fixture = (#filePath as NSString).deletingLastPathComponent + "/../Fixtures/first-build.tar.gz"
        try #require(Installation.run("/bin/tar", ["-xzf", fixture, "-C", host.root]).code == 0)
        for (endpoint, job, folder) in [
            ("other", 1, "other/A"), ("payroll", 2, "srv/PAIE"), ("payroll", 2, "srv/SEED"),
        ] {
            let name = (folder as NSString).lastPathComponent
            let configuration = "etc/endpoints.d/\(endpoint).yaml"
            try move(configuration)
            // Made with one endpoint after the other.
            let accepts = endpoint == "other" ? "X3V8_A" : "X3V8_P"
            let text = try host.read(configuration)
            if !text.contains("accepts") { try host.write("accepts: [\(accepts)]\n" + text, configuration) }
            try move("state/endpoints/\(endpoint)/\(name).json")
            try move("state/jobs/\(job)/plan.json")
            let marker = "\(folder)/.patchd/marker.json"
            try write(host.json(marker).merging(["inode": try inode(folder)]) { $1 }, marker)
            try relink("state/jobs/\(job)/ledger/\(name)", folder, slots: "\(folder)/.patchd/jobs/\(job)")
        }
    }

    private func moved(_ text: String) -> String { text.replacingOccurrences(of: Self.origin, with: host.root) }

    private func move(_ relative: String) throws {
        let text = try moved(host.read(relative))
        try host.write(geteuid() == 0 ? text : text.replacingOccurrences(of: "owner: root\n", with: ""), relative)
    }

    private func inode(_ relative: String) throws -> UInt64 {
        var status = stat()
        try #require(lstat("\(host.root)/\(relative)", &status) == 0, "\(relative)")
        return UInt64(status.st_ino)
    }

    private func write(_ object: [String: Any], _ relative: String) throws {
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: "\(host.root)/\(relative)"))
    }

    /// Gives a ledger the paths and inodes that its files have here.
    private func relink(_ ledger: String, _ folder: String, slots: String) throws {
        let places = [1: "lib/a.dat", 2: "new.dat"]
        var lines = ""
        for (number, line) in try host.read(ledger).split(separator: "\n").enumerated() {
            let json = moved(String(line.split(separator: " ", maxSplits: 2)[2]))
            var record = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            if let staged = record["staged"] as? [String: [[String: Any]]], let all = staged["_0"] {
                let here = try all.map { slot in
                    guard let step = slot["step"] as? Int, let place = places[step] else { return slot }
                    let own = slot.merging(["inode": try inode("\(folder)/\(place)")]) { $1 }
                    return slot["replaces"] == nil
                        ? own : own.merging(["replaces": try inode("\(slots)/\(step)")]) { $1 }
                }
                record["staged"] = ["_0": here]
            }
            let bytes = try JSONSerialization.data(withJSONObject: record, options: [.withoutEscapingSlashes])
            let text = String(decoding: bytes, as: UTF8.self)
            let sum = SHA256.hash(of: Array("\(number):\(text)".utf8)).prefix(16)
            lines += "\(text.utf8.count) \(sum) \(text)\n"
        }
        try host.write(lines, ledger)
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
