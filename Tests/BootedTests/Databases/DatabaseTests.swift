import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `A database that a service has in use` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment()
        try machine.write(
            "/etc/patchd/endpoints.d/payroll.yaml",
            """
            endpoint: payroll
            path: /srv/payroll
            grace: 1s
            disconnect: onDemand
            folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM], database: "sqlite:data/app.db"}

            """, mode: 0o640)
        try machine.write(
            "/srv/holder.py",
            """
            import sqlite3, time
            db = sqlite3.connect("/srv/payroll/SEED/data/app.db", isolation_level=None)
            db.execute("BEGIN IMMEDIATE")
            open("/srv/held", "a").write("held\\n")
            time.sleep(3600)

            """)
        try machine.prepare(
            "mkdir -p /srv/payroll/SEED/data && sqlite3 /srv/payroll/SEED/data/app.db 'CREATE TABLE account (name)' "
                + "&& chown -R payroll:payroll /srv/payroll && touch /srv/held && chmod 666 /srv/held")
        try host.service(
            "payroll-web.service", "[Service]\nUser=payroll\nExecStart=/usr/bin/python3 /srv/holder.py\n")
    }

    @Test func `stops it when its time is over, goes on, and starts it again`() throws {
        try machine.boot()
        try machine.run("systemctl start payroll-web.service")
        try machine.until("the service holds the lock") { try machine.read("/srv/held") == "held\n" }
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/a.dat": "a\n",
            "X3V8_P2BIS/FILPATCH/upgrades/8.0.2.sql": "INSERT INTO account SELECT phase FROM patchd_revision;\n",
        ]
        try host.drop(update)
        try host.until(job: 1, is: "done")
        try machine.until("the service holds the lock again") { try machine.read("/srv/held") == "held\nheld\n" }
        #expect(try host.active("payroll-web.service") == ["payroll-web.service"])
        let told = try machine.run(
            "journalctl -o cat MESSAGE_ID=0f7c52d8a9e34b1b8d6e2f4a7c90b315 PATCHD_FOLDER=SEED"
        ).output
        #expect(told.contains("stops payroll-web.service"), "\(told)")
        try machine.run("systemctl stop payroll-web.service")
        let rows = try machine.run("sqlite3 /srv/payroll/SEED/data/app.db 'SELECT name FROM account'").output
        // The script waited for the service's lock, in the phase that says so; nobody is shown another before it runs.
        #expect(["updating\n", "disconnect\n", ""].contains(rows), "\(rows)")
        #expect(try host.folder("SEED")["version"] as? String == "8.0.2")
    }

    private func update() -> ExampleUpdate {
        var update = ExampleUpdate()
        update.files = [
            "X3V8_P2/FILPATCH/a.dat": "a\n",
            "X3V8_P2BIS/FILPATCH/upgrades/8.0.2.sql": "INSERT INTO account VALUES ('ours');\n",
        ]
        return update
    }

    @Test func `that is cron's or another's, too, is not stopped: the process that has it in use is ended`() throws {
        for name in ["cron", "payroll-batches"] {
            try host.service(
                "\(name).service",
                "[Service]\nUser=payroll\nKillMode=process\nExecStart=/bin/sh -c '/usr/bin/python3 /srv/holder.py & exec sleep infinity'\n"
            )
        }
        try machine.boot()
        var number = 0
        for name in ["cron", "payroll-batches"] {
            number += 1
            try machine.run(": > /srv/held; systemctl start \(name)")
            try machine.until("it holds the lock") { try machine.read("/srv/held") == "held\n" }
            let pid = try machine.run("systemctl show -P MainPID \(name)").output
            if number == 2 {
                var next = ExampleUpdate(version: "8.0.3", dependency: "8.0.2")
                next.files = [
                    "X3V8_P2/FILPATCH/a.dat": "b\n",
                    "X3V8_P2BIS/FILPATCH/upgrades/8.0.3.sql": "INSERT INTO account VALUES ('ours');\n",
                ]
                try host.drop(next)
            } else {
                try host.drop(update())
            }
            try host.until(job: number, is: "done")
            #expect(try machine.run("systemctl show -P MainPID \(name)").output == pid)
            #expect(try host.active("\(name).service").count == 1)
            #expect(!machine.exists("/etc/systemd/system/\(name).service.d"))
            try machine.run("systemctl stop \(name)")
        }
        let told = try machine.run("journalctl -o cat MESSAGE_ID=0f7c52d8a9e34b1b8d6e2f4a7c90b315").output
        #expect(told.contains("ends python3 (pid") && told.contains(", cron.service)"), "\(told)")
    }

    @Test func `that comes again and again gets one grace, and fails the folder with its name`() throws {
        // Whoever is ended has a successor by then, that has the database open.
        try machine.write(
            "/srv/again.py",
            """
            import os, signal, time
            def again(*_):
                if os.fork(): os._exit(0)
            signal.signal(signal.SIGTERM, again)
            held = os.open("/srv/payroll/SEED/data/app.db", os.O_RDONLY)
            while True: time.sleep(1)

            """)
        try host.service(
            "payroll-again.service",
            "[Service]\nUser=payroll\nExecStart=/bin/sh -c '/usr/bin/python3 /srv/again.py & exec sleep infinity'\n")
        try machine.prepare("sed -i 's/onDemand/always/; s/grace: 1s/grace: 20s/' /etc/patchd/endpoints.d/payroll.yaml")
        try machine.boot()
        try machine.run("systemctl start payroll-again")
        try host.drop(update())
        let clock = ContinuousClock()
        let taken = try clock.measure { try host.until(job: 1, is: "failed", timeout: .seconds(120)) }
        // One grace, and the half minute in which newcomers are ended.
        #expect(taken > .seconds(45) && taken < .seconds(80), "\(taken)")
        let job = try #require(try host.job(1))
        #expect(job["code"] as? String == "inUse")
        let message = try #require(job["message"] as? String)
        #expect(message.contains("python3 (pid") && message.contains("payroll-again.service) came again"), "\(message)")
        try machine.run("systemctl stop payroll-again")
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "done")
    }
}
