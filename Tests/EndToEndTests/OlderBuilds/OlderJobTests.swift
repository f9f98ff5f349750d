import Foundation
import PatchFiles
import Testing

/// `Fixtures/orders-in-ledgers.tar.gz` is a host as commit 28d0423, the last one whose ledgers had the order in them, left it
/// when daemon and worker were killed: on `payroll` job 1 brought 8.0.2 to PAIE and SEED, job 2 brought 8.0.3 to PAIE and was
/// in the middle of SEED's script. `inodes` says which file had which inode.
@Suite struct `A job in which an older patchd was killed` {
    private let host: Installation
    private static let origin = "/tmp/patchd-older"
    private var inodes: [UInt64: String] = [:]

    init() throws {
        host = try Installation()
        for name in ["etc", "spool", "srv", "state"] {
            try FileManager.default.removeItem(atPath: "\(host.root)/\(name)")
        }
        let fixture = (#filePath as NSString).deletingLastPathComponent + "/../Fixtures/orders-in-ledgers.tar.gz"
        try #require(Installation.run("/bin/tar", ["-xzf", fixture, "-C", host.root]).code == 0)
        for line in try host.read("inodes").split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            if parts.count == 2, let inode = UInt64(parts[0]) { inodes[inode] = parts[1] }
        }
        try move("etc/endpoints.d/payroll.yaml")
        for folder in ["PAIE", "SEED"] {
            try move("state/endpoints/payroll/\(folder).json")
            let marker = "srv/\(folder)/.patchd/marker.json"
            let own = try host.json(marker).merging(["inode": inode("srv/\(folder)")]) { $1 }
            try JSONSerialization.data(withJSONObject: own).write(to: URL(fileURLWithPath: "\(host.root)/\(marker)"))
            for job in [1, 2] { try relink("state/jobs/\(job)/ledger/\(folder)") }
        }
        for job in [1, 2] { try move("state/jobs/\(job)/plan.json") }
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

    /// Gives a ledger the paths and inodes that its files have here.
    private func relink(_ ledger: String) throws {
        var lines = ""
        for (number, line) in try host.read(ledger).split(separator: "\n").enumerated() {
            let json = moved(String(line.split(separator: " ", maxSplits: 2)[2]))
            var record = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            if let staged = record["staged"] as? [String: [[String: Any]]], let all = staged["_0"] {
                let here = try all.map { slot in
                    try slot.merging(
                        ["inode", "replaces"].compactMap { key in
                            guard let old = slot[key] as? UInt64, let path = inodes[old] else { return nil }
                            return (key, try inode(path))
                        }
                    ) { $1 }
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

    private func version(_ folder: String) throws -> String? {
        try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String
    }

    @Test func `is gone on with to its end`() throws {
        #expect(try host.once().code == 0)
        #expect(try host.job(2)["state"] as? String == "done")
        #expect(try host.read("srv/SEED/log") == "up 8.0.2\nup 8.0.3\n")
        #expect(try host.read("srv/SEED/lib/a.dat") == "of 8.0.3\n")
        #expect(try version("SEED") == "8.0.3" && !host.exists("srv/SEED/update.lock"))
        #expect(try host.read("state/jobs/2/orders/SEED").hasSuffix("end\n"), "the order lies beside its ledger")
        #expect(try host.read("state/jobs/2/ledger/SEED").hasPrefix("+0 "))
        #expect(try host.json("state/jobs/index.json")["next"] as? Int == 3)
    }

    @Test func `is taken back, and the one before it, with what they kept`() throws {
        try host.once()
        for job in [2, 1] {
            #expect(try host.ask("{\"command\": \"rollback\", \"job\": \(job)}")["ok"] as? Bool == true)
        }
        #expect(try host.job(3)["state"] as? String == "done")
        #expect(try host.job(4)["state"] as? String == "done")
        for folder in ["PAIE", "SEED"] {
            #expect(try host.read("srv/\(folder)/lib/a.dat") == "old\n")
            #expect(try host.read("srv/\(folder)/log") == "up 8.0.2\nup 8.0.3\ndown 8.0.3\ndown 8.0.2\n")
            #expect(try version(folder) == "8.0.1")
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/srv/\(folder)")
            #expect(Set(names) == [".patchd", "lib", "log"])
        }
    }

    @Test func `is held when its ledger was damaged meanwhile, and goes on when it is put back`() throws {
        let ledger = try host.read("state/jobs/2/ledger/SEED")
        try host.write(String(ledger.dropLast(3)) + "x}\n", "state/jobs/2/ledger/SEED")
        #expect(try host.once().code == 1)
        #expect(host.exists("srv/SEED/update.lock"))
        #expect(try host.job(2)["state"] as? String == "failed")
        try host.write(ledger, "state/jobs/2/ledger/SEED")
        #expect(try host.ask("{\"command\": \"resume\", \"job\": 2}")["ok"] as? Bool == true)
        #expect(try host.job(2)["state"] as? String == "done")
    }
}
