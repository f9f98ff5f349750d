import Support
import Testing

@Suite(.bootsMachines) struct `patchd as a service` {
    let deployment: Deployment
    private var machine: Machine { deployment.machine }

    init() throws { deployment = try Deployment() }

    @Test func `is up after the boot, and applies what is dropped`() throws {
        try machine.boot()
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        try deployment.drop()
        try deployment.until(job: 1, is: "done")
        for folder in deployment.folders {
            #expect(try deployment.folder(folder)["version"] as? String == "8.0.2")
            #expect(try deployment.read(folder, "lib/a.dat") == "new a\n")
        }
        #expect(try machine.run("stat -c %U /srv/payroll/SEED/lib/a.dat").output == "payroll\n")
        #expect(try machine.run("systemctl --failed --no-legend").output == "")
    }

    @Test func `applies what was dropped while the machine was off`() throws {
        try deployment.drop()
        try machine.boot()
        try deployment.until(job: 1, is: "done")
        try machine.reboot()
        #expect(try deployment.folder("SEEDPROD2")["version"] as? String == "8.0.2")
        #expect(try deployment.job(2) == nil)
    }

    @Test func `takes what a member of the group writes, once it is closed`() throws {
        try machine.boot()
        let spool = "/var/spool/patchd"
        try ExampleUpdate().pack(to: machine.path("/srv/update.zip"))
        try machine.run("usermod --append --groups patchd payroll && chmod 644 /srv/update.zip")
        #expect(try machine.run("runuser -u nobody -- cp /srv/update.zip \(spool)/incoming/").code == 1)

        try machine.write(
            "/srv/writer",
            """
            exec 3>\(spool)/incoming/update.zip
            cat /srv/update.zip >&3
            touch /srv/payroll/written
            while [ ! -e /srv/close ]; do sleep 0.1; done

            """)
        try machine.run("chown payroll /srv/payroll; runuser -u payroll -- sh /srv/writer &")
        try machine.until("it is written") { machine.exists("/srv/payroll/written") }
        // By the time that this is refused, the daemon has seen the other as well.
        try machine.run("ln -s /etc/passwd \(spool)/incoming/link.zip")
        try machine.until("the link is refused") { machine.exists("\(spool)/rejected/link.zip.reason.json") }
        #expect(machine.exists("\(spool)/incoming/update.zip"))
        try machine.write("/srv/close", "")
        try deployment.until(job: 1, is: "done")
        #expect(try machine.run("ls -A \(spool)/incoming").output == "")
    }
}
