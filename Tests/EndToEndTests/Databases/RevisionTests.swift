import Foundation
import Support
import Testing

@Suite struct `The table patchd_revision` {
    @Test func `shows 9998 with the deadline for the lead time, then 9999, then nothing`() throws {
        let host = try Installation()
        try host.configureDatabase(version: "8.0.1", settings: "leadTime: 6s\n")
        try host.sql("CREATE TABLE account (name TEXT)")
        var update = ExampleUpdate()
        // Ends when the test has seen what it waits for.
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "cat gate\n"
        #expect(mkfifo("\(host.root)/srv/PAIE/gate", 0o600) == 0)
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        func shown() -> String? {
            let query = "SELECT code, phase, deadline IS NOT NULL FROM patchd_revision"
            let outcome = try? Installation.run("/usr/bin/sqlite3", ["\(host.root)/srv/PAIE/app.db", query])
            return outcome?.code == 0 ? outcome?.output : nil
        }
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("announced") { shown() == "9998|announced|1\n" })
        let deadline = try host.sql("SELECT deadline FROM patchd_revision")
        #expect(try host.json("srv/PAIE/update.lock")["deadline"] as? String == deadline)
        #expect(host.until("updating") { shown()?.hasPrefix("9999|updating|") == true })
        #expect(try host.json("srv/PAIE/update.lock")["code"] as? Int == 9999)
        try host.write("go\n", "srv/PAIE/gate")
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
        #expect(shown() == "")
    }
}
