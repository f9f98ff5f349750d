import Foundation
import Support
import Testing

@Suite struct `patchctl config check` {
    let host: Installation

    init() throws { host = try Installation() }

    private func check() throws -> Installation.Outcome { try host.run("patchctl", "config", "check") }

    @Test func `warns where everybody who may drop an update may approve it`() throws {
        #expect(try !check().errors.contains("warning"))
        try host.configure("payroll", settings: "approval: required\n")
        let outcome = try check()
        #expect(outcome.code == 0, "a warning is no error")
        #expect(
            outcome.errors.contains("warning: payroll: \"approval: required\", but everybody who may drop an update"),
            "\(outcome)")
        // Nobody is in it, so nobody of group patchd approves.
        try host.write("approvers: nogroup\n", "etc/patchd.yaml")
        #expect(try !check().errors.contains("approval: required"))
    }

    @Test func `warns of a template's instance where each folder has one`() throws {
        try host.configure("payroll", settings: "tasks: {stop: [app@SEED.service]}\n")
        let outcome = try check()
        #expect(outcome.code == 0 && outcome.errors.contains("app@%f.service means each"), "\(outcome)")
        try host.configure("payroll", settings: "tasks: {stop: [\"app@%f.service\"]}\n")
        #expect(try !check().errors.contains("warning"))
        try host.configure("payroll", settings: "tasks: {stop: [app@.service]}\n")
        #expect(try check().code == 4)
    }

    @Test func `names what only and exclude name and is not configured`() throws {
        try host.write(#"{"exclude":["SEDE"]}"#, "spool/incoming/u.zip.json")
        let outcome = try check()
        #expect(
            outcome.code == 0
                && outcome.errors.contains(
                    "\"exclude\" names the folder \"SEDE\", which is not configured; did you mean")
                && outcome.errors.contains("u.zip.json"), "\(outcome)")
        unlink("\(host.root)/spool/incoming/u.zip.json")
        try host.once()
        try host.prepare(
            job: 1, "waiting",
            ["options": ["operation": "apply", "exclude": [], "only": ["GONE"], "patches": [:], "force": false]])
        let job = try check()
        #expect(job.code == 0 && job.errors.contains("job 1: \"only\" names the folder \"GONE\""), "\(job)")
    }

    @Test func `refuses folders in wrong hands, and directories that are not there`() throws {
        #expect(chmod("\(host.root)/srv", 0o777) == 0)
        let outcome = try check()
        #expect(outcome.code == 4 && outcome.errors.contains("payroll/SEED: "), "\(outcome)")
        #expect(chmod("\(host.root)/srv", 0o755) == 0)
        #expect(try check().code == 0)
        try FileManager.default.removeItem(atPath: "\(host.root)/srv/SEED2")
        let missing = try check()
        #expect(
            missing.code == 4 && missing.errors.contains("there is no directory \(host.root)/srv/SEED2"), "\(missing)")
    }
}
