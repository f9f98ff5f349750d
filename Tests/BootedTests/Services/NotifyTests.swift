import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The command notify, a service,` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment(settings: "approval: required\ntasks: {stop: [payroll-batch.service]}\n")
        // Runs out of the daemon's reach: that can neither write to /etc nor see a network.
        try machine.write(
            "/usr/local/bin/tell",
            """
            #!/bin/sh
            cat >>/etc/told
            id -u >>/etc/teller
            echo "told by $0"
            while [ -e /srv/hang ]; do sleep 0.1; done

            """, mode: 0o755)
        try machine.write("/etc/patchd/patchd.yaml", "notify: /usr/local/bin/tell\n", mode: 0o640)
        try host.daemon(
            "payroll-batch.service", service: "ExecStartPre=/bin/sh -c 'test ! -e /srv/payroll/SEED/broken'")
    }

    private func told() throws -> [String] {
        guard machine.exists("/etc/told") else { return [] }
        return try machine.read("/etc/told").split(separator: "\n").map { line in
            let notice = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            #expect(notice["schema"] as? Int == 1 && (notice["at"] as? String)?.hasSuffix("Z") == true)
            return [notice["event"], notice["job"], notice["code"]].map { $0.map { "\($0)" } ?? "-" }
                .joined(separator: " ")
        }
    }

    private func until(told wanted: [String]) throws {
        try machine.until("told \(wanted)") { try told().count >= wanted.count }
        #expect(try told() == wanted)
    }

    @Test func `is told what a person waits for, in its order, by itself and outside the daemon's cage`() throws {
        try machine.boot()
        try machine.run("ln -s /etc/passwd /var/spool/patchd/incoming/bad.zip")
        try until(told: ["refused - notAFile"])
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "touch broken\n"
        try host.drop(update)
        try until(told: ["refused - notAFile", "pendingApproval 1 "])
        #expect(try machine.run("patchctl approve 1").code == 0)
        try host.until(job: 1, is: "failed")
        try until(
            told: ["refused - notAFile", "pendingApproval 1 ", "unitNotUp 1 unit", "failed 1 unit"])
        #expect(try machine.read("/etc/teller") == "0\n0\n0\n0\n")
        let said = try machine.journal(matching: ["_SYSTEMD_UNIT=patchd-notify.service"]).compactMap { $0["MESSAGE"] }
        #expect(said.contains("told by /usr/local/bin/tell"))
        #expect(try machine.run("systemctl list-units --all --no-legend patchd-notify.service").output == "")
        let problems = try machine.journal(matching: ["MESSAGE_ID=9c02b7d85f6e4e18a1d33ef6720c48b5"])
        #expect(problems.isEmpty, "\(problems.compactMap { $0["MESSAGE"] })")
    }

    @Test func `that runs since before a kill of the daemon is waited for, and the next is told all the same`() throws {
        try machine.write("/srv/hang", "")
        try machine.boot()
        try host.drop()
        try until(told: ["pendingApproval 1 "])
        try machine.run("systemctl kill -s KILL --kill-who=main patchd; systemctl restart patchd")
        #expect(try machine.run("patchctl decline 1").code == 0)
        // Longer than a unit that is in the way is waited for otherwise.
        try machine.run("sleep 11; rm /srv/hang")
        try until(told: ["pendingApproval 1 ", "declined 1 "])
    }
}
