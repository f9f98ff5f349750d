import Foundation
import Support
import Testing

@Suite struct `An endpoint with a sandbox` {
    @Test func `is shown so by plan and config check, and fails its preflight where a path is missing`() throws {
        let host = try Installation(settings: "sandbox: {write: [/usr/share, /nowhere/acme], memory: 1GiB}\n")
        let text = "sandbox: write /usr/share, /nowhere/acme; memory 1GiB"
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
        let plan = try host.run("patchctl", "plan", "\(host.root)/update.zip")
        #expect(plan.output.contains(text), "\(plan)")
        let check = try host.run("patchctl", "config", "check")
        #expect(check.code == 4 && check.errors.contains("there is no /nowhere/acme"), "\(check)")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        let job = try host.job(1)
        #expect(job["code"] as? String == "missing")
        #expect((job["message"] as? String ?? "").contains("/nowhere/acme"), "\(job)")
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
        try host.configure("payroll", settings: "sandbox: {write: [/usr/share], memory: 1GiB}\n")
        let fine = try host.run("patchctl", "config", "check")
        #expect(
            fine.code == 0 && fine.errors.contains("payroll: its scripts have this sandbox: write /usr/share"),
            "\(fine)")
    }
}
