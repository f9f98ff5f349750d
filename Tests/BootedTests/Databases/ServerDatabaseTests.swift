import Foundation
import Support
import Testing

/// SEED's database is on a server of the machine's own, which logs every statement in the journal, and whose role logs in
/// with a password.
@Suite(.bootsMachines) struct `The password of a database on a server` {
    /// Where the machine keeps it, and what it is searched for by: no command line of the tests' own names it.
    private static let (file, pattern) = ("/etc/patchd/payroll.credentials", "/root/pattern")

    let host: Deployment
    let password = "kirschkern-\(UInt64.random(in: .min ... .max))"
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment()
        try machine.write(
            "/etc/patchd/endpoints.d/payroll.yaml",
            """
            endpoint: payroll
            path: /srv/payroll
            grace: 1s
            folders:
              - {name: PAIE, version: 8.0.1}
              - {name: SEED, parent: PAIE, modules: [HRM], database: "postgresql://payroll@127.0.0.1/payroll", credentials: \(Self.file)}

            """, mode: 0o640)
        try machine.write(Self.file, "user=payroll\npassword=\(password)\n", mode: 0o600)
        try machine.write(Self.pattern, password + "\n", mode: 0o600)
        try machine.write(
            "/srv/pg/setup.sql",
            """
            CREATE ROLE payroll LOGIN PASSWORD '\(password)';
            CREATE DATABASE payroll OWNER payroll;
            \\connect payroll
            CREATE TABLE account (name text);
            ALTER TABLE account OWNER TO payroll;
            ALTER SCHEMA public OWNER TO payroll;

            """)
        let programs = PostgreSQLServer.programs
        try machine.write(
            "/srv/pg/setup",
            """
            set -e
            cd /srv/pg
            \(programs)/initdb -D data -A trust -U postgres -N -E UTF8 --locale=C.UTF-8
            \(programs)/pg_ctl -w -D data -l /dev/null -o "-k /srv/pg -c listen_addresses=" start
            psql -X -v ON_ERROR_STOP=1 -h /srv/pg -U postgres -d postgres -f setup.sql
            \(programs)/pg_ctl -w -D data stop

            """)
        try machine.prepare(
            "chown -R postgres:postgres /srv/pg && setpriv --reuid=postgres --regid=postgres --clear-groups sh /srv/pg/setup "
                + "&& rm /srv/pg/setup.sql && chown -R payroll:payroll /srv/payroll")
        try machine.write(
            "/srv/pg/data/pg_hba.conf", "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        try host.service(
            "database.service",
            """
            [Service]
            Type=notify
            User=postgres
            ExecStart=\(programs)/postgres -D /srv/pg/data -k /srv/pg -c listen_addresses=127.0.0.1 -c log_statement=all -c shared_buffers=16MB

            """)
        // What a program that is run beside the worker is given can be read there as long as it runs.
        try machine.write(
            "/usr/local/bin/pg_dump",
            "#!/bin/sh\n{ printf '%s\\n' \"$@\"; env; } >>/srv/payroll/SEED/dump\nexec /usr/bin/pg_dump \"$@\"\n",
            mode: 0o755)
    }

    private func update(_ version: String, after dependency: String, script: String = "") -> ExampleUpdate {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = [
            "X3V8_P2/FILPATCH/\(version).dat": "a\n",
            "X3V8_P2BIS/FILPATCH/upgrades/\(version).sql": "INSERT INTO account VALUES ('sql \(version)');\n",
        ]
        if !script.isEmpty { update.files["X3V8_P2BIS/FILPATCH/upgrades/\(version).sh"] = script }
        return update
    }

    private func rows() throws -> String {
        try machine.run("psql -X -A -t -h /srv/pg -U postgres -d payroll -c 'SELECT name FROM account ORDER BY name'")
            .output
    }

    /// Files below the places where patchd, systemd and the journal keep something, and what was logged.
    private func expectNowhere() throws {
        let found = try machine.run(
            "grep -rlF -f \(Self.pattern) /etc /run /srv /var/lib/patchd /var/spool/patchd /var/log --devices=skip 2>/dev/null"
        ).output.split(separator: "\n").map(String.init)
        #expect(found == [Self.file])
        let entries = try machine.journal()
        #expect(
            entries.contains { $0["MESSAGE"]?.contains("INSERT INTO account") ?? false }, "the server logs what is sent"
        )
        let said = entries.filter { $0.values.contains { $0.contains(password) } }
        #expect(said.isEmpty, "\(said)")
    }

    @Test func `reaches the worker and its scripts as a systemd credential, and stands nowhere else`() throws {
        try machine.boot()
        try machine.run("systemctl start database.service")
        let script = """
            set -e
            touch waiting
            while [ ! -e go ]; do sleep 0.1; done
            echo "credentials: $PATCHD_CREDENTIALS, database: $PATCHD_DATABASE_URL"
            PGPASSWORD=$(sed -n 's/^password=//p' "$PATCHD_CREDENTIALS")
            export PGPASSWORD
            psql -X -q -v ON_ERROR_STOP=1 "$PATCHD_DATABASE_URL" -c "INSERT INTO account VALUES ('sh')"

            """
        try host.drop(update("8.0.2", after: "8.0.1", script: script))
        try machine.until("the script waits", timeout: .seconds(60)) {
            if let job = try host.job(1), job["state"] as? String == "failed" {
                throw Failure("job 1 failed: \(job["message"] ?? "")")
            }
            return machine.exists("/srv/payroll/SEED/waiting")
        }
        let unit = "patchd-job-1-payroll-SEED.service"
        let credential = "/run/credentials/\(unit)/database"
        let copy = "/run/patchd/credentials/patchd-job-1-payroll-SEED/database"
        #expect(try machine.run("systemctl cat \(unit)").output.contains("LoadCredential=database:\(copy)"))
        #expect(!machine.exists(copy), "it was only for systemd to read")
        let other = "setpriv --reuid=nobody --regid=nogroup --clear-groups cat \(credential)"
        #expect(try machine.run(other).code != 0, "others cannot read it")
        #expect(
            try machine.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -cF -f \(Self.pattern)")
                .output
                == "0\n")
        #expect(try machine.run("systemctl show '*' | grep -cF -f \(Self.pattern)").output == "0\n")
        try machine.write("/srv/payroll/SEED/go", "")
        try host.until(job: 1, is: "done")
        #expect(try rows() == "sh\nsql 8.0.2\n")
        let trace = try machine.read("/var/lib/patchd/jobs/1/traces/SEED.log")
        #expect(
            trace.contains("credentials: \(credential), database: postgresql://payroll@127.0.0.1/payroll"), "\(trace)")
        #expect(try machine.read("/srv/payroll/SEED/dump").contains("PGPASSFILE="))
        #expect(!machine.exists(credential))
        try expectNowhere()
    }

    @Test func `that is wrong, or that others can read, is refused without a word of it`() throws {
        try machine.boot()
        try machine.run("systemctl start database.service")
        try machine.write(Self.file, "user=payroll\npassword=not-\(password)\n", mode: 0o600)
        try host.drop(update("8.0.2", after: "8.0.1"))
        try host.until(job: 1, is: "failed")
        let job = try #require(try host.job(1))
        #expect(job["code"] as? String == "database")
        #expect((job["message"] as? String ?? "").contains("password authentication failed"), "\(job["message"] ?? "")")
        try machine.write(Self.file, "user=payroll\npassword=\(password)\n", mode: 0o644)
        try host.drop(update("8.0.2", after: "8.0.1"), as: "again.zip")
        try host.until(job: 2, is: "failed")
        let message = try #require(try host.job(2)?["message"] as? String)
        #expect(message.contains(Self.file), "\(message)")
        try machine.run("chmod 600 \(Self.file)")
        try host.drop(update("8.0.2", after: "8.0.1"), as: "third.zip")
        try host.until(job: 3, is: "done")
        #expect(try rows() == "sql 8.0.2\n")
        try expectNowhere()
    }
}
