import Foundation
import Support
import Testing

@Suite struct `A script that outlasts scriptTimeout` {
    @Test(arguments: ["8.0.2.sh", "8.0.2.php"])
    func `fails its folder, and nothing that it started stays behind`(_ name: String) throws {
        let host = try Installation()
        try host.configure("payroll", settings: "scriptTimeout: 1s\n")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = nil
        // A child, its child, and one that takes no notice of SIGTERM's effect on its parent.
        update.files["X3V8_P2/FILPATCH/upgrades/\(name)"] = """
            #!/bin/sh
            sleep 1000 & echo $! >> pids
            sh -c 'sleep 1000 & echo $! >> pids; echo $$ >> pids; wait' &
            nohup sleep 1000 > /dev/null 2>&1 & echo $! >> pids
            echo $$ >> pids
            wait

            """
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        let job = try host.json("state/jobs/1/job.json")
        #expect(job["code"] as? String == "script")
        let message = job["message"] as? String ?? ""
        #expect(message.contains(name) && message.contains("scriptTimeout"), "\(message)")
        let pids = try host.read("srv/PAIE/pids").split(separator: "\n")
        #expect(pids.count == 5)
        for pid in pids {
            // The killed one may still wait to be collected by its new parent.
            let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            #expect(state?.contains(") Z ") ?? true, "\(state ?? "")")
        }
    }
}
