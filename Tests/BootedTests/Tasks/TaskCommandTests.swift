import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `Tasks that are commands` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    private func log() throws -> [String] {
        machine.exists("/srv/log") ? try machine.read("/srv/log").split(separator: "\n").map(String.init) : []
    }

    @Test func `are run outside the daemon's cage`() throws {
        try host.configure(
            settings: """
                tasks:
                  stopCommand: 'echo $PATCHD_ENDPOINT $PATCHD_JOB > /etc/stopped-by-patchd; echo said by stopCommand'
                  startCommand: 'exit 7'

                """)
        try machine.boot()
        try host.drop()
        try host.until(job: 1, is: "failed")
        #expect(try machine.read("/etc/stopped-by-patchd") == "payroll 1\n")
        #expect(try host.job(1)?["code"] as? String == "unit")
        #expect(try host.folder("SEED")["version"] as? String == "8.0.2")
        #expect(
            try machine.journal(matching: ["_SYSTEMD_UNIT=patchd-command-payroll.service", "PATCHD_JOB=1"]).contains {
                $0["MESSAGE"] == "said by stopCommand" && $0["PATCHD_ENDPOINT"] == "payroll"
            })
    }

    @Test func `are through before a folder is touched, also after a kill, and are run again after a reboot`() throws {
        try host.configure(
            settings: """
                tasks:
                  stopCommand: 'echo stop >> /srv/log; while [ ! -e /srv/stopped ]; do sleep 0.1; done; echo stopped >> /srv/log'
                  startCommand: 'echo start >> /srv/log'

                """)
        try machine.boot()
        try host.drop(waitingUpdate(in: "PAIE"))
        try machine.until("it is stopping") { try log() == ["stop"] }
        try machine.run("systemctl kill -s KILL --kill-who=main patchd; systemctl restart patchd")
        // By the time that this is refused, the daemon has been at the job again.
        try machine.run("ln -s /etc/passwd /var/spool/patchd/incoming/link.zip")
        try machine.until("it is refused") { machine.exists("/var/spool/patchd/rejected/link.zip.reason.json") }
        #expect(try host.job(1)?["state"] as? String == "running")
        try machine.write("/srv/stopped", "")
        try host.untilWaiting("PAIE")
        #expect(try log() == ["stop", "stopped", "stop", "stopped"])
        try machine.run("systemctl restart patchd")
        try machine.until("up again") { try machine.run("systemctl show -P StatusText patchd").output != "\n" }
        machine.powerCut()
        try machine.boot()
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(try log() == ["stop", "stopped", "stop", "stopped", "stop", "stopped", "start"])
    }

    @Test func `tell when nobody is at work, and who stays at work keeps the update away`() throws {
        try host.daemon("payroll-batch.service")
        try host.configure(
            settings: """
                grace: 2s
                tasks:
                  stop: [payroll-batch.service]
                  idleCheck: 'echo look >> /srv/log; test -e /srv/idle'

                """)
        try machine.boot()
        try host.drop()
        try host.until(job: 1, is: "waiting")
        #expect((try host.job(1)?["waitingFor"] as? String)?.contains("idleCheck of payroll") == true)
        try machine.until("it runs again") { try host.active("payroll-batch.service").count == 1 }
        #expect(try log().count >= 2)
        #expect(try host.active("payroll-batch.service").count == 1)
        #expect(try host.read("SEED", "lib/a.dat") == "old\n" && host.lock("SEED") == nil)
        try machine.write("/srv/idle", "")
        // It is tried again after ten minutes, and by a new daemon at once.
        try machine.run("systemctl restart patchd")
        try host.until(job: 1, is: "done")
        #expect(try host.active("payroll-batch.service").count == 1)
    }
}
