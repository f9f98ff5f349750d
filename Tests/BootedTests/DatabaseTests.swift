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
        #expect(rows == "updating\n" || rows == "", "\(rows)")
        #expect(try host.folder("SEED")["version"] as? String == "8.0.2")
    }
}
