import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `Units that an update stopped` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    private func text(_ status: String = "StatusText") throws -> String {
        try machine.run("systemctl show -P StatusText patchd").output
    }

    /// What `patchctl status --json` says of units that are down.
    private func down() throws -> [String] {
        let status = try machine.run("patchctl status --json").output
        let report = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any] ?? [:]
        return (report["units"] as? [[String: Any]] ?? []).compactMap { $0["unit"] as? String }
    }

    @Test func `as sockets, timers and paths go down with what they start, and come back before it`() throws {
        try host.service("web.socket", "[Socket]\nListenStream=/run/web\n")
        try host.daemon("web.service", isEnabled: false)
        try host.service("idle.socket", "[Socket]\nListenStream=/run/idle\n")
        try host.daemon("idle.service", isEnabled: false)
        try host.service("night.timer", "[Timer]\nOnCalendar=2100-01-01\n")
        try host.daemon("night.service", isEnabled: false)
        try host.service("look.path", "[Path]\nPathExists=/srv/looked-at\n")
        try host.daemon("look.service", isEnabled: false)
        try host.service("talk.socket", "[Socket]\nListenStream=/run/talk\nAccept=yes\n")
        try host.service(
            "talk@.service", "[Unit]\nCollectMode=inactive-or-failed\n[Service]\nExecStart=/bin/sleep infinity\n")
        try host.configure(
            settings: "tasks: {stop: [web.socket, idle.socket, night.timer, look.path, talk.socket]}\n")
        try machine.boot()
        try machine.run(
            """
            systemctl start web.socket idle.socket night.timer look.path talk.socket
            systemctl start web.service night.service look.service
            python3 -c 'import socket,time; s=socket.socket(socket.AF_UNIX); s.connect("/run/talk"); time.sleep(1000)' &
            """)
        let connections = "systemctl list-units --plain --no-legend --state=active 'talk@*' | wc -l"
        try machine.until("somebody is connected") { try machine.run(connections).output == "1\n" }
        let before = [
            "web.socket", "web.service", "idle.socket", "night.timer", "night.service", "look.path", "look.service",
            "talk.socket",
        ]
        func running() throws -> [String] { try (before + ["idle.service"]).filter { try !host.active($0).isEmpty } }
        #expect(try running() == before)
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        #expect(try running() == [] && machine.run(connections).output == "0\n")
        try machine.run("systemctl start web.service idle.service night.service look.service")
        #expect(try running() == [], "nor does anybody start what they start")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(try running() == before)
        #expect(try down() == [])
        let problems = try machine.journal(matching: ["SYSLOG_IDENTIFIER=patchd", "PRIORITY=3"])
        #expect(problems.isEmpty, "\(problems.compactMap { $0["MESSAGE"] })")
    }

    @Test
    func
        `and that do not come up are named beside another failure, remembered, and keep a resumed job from being done`()
        throws
    {
        try host.daemon("payroll-batch.service", service: "ExecStartPre=/bin/sh -c 'test ! -e /srv/broken'")
        try host.daemon("payroll-sub.service", "Requires=payroll-batch.service\nAfter=payroll-batch.service")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\n")
        try machine.boot()
        try machine.write("/srv/broken", "")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEED || test -e fixed\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        var job = try #require(try host.job(1))
        #expect(job["code"] as? String == "script")
        var units = try #require(job["units"] as? [String: String])
        #expect(units.keys.sorted() == ["payroll-batch.service", "payroll-sub.service"])
        #expect(units["payroll-sub.service"]?.contains("it needs payroll-batch.service") == true, "\(units)")
        #expect(
            try text()
                == "1 job failed (1), 1 folder locked, 2 units down (payroll-batch.service, payroll-sub.service)\n")
        #expect(try machine.run("patchctl status").output.contains("systemctl start payroll-batch.service"))

        try machine.write("/srv/payroll/SEED/fixed", "")
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "failed")
        job = try #require(try host.job(1))
        #expect(job["code"] as? String == "unit")
        for folder in host.folders { #expect(try host.folder(folder)["status"] as? String == "current") }
        // Whatever happens to the daemon.
        try machine.run("systemctl restart patchd")
        #expect(try down() == ["payroll-batch.service", "payroll-sub.service"])
        #expect(try text().contains("2 units down"))
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "failed")

        try machine.run("rm /srv/broken")
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "done")
        job = try #require(try host.job(1))
        units = job["units"] as? [String: String] ?? [:]
        #expect(units == [:])
        #expect(try host.active("payroll-batch.service", "payroll-sub.service").count == 2)
        #expect(try down() == [] && text() == "idle\n")
    }

    @Test func `and that somebody starts by hand are forgotten`() throws {
        try host.daemon("payroll-batch.service", service: "ExecStartPre=/bin/sh -c 'test ! -e /srv/broken'")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\n")
        try machine.boot()
        try machine.write("/srv/broken", "")
        try host.drop()
        try host.until(job: 1, is: "failed")
        #expect(try down() == ["payroll-batch.service"])
        try machine.run("rm /srv/broken; systemctl reset-failed payroll-batch; systemctl start payroll-batch")
        // Any drop has the daemon look about.
        try machine.run("ln -s /etc/passwd /var/spool/patchd/incoming/link.zip")
        try machine.until("it is seen") { try down() == [] }
        try machine.until("it is said") { try text() == "1 job failed (1)\n" }
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "done")
    }

    @Test func `or that never stop: it is said, a cancel ends the wait, and nobody else waits`() throws {
        try host.daemon(
            "payroll-hang.service",
            service: "ExecStop=/bin/sh -c 'while [ ! -e /srv/let-go ]; do sleep 0.1; done'\nTimeoutStopSec=infinity")
        try host.daemon("payroll-batch.service")
        try host.configure(
            settings: "accepts: [X3V8_P2]\ntasks: {stop: [payroll-hang.service, payroll-batch.service]}\n")
        try machine.write("/srv/zother/ONE/lib/a.dat", "old\n")
        try machine.prepare("chown -R payroll:payroll /srv/zother")
        try host.daemon("zother.service")
        try machine.write(
            "/etc/patchd/endpoints.d/zother.yaml",
            "endpoint: zother\npath: /srv/zother\naccepts: [X3V8_P2]\ntasks: {stop: [zother.service]}\nfolders:\n  - {name: ONE, version: 8.0.1}\n"
        )
        try machine.boot()
        try host.drop()
        try machine.until("both jobs are there") { try host.job(2) != nil }
        let own = try host.job(1)?["endpoint"] as? String == "payroll" ? 1 : 2
        try machine.until("it is said") {
            (try host.job(own)?["message"] as? String ?? "").contains(
                "waiting for payroll-hang.service to stop, since 2")
        }
        try host.until(job: 3 - own, is: "done")
        #expect(try host.active("zother.service").count == 1)
        #expect(
            try machine.journal(matching: ["PATCHD_UNIT=payroll-hang.service"]).contains {
                $0["MESSAGE"]?.contains("waiting for payroll-hang.service to stop") == true
            })
        #expect(try host.read("SEED", "lib/a.dat") == "old\n")
        #expect(try machine.run("patchctl cancel \(own)").code == 0)
        try host.until(job: own, is: "cancelled", timeout: .seconds(20))
        let job = try #require(try host.job(own))
        #expect((job["units"] as? [String: String])?.keys.sorted() == ["payroll-hang.service"])
        #expect(try host.active("payroll-batch.service").count == 1)
        for folder in host.folders { #expect(try host.lock(folder) == nil) }
        try machine.write("/srv/let-go", "")
        try machine.until("it runs again") { try host.active("payroll-hang.service").count == 1 }
        let told = try machine.journal(matching: ["PATCHD_UNIT=payroll-hang.service"]).compactMap { $0["MESSAGE"] }
        #expect(!told.contains { $0.contains("cannot stop") }, "\(told)")
        try machine.run("ln -s /etc/passwd /var/spool/patchd/incoming/link.zip")
        try machine.until("it is seen") { try down() == [] }
        try machine.until("and nothing is left") { try text() == "idle\n" }
    }

    @Test func `can be started when patchd is removed, which is refused while it is needed`() throws {
        let copy = machine.path("/root/patchd")
        try Command.require("/bin/mkdir", ["-p", "\(copy)/scripts"])
        try Command.require("/bin/cp", ["-R", "\(Machine.repository)/systemd", copy])
        try Command.require("/bin/cp", ["\(Machine.repository)/scripts/uninstall", "\(copy)/scripts/"])
        try host.daemon("payroll-batch.service")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\n")
        try machine.boot()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test -e fixed\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        #expect(
            try machine.run("systemctl start payroll-batch; systemctl is-active payroll-batch").output == "inactive\n")
        // Who wonders why is told whose doing it is, and what to do.
        #expect(try machine.run("systemctl status payroll-batch").output.contains("90-patchd.conf"))
        #expect(try machine.run("systemctl cat payroll-batch").output.contains("patchctl status"))

        let refused = try machine.run("/root/patchd/scripts/uninstall")
        #expect(refused.code == 5, "\(refused.errors)")
        #expect(
            refused.errors.contains("job 1") && refused.errors.contains("payroll/SEED2 is locked"), "\(refused.errors)")
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")

        let forced = try machine.run("PATCHD_FORCE_REMOVE=1 /root/patchd/scripts/uninstall")
        #expect(forced.code == 0, "\(forced.output)\(forced.errors)")
        #expect(forced.output.contains("systemctl start payroll-batch.service"), "\(forced.output)")
        #expect(!machine.exists("/usr/sbin/patchd") && !machine.exists("/usr/lib/systemd/system/patchd.service"))
        #expect(
            try machine.run("find /etc/systemd /var/lib/patchd/quiesced -name '*patchd*' -o -name '*.service.d'").output
                == "")
        #expect(
            try machine.run("systemctl start payroll-batch && systemctl is-active payroll-batch").output == "active\n")
        #expect(try machine.run("systemctl is-active patchd").output == "inactive\n")

        // Put back, it goes on with what was given up.
        try machine.write("/srv/payroll/PAIE/fixed", "")
    }
}
