import Foundation
import Testing

@Suite struct `A job over five folders` {
    /// Kills daemon and worker in turn at fault point 1, 2, 3 … of a process's life, starting them again each time, until
    /// the job ends without a kill. Every point on the way is so killed at least once.
    @Test func `ends as if undisturbed when daemon and worker are killed at each next fault point`() throws {
        let undisturbed = try Installation()
        try ExampleUpdate().pack(to: "\(undisturbed.root)/spool/incoming/update.zip")
        #expect(try undisturbed.once().code == 0)

        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        var kills = 0
        var point = 1
        var quiet = 0
        // Both programs in turn; through when neither reaches its next point any more.
        while quiet < 2, point < 2000 {
            for program in ["patchd", "patchd-worker"] {
                let stamp = "\(host.root)/stamp-\(program)-\(point)"
                let outcome = try host.once(environment: ["PATCHD_FAULT_POINT": "\(program):kill:\(point):\(stamp)"])
                let fired = FileManager.default.fileExists(atPath: stamp)
                kills += fired ? 1 : 0
                quiet = fired ? 0 : quiet + 1
                if program == "patchd", fired { #expect(outcome.code == 128 + SIGKILL) }
            }
            point += 1
        }
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        print("kill chain: \(kills) kills, up to fault point \(point - 1) of a process")
        #expect(kills > 20)
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
}
