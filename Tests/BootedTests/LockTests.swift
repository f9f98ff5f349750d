import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The update lock` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    /// What is told of a folder by id.
    private func told(_ id: String, _ folder: String) throws -> Int {
        try machine.journal(matching: ["MESSAGE_ID=\(id)", "PATCHD_FOLDER=\(folder)"]).count
    }

    @Test func `is kept by patchd's service, waited for by units, and obeyed by those under guard`() throws {
        try host.daemon("payroll-batch.service")
        // It would stay for good; after grace it is made to go.
        try machine.write(
            "/srv/stubborn", "trap 'echo asked >> /tmp/stubborn' TERM\nwhile :; do sleep 0.1; done\n")
        try host.service(
            "inside.service",
            "[Service]\nUser=payroll\nExecStart=/usr/bin/patchctl guard payroll/SEED -- /bin/sh /srv/stubborn\n")
        try host.service(
            "after.service",
            """
            [Service]
            User=payroll
            ExecStartPre=/usr/bin/patchctl wait payroll/SEED
            ExecStart=/bin/sh -c 'cat /srv/payroll/SEED/lib/a.dat >/tmp/after; exec sleep infinity'

            """)
        try host.configure(settings: "leadTime: 2s\ngrace: 2s\ntasks: {stop: [payroll-batch.service]}\n")
        // A folder that was copied with its lock: no job accounts for it.
        try machine.write("/srv/payroll/SEED2/update.lock", #"{"schema":1,"code":9999,"phase":"updating","job":7}"#)
        try machine.boot()
        #expect(try host.lock("SEED2") == nil)
        #expect(try told("c44a66f4cf2543469cbe4f50bdbcda98", "SEED2") == 1)

        try machine.run("systemctl start inside")
        try host.drop(waitingUpdate(in: "PAIE"))
        try machine.until("9998") { try host.lock("SEED")?["phase"] as? String == "announced" }
        #expect(try host.lock("SEED")?["code"] as? Int == 9998)
        #expect(!machine.exists("/tmp/stubborn"), "nobody has to go before 9999")
        try machine.until("9999") { try host.lock("SEED")?["phase"] as? String == "disconnect" }
        #expect(try host.active("payroll-batch.service").count == 1, "it runs until nobody is inside")
        try host.untilWaiting("PAIE")
        #expect(try machine.read("/tmp/stubborn") == "asked\n")
        #expect(try host.active("inside.service", "payroll-batch.service") == [])

        try machine.run("systemctl start --no-block after")
        for (folder, line) in [("PAIE", "rm"), ("SEED", "echo '{}' >"), ("SEEDPROD2", "truncate -s 0")] {
            try machine.run("\(line) /srv/payroll/\(folder)/update.lock")
            try machine.until("restored") {
                let lock = try? host.lock(folder)
                return lock?["phase"] as? String == "updating" && lock?["code"] as? Int == 9999
            }
            #expect(try told("4f859933fdf0445f97e485b6761978dd", folder) >= 1)
        }
        // While nobody is there to see it.
        try machine.run("systemctl stop patchd; rm /srv/payroll/SEED2/update.lock; systemctl start patchd")
        try machine.until("restored") { try host.lock("SEED2")?["code"] as? Int == 9999 }
        #expect(!machine.exists("/tmp/after"))
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        for folder in host.folders { #expect(try host.lock(folder) == nil) }
        try machine.until("the application starts") { machine.exists("/tmp/after") }
        #expect(try machine.read("/tmp/after") == "new a\n")
    }

    @Test func `stays where the root folder failed, and so do the tasks, however often somebody starts them`() throws {
        // One start an hour: updates are none of the failures that this is meant against.
        try host.daemon("payroll-batch.service", "StartLimitIntervalSec=1h\nStartLimitBurst=1")
        try host.daemon("payroll-app@.service", isEnabled: false)
        try host.configure(settings: "tasks: {stop: [payroll-batch.service, \"payroll-app@%f.service\"]}\n")
        try machine.boot()
        try machine.run("systemctl start payroll-app@SEED")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != PAIE || test -e fixed\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        for folder in host.folders {
            let lock = try #require(try host.lock(folder))
            #expect(lock["code"] as? Int == 9999)
            #expect(lock["phase"] as? String == (folder == "PAIE" ? "failed" : "blocked"), "\(folder)")
        }
        for _ in 1...8 { try machine.run("systemctl start payroll-batch payroll-app@SEED") }
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service") == [])
        try machine.write("/srv/payroll/PAIE/fixed", "")
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "done")
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service").count == 2)
        for folder in host.folders { #expect(try host.lock(folder) == nil) }
        var next = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
        next.files = next.files.filter { !$0.key.contains("upgrades/") }
        next.files["X3V8_P2/FILPATCH/lib/a.dat"] = "8.0.3\n"
        try host.drop(next)
        try host.until(job: 2, is: "done")
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service").count == 2)
    }
}
