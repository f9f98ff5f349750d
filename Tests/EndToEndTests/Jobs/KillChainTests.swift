import Foundation
import Support
import Testing

@Suite struct `A job over five folders` {
    /// Every start of the daemon and of a worker is killed one fault point later than the one before, until a start
    /// gets through: so each point on the way is killed at, and each time everything is started again.
    @Test func `ends as if undisturbed when daemon and worker are killed at each next fault point`() throws {
        let undisturbed = try Installation()
        try ExampleUpdate().pack(to: "\(undisturbed.root)/spool/incoming/update.zip")
        #expect(try undisturbed.once().code == 0)

        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let order = ["patchd", "patchd-worker"].map { "\($0):kill:next:\(host.root)/next-\($0)" }.joined(separator: ",")
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        var starts = 0
        while outcome.code == 128 + SIGKILL, starts < 2000 {
            outcome = try host.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
        }
        #expect(outcome.code == 0, "\(outcome.errors)")
        let workerKills = (Int(try host.read("next-patchd-worker")) ?? 1) - 1
        print("kill chain: \(starts - 1) kills of the daemon, \(workerKills) of workers")
        #expect(starts > 20 && workerKills > 20)
        #expect(try host.picture() == undisturbed.picture())
        for folder in host.folders {
            let state = try host.json("state/endpoints/payroll/\(folder).json")
            #expect(state["version"] as? String == "8.0.2")
            #expect(state["status"] as? String == "current")
            let history = try host.read("state/endpoints/payroll/\(folder).history.jsonl")
            #expect(history.split(separator: "\n").count == 1, "one job, one line")
        }
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
        #expect(!host.exists("state/jobs/2"), "a drop is taken once")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/incoming").isEmpty)
    }

    /// A request that had marked the ledgers and was read again after the kill was answered with `missing`.
    @Test func `is resumed past a step by one request, wherever that is killed (model sequence 822508113)`() throws {
        let host = try Installation()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "echo ran >>runs; test $PATCHD_FOLDER != PAIE\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        let request = #"{"command":"resume","job":1,"assumeDone":"8.0.2.sh","skip":["SEED2"]}"#
        try host.write(request, "spool/requests/resume.json")
        chmod("\(host.root)/spool/requests/resume.json", 0o600)
        let order = "patchd:kill:next:\(host.root)/next-patchd"
        var outcome = Installation.Outcome(code: 128 + SIGKILL, output: "", errors: "")
        var starts = 0
        while outcome.code == 128 + SIGKILL, starts < 2000 {
            outcome = try host.once(environment: ["PATCHD_FAULT_POINT": order])
            starts += 1
        }
        #expect(starts > 20)
        let answer = try host.json("spool/requests/done/resume.json")
        #expect(answer["ok"] as? Bool == true, "\(answer)")
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
        #expect(try host.read("srv/PAIE/runs") == "ran\n")
        #expect(try host.json("state/endpoints/payroll/SEED2.json")["status"] as? String == "behind")
    }
}
