import Foundation
import Support
import Testing

@Suite struct `An endpoint with a window from 02:00 to 05:00` {
    let host: Installation

    init() throws { host = try Installation(settings: "windows: [\"02:00-05:00\"]\n") }

    /// A zone in which the clock shows so many seconds after midnight now.
    private func zone(_ shown: Int) -> [String: String] {
        var ahead = (shown - Int(time(nil))) % 86400
        if ahead < 0 { ahead += 86400 }
        if ahead > 43200 { ahead -= 86400 }
        let seconds = abs(ahead)
        // In TZ, what is ahead of UTC is negative.
        return ["TZ": "TST\(ahead >= 0 ? "-" : "+")\(seconds / 3600):\(seconds / 60 % 60):\(seconds % 60)"]
    }

    private func drop(_ options: String? = nil) throws {
        if let options { try host.write(options, "spool/incoming/update.zip.json") }
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    private func state(_ job: Int) -> String? { try? host.job(job)["state"] as? String }

    @Test func `leaves a job until it opens, but no test and no rollback`() throws {
        try drop()
        #expect(try host.once(environment: zone(12 * 3600)).code == 5)
        #expect(state(1) == "waiting")
        let reason = try #require(try host.job(1)["waitingFor"] as? String)
        #expect(reason.hasPrefix("the window 02:00-05:00, which opens ") && reason.hasSuffix(" 02:00 TST"), "\(reason)")
        #expect(!host.exists("srv/PAIE/update.lock"))
        try drop(#"{"operation":"test"}"#)
        #expect(try host.once(environment: zone(12 * 3600)).code == 5)
        #expect(state(2) == "done")
        #expect(try host.once(environment: zone(2 * 3600 + 600)).code == 0)
        #expect(state(1) == "done")
        try host.request(#"{"command":"rollback","job":1}"#, as: "r.json")
        #expect(try host.once(environment: zone(12 * 3600)).code == 0)
        #expect(state(3) == "done")
    }

    @Test func `limits the start only: a job that has begun goes on`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test -e \(host.root)/ready\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once(environment: zone(3 * 3600)).code == 1)
        try host.write("", "ready")
        try host.request(#"{"command":"resume","job":1}"#, as: "r.json")
        #expect(try host.once(environment: zone(12 * 3600)).code == 0)
        #expect(state(1) == "done")
    }

    @Test func `begins the job by itself when the window opens`() throws {
        try drop()
        let daemon = try host.start(environment: zone(2 * 3600 - 8))
        defer { daemon.terminate() }
        #expect(host.until("waiting") { state(1) == "waiting" || state(1) == "done" })
        #expect(host.until("done") { state(1) == "done" })
    }

    @Test func `has a job approved before it opens`() throws {
        try host.configure("payroll", settings: "windows: [\"02:00-05:00\"]\napproval: required\n")
        try drop()
        #expect(try host.once(environment: zone(12 * 3600)).code == 6)
        #expect(state(1) == "pendingApproval")
        try host.request(#"{"command":"approve","job":1}"#, as: "a.json")
        #expect(try host.once(environment: zone(12 * 3600)).code == 5)
        #expect(state(1) == "waiting")
        #expect(try host.once(environment: zone(4 * 3600)).code == 0)
        #expect(state(1) == "done")
    }
}
