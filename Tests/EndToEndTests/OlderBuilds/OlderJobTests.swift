import Foundation
import Testing

/// `Fixtures/orders-in-ledgers.tar.gz` is a host as commit 28d0423, the last one whose ledgers had the order in them, left it
/// when daemon and worker were killed: on `payroll` job 1 brought 8.0.2 to PAIE and SEED, job 2 brought 8.0.3 to PAIE and was
/// in the middle of SEED's script. `inodes` says which file had which inode.
@Suite struct `A job in which an older patchd was killed` {
    private let host: Installation

    init() throws {
        let older = try OlderHost("orders-in-ledgers.tar.gz")
        host = older.host
        var inodes: [UInt64: String] = [:]
        for line in try host.read("inodes").split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            if parts.count == 2, let inode = UInt64(parts[0]) { inodes[inode] = parts[1] }
        }
        try older.move("etc/endpoints.d/payroll.yaml")
        for folder in ["PAIE", "SEED"] {
            try older.move("state/endpoints/payroll/\(folder).json")
            try older.mark("srv/\(folder)")
            for job in [1, 2] {
                try older.relink("state/jobs/\(job)/ledger/\(folder)") { slot in
                    var own = slot
                    for key in ["inode", "replaces"] {
                        guard let old = slot[key] as? UInt64, let path = inodes[old] else { continue }
                        own[key] = try older.inode(path)
                    }
                    return own
                }
            }
        }
        for job in [1, 2] { try older.move("state/jobs/\(job)/plan.json") }
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
