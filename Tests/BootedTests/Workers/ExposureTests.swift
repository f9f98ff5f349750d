import Foundation
import Support
import Testing

/// The figures of `systemd-analyze security` are bounds here; what keeps them from 0 is in docs/threat-model.md.
@Suite(.bootsMachines) struct `What systemd says of the exposure` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment(settings: "sandbox: {network: true}\n") }

    /// The figure of a unit that is loaded, or that a file describes.
    private func exposure(_ unit: String, _ options: String = "") throws -> Double {
        let outcome = try machine.run(
            "cd /usr/lib/systemd/system; systemd-analyze security \(options) --no-pager \(unit)")
        let line = try #require(
            outcome.output.split(separator: "\n").last { $0.contains("Overall exposure") }, "\(outcome)")
        print(line)
        return try #require(line.firstMatch(of: /(\d+\.\d)/).flatMap { Double($0.output.1) }, "\(line)")
    }

    @Test func `of the daemon, of the readers of archives, and of a worker with a network, is low`() throws {
        try machine.boot()
        for (unit, most) in [
            ("patchd.service", 2.0), ("patchd-unpack@.service", 0.5), ("patchd-signature@.service", 0.5),
        ] {
            let found = try exposure("./\(unit)", "--offline=true")
            #expect(found <= most, "\(unit): \(found)")
        }
        #expect(try exposure("patchd.service") <= 2.0)
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        let worker = try exposure("patchd-job-1-payroll-PAIE.service")
        #expect(worker <= 2.5, "\(worker)")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
    }
}
