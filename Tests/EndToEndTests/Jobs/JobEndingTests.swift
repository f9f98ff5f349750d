import Foundation
import Support
import Testing

@Suite struct `The end of a job` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    @Test(arguments: [
        ("done", "done", 0), ("done", "upToDate", 3), ("failed", "failed", 1), ("declined", "pending", 1),
        ("cancelled", "pending", 1), ("pendingApproval", "pending", 6),
    ])
    func `is watch's exit code`(state: String, folder: String, code: Int) throws {
        try host.prepare(job: 1, state, folders: ["SEED": folder])
        let outcome = try host.run("patchctl", "watch", "1")
        #expect(Int(outcome.code) == code, "\(outcome)")
    }

    @Test func `does not count steps where nobody counts them`() throws {
        try host.prepare(
            job: 1, "running", folders: ["SEED": "running"],
            ["operation": "rollback", "rollback": ["job": 1, "discardsData": false]])
        let shown = try host.run("patchctl", "show", "1")
        #expect(shown.code == 0 && !shown.output.contains("0/0"), "\(shown)")
    }

    @Test func `blames no reference folder where the job was cancelled`() throws {
        try host.prepare(
            job: 1, "failed", folders: ["SEEDPROD": "failed", "SEEDPROD2": "blocked"], ["code": "cancelled"])
        try host.change("state/jobs/1/job.json") { job in
            var folders = job["folders"] as? [String: [String: Any]] ?? [:]
            folders["SEEDPROD"]?["code"] = "cancelled"
            folders["SEEDPROD2"]?["message"] = "its reference folder SEEDPROD failed"
            job["folders"] = folders
        }
        let shown = try host.run("patchctl", "show", "1")
        #expect(!shown.output.contains("SEEDPROD failed") && shown.output.contains("was cancelled"), "\(shown)")
    }

    @Test func `is 3 for plan and test of what is up to date everywhere`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
        #expect(try host.run("patchctl", "plan", "\(host.root)/update.zip").code == 0)
        for folder in host.folders {
            try host.changeState(folder, ["version": "8.0.2"])
        }
        #expect(try host.run("patchctl", "plan", "\(host.root)/update.zip").code == 3)
        let daemon = try host.start()
        defer { daemon.terminate() }
        let tested = try host.run("patchctl", "test", "\(host.root)/update.zip", "--json", "--timeout", "30s")
        #expect(tested.code == 3 && tested.output.contains("upToDate"), "\(tested)")
        let submitted = try host.run("patchctl", "submit", "\(host.root)/update.zip")
        #expect(submitted.code == 0 && submitted.output == "job 2 on payroll\n", "\(submitted)")
    }

    @Test func `is 3 for a catchup with nothing to bring, without a daemon`() throws {
        let outcome = try host.run("patchctl", "catchup", "payroll/SEED")
        #expect(outcome.code == 3 && outcome.errors.contains("has missed nothing"), "\(outcome)")
        try host.changeState("PAIE", ["version": "8.0.2"])
        #expect(try host.run("patchctl", "catchup", "payroll/SEED", "--timeout", "100ms").code == 69)
    }

    @Test func `is 1 for a request about a job that the daemon does not know`() throws {
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(try host.run("patchctl", "resume", "7").code == 1)
        #expect(try host.run("patchctl", "rollback", "payroll").code == 2)
    }
}
