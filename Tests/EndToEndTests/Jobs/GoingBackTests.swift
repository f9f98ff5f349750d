import Foundation
import Support
import Testing

@Suite struct `A folder that goes back by itself` {
    private func begun() throws -> Installation {
        let host = try Installation(settings: "onFailure: revert\n")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEED2\n"
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return host
    }

    private func isBack(_ host: Installation, _ comment: Comment) throws {
        let job = try host.job(1)
        let folder = (job["folders"] as? [String: [String: Any]])?["SEED2"]
        #expect(job["state"] as? String == "failed", comment)
        #expect(folder?["state"] as? String == "reverted" && folder?["code"] as? String == "script", comment)
        let message = folder?["message"] as? String ?? ""
        #expect(message.hasSuffix("drop the archive again") && !message.contains("resume"), "\(message)")
        #expect(try host.json("state/endpoints/payroll/SEED2.json")["version"] as? String == "8.0.1", comment)
        #expect(try host.read("srv/SEED2/lib/a.dat") == "old\n", comment)
        #expect(try host.json("srv/SEED2/update.lock")["phase"] as? String == "behind", comment)
    }

    /// A state file that could not be written at the end made it `failed` with `io`, which nothing but an admin ended.
    @Test func `does so also where a write of the daemon fails on the way`() throws {
        let undisturbed = try begun()
        let list = "\(undisturbed.root)/points"
        #expect(try undisturbed.once(environment: ["PATCHD_FAULT_POINT": "patchd:list:1:\(list)"]).code == 1)
        try isBack(undisturbed, "undisturbed")
        let points = try undisturbed.read("points").split(separator: "\n")
        // The first write of its state is the start's, the second says that the folder is being updated, the third that it failed.
        let writes = points.indices.filter { points[$0].contains("rename") && points[$0].contains("/.SEED2.json") }
        let first = try #require(writes.dropFirst(2).first)
        var disturbed = 0
        for point in stride(from: first + 1, through: points.count, by: 5) {
            let host = try begun()
            let stamp = "\(host.root)/stamp"
            let first = try host.once(environment: ["PATCHD_FAULT_POINT": "patchd:5:\(point):\(stamp)"])
            guard let fired = try? host.read("stamp") else { continue }
            disturbed += 1
            let second = try host.once()
            try isBack(host, "point \(point): \(fired)\(first.errors)\(second.errors)")
        }
        #expect(disturbed > 3)
    }
}
