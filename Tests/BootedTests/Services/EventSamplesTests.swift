import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `A sample for notify` {
    @Test func `starts a unit when an update is done`() throws {
        let host = try Deployment()
        let machine = host.machine
        let sample = URL(fileURLWithPath: Machine.repository).appendingPathComponent("examples/notify/start-unit")
        try machine.write(
            "/usr/local/bin/patchd-start-unit", String(contentsOf: sample, encoding: .utf8), mode: 0o755)
        try machine.write(
            "/etc/patchd/patchd.yaml", "notify: \"/usr/local/bin/patchd-start-unit after-update\"\n", mode: 0o640)
        try machine.write(
            "/etc/systemd/system/after-update@.service",
            "[Service]\nType=oneshot\nExecStart=/bin/touch /srv/after-%i\n")
        try machine.boot()
        try host.drop(options: #"{"operation":"test"}"#)
        try host.until(job: 1, is: "done")
        try host.drop(as: "again.zip")
        try host.until(job: 2, is: "done")
        try machine.until("the unit runs") { machine.exists("/srv/after-payroll") }
        let told = try machine.journal(matching: ["_SYSTEMD_UNIT=init.scope", "UNIT=after-update@payroll.service"])
        #expect(told.filter { $0["JOB_RESULT"] == "done" && $0["JOB_TYPE"] == "start" }.count == 1, "\(told)")
    }
}
