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
}
