import Foundation
import Support
import Testing

/// Four siblings below one root, of which each that is begun fails.
@Suite struct `After maxFailures failed folders` {
    let host: Installation
    private let siblings = ["A", "B", "C", "D"]

    init() throws {
        host = try Installation()
        try host.write("workers: 1\n", "etc/patchd.yaml")
        try host.write("", "srv/break")
    }

    private func configure(_ settings: String) throws {
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        let folders = siblings.map { "  - {name: \($0), parent: PAIE}\n" }.joined()
        for folder in siblings {
            try FileManager.default.createDirectory(
                atPath: "\(host.root)/srv/\(folder)", withIntermediateDirectories: true)
        }
        try host.write(
            "endpoint: payroll\npath: \(host.root)/srv\n\(owner)\(settings)folders:\n  - {name: PAIE, version: 8.0.1}\n\(folders)",
            "etc/endpoints.d/payroll.yaml")
    }

    private func apply() throws -> Installation.Outcome {
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/lib/a.dat": "new\n", "X3V8_P2BIS/FILPATCH/b.dat": "b\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.2.sh": "[ \"$PATCHD_FOLDER\" = PAIE ] || [ ! -e ../break ]\n",
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        return try host.once()
    }

    private func states() throws -> [String] {
        let folders = try host.job(1)["folders"] as? [String: [String: Any]] ?? [:]
        return siblings.map { folders[$0]?["state"] as? String ?? "" }
    }

    private func locks() -> [String] {
        siblings.map { (try? host.json("srv/\($0)/update.lock"))?["phase"] as? String ?? "" }
    }

    @Test func `no further one is begun, those keep their version, and resume goes on with them`() throws {
        try configure("maxFailures: 2\nbehind: usable\n")
        #expect(try apply().code == 1)
        #expect(try states() == ["failed", "failed", "pending", "pending"])
        #expect(locks() == ["failed", "failed", "", ""])
        #expect(try host.json("state/endpoints/payroll/C.json")["version"] as? String == "8.0.1")
        #expect(!host.exists("srv/C/lib/a.dat"))
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/break")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try states() == ["done", "done", "done", "done"])
        #expect(locks() == ["", "", "", ""])
        #expect(try host.json("state/endpoints/payroll/D.json")["version"] as? String == "8.0.2")
    }

    @Test func `those below a folder that was raised stay locked where behind is locked`() throws {
        try configure("maxFailures: 1\n")
        #expect(try apply().code == 1)
        #expect(try states() == ["failed", "pending", "pending", "pending"])
        #expect(locks() == ["failed", "behind", "behind", "behind"])
    }

    @Test func `all are begun where the number is not reached`() throws {
        try configure("maxFailures: 5\n")
        #expect(try apply().code == 1)
        #expect(try states() == ["failed", "failed", "failed", "failed"])
    }

    @Test func `a folder that went back counts as one that failed`() throws {
        try configure("maxFailures: 1\nonFailure: revert\nbehind: usable\n")
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/lib/a.dat": "new\n", "X3V8_P2BIS/FILPATCH/b.dat": "b\n",
            "X3V8_P2/FILPATCH/upgrades/8.0.2.sh": "[ \"$PATCHD_FOLDER\" = PAIE ]\n",
            "X3V8_P2/FILPATCH/downgrades/8.0.2.sh": "exit 0\n",
        ]
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try states() == ["reverted", "pending", "pending", "pending"])
        #expect(locks() == ["", "", "", ""])
    }
}
