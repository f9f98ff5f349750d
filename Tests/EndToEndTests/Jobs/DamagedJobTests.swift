import Foundation
import Support
import Testing

@Suite struct `A job whose file is damaged` {
    let host: Installation

    /// Two endpoints; on payroll job 1 has failed in PAIE and holds.
    init() throws {
        host = try Installation()
        try host.configure("payroll", settings: "accepts: [\"X3V8_*\"]\n")
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.write("old\n", "other/A/a")
        try host.write(
            "endpoint: other\npath: \(host.root)/other\naccepts: [OTHER]\n\(owner)folders: [{name: A, version: 8.0.1}]\n",
            "etc/endpoints.d/other.yaml")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test -e \(host.root)/ready\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
    }

    private func drop(_ name: String) throws -> Installation.Outcome {
        var update = ExampleUpdate(version: "8.0.3", dependency: "8.0.1")
        update.name = name
        try update.pack(to: "\(host.root)/spool/incoming/\(name).zip")
        return try host.once()
    }

    private func state(_ job: Int) throws -> String? { try host.json("state/jobs/\(job)/job.json")["state"] as? String }

    @Test func `stops its endpoint only, and is gone on with when it is restored`() throws {
        let whole = try host.read("state/jobs/1/job.json")
        try host.write(String(whole.dropLast(20)), "state/jobs/1/job.json")
        let outcome = try drop("OTHER")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("job 1 is damaged, so no job begins on payroll"), "\(outcome.errors)")
        #expect(try state(2) == "done", "the other endpoint's, with a number of its own")

        _ = try drop("X3V8_P3")
        #expect(try state(3) == "waiting")
        #expect(try host.json("state/jobs/3/job.json")["waitingFor"] as? String != nil)
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        #expect(try host.json("srv/SEEDPROD2/update.lock")["phase"] as? String == "blocked")
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/PAIE/update.lock")
        try host.once()
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed", "the state file tells")
        let status = try host.run("patchctl", "status")
        #expect(status.code == 0 && status.output.contains("PAIE"))
        #expect(status.errors.contains("job 1 cannot be shown"))

        try host.write(whole, "state/jobs/1/job.json")
        try host.write("", "ready")
        try host.write("{\"command\": \"resume\", \"job\": 1}", "spool/requests/r.json")
        chmod("\(host.root)/spool/requests/r.json", 0o600)
        #expect(try host.once().code == 0)
        #expect(try state(1) == "done" && state(3) == "done")
        #expect(!host.exists("srv/PAIE/update.lock"))
    }

    /// The folder was free for use in the middle of its update: the resume had made it wait, and nobody came to it.
    @Test func `leaves a folder locked whose ledger is damaged when it is resumed`() throws {
        let ledger = try host.read("state/jobs/1/ledger/PAIE")
        try host.write("x" + ledger, "state/jobs/1/ledger/PAIE")
        try host.write("", "ready")
        #expect(try host.ask("{\"command\": \"resume\", \"job\": 1}")["ok"] as? Bool == true)
        let job = try host.job(1)
        #expect(job["state"] as? String == "failed")
        #expect((job["message"] as? String ?? "").contains("is damaged"))
        #expect(try host.json("state/endpoints/payroll/PAIE.json")["status"] as? String == "failed")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
        try host.write(ledger, "state/jobs/1/ledger/PAIE")
        #expect(try host.ask("{\"command\": \"resume\", \"job\": 1}")["ok"] as? Bool == true)
        #expect(try state(1) == "done" && !host.exists("srv/PAIE/update.lock"))
    }

    @Test func `stops every endpoint where nothing says which is its own`() throws {
        try host.write("", "state/jobs/1/job.json")
        for name in ["plan.json", "plan", "ledger", "orders"] {
            try FileManager.default.removeItem(atPath: "\(host.root)/state/jobs/1/\(name)")
        }
        let outcome = try drop("OTHER")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("no job begins on any endpoint"), "\(outcome.errors)")
        #expect(try state(2) == "waiting")
        #expect(try host.read("other/A/a") == "old\n")
        #expect(!host.exists("other/A/update.lock"), "what was free stays free")
        #expect(try host.json("srv/PAIE/update.lock")["phase"] as? String == "failed")
    }

    @Test func `counts as one that is there when its file is missing`() throws {
        try FileManager.default.removeItem(atPath: "\(host.root)/state/jobs/1/job.json")
        let outcome = try drop("X3V8_P3")
        #expect(outcome.errors.contains("job 1 is damaged, so no job begins on payroll"))
        #expect(try state(2) == "waiting")
        #expect(host.exists("srv/PAIE/update.lock"))
    }
}
