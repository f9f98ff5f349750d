import Foundation
import Support
import Testing

/// Each engine, each kind of script, and the admin's commands, in a worker's service as it is by default.
@Suite(.bootsMachines) struct `Scripts and databases in a worker's sandbox` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment()
        try machine.prepare("rm /etc/patchd/endpoints.d/payroll.yaml && usermod --home /home/payroll payroll")
    }

    private func endpoint(_ name: String, _ text: String) throws {
        try machine.write(
            "/etc/patchd/endpoints.d/\(name).yaml", "endpoint: \(name)\npath: /srv/\(name)\n" + text, mode: 0o640)
    }

    private func drop(_ files: [String: String]) throws {
        var update = ExampleUpdate()
        update.files = ["X3V8_P2BIS/FILPATCH/bis.txt": "bis\n"]
        for (name, text) in files { update.files["X3V8_P2/FILPATCH/\(name)"] = text }
        try host.drop(update)
        try machine.until("job 1 has ended", timeout: .seconds(90)) {
            ["done", "failed"].contains(try host.job(1)?["state"] as? String)
        }
        let job = try #require(try host.job(1))
        #expect(job["state"] as? String == "done", "\(job["message"] ?? "") \(job["folders"] ?? "")")
    }

    @Test func `work with files: SQLite, embedded Firebird, sh and php, without a network`() throws {
        try endpoint(
            "files",
            """
            grace: 1s
            folders:
              - {name: LITE, version: 8.0.1, database: "sqlite:data/app.db"}
              - {name: BIRD, parent: LITE, database: "firebird:/srv/files/BIRD/app.fdb"}

            """)
        try machine.prepare(
            """
            mkdir -p /srv/files/LITE/data /srv/files/BIRD && \
            sqlite3 /srv/files/LITE/data/app.db 'CREATE TABLE account (name varchar(20))' && \
            chown -R payroll:payroll /srv/files && cd /srv/files/BIRD && \
            echo "CREATE DATABASE '/srv/files/BIRD/app.fdb'; COMMIT; CREATE TABLE account (name varchar(20)); COMMIT;" | \
            setpriv --reuid=payroll --regid=payroll --clear-groups isql-fb -q -bail -user SYSDBA
            """)
        try machine.boot()
        try drop([
            "upgrades/8.0.2.sql": "INSERT INTO account VALUES ('sql');\n",
            "upgrades/8.0.2.sh": "id -un > sh; getent passwd payroll >> sh\n",
            "upgrades/8.0.2.php": "<?php file_put_contents('php', get_current_user() . PHP_VERSION_ID);\n",
        ])
        #expect(try machine.run("sqlite3 /srv/files/LITE/data/app.db 'SELECT name FROM account'").output == "sql\n")
        for folder in ["LITE", "BIRD"] {
            #expect(try machine.read("/srv/files/\(folder)/sh").hasPrefix("payroll\npayroll:"))
            #expect(machine.exists("/srv/files/\(folder)/php"))
        }
        let rows = try machine.run(
            "echo 'SELECT name FROM account;' | FIREBIRD_LOCK=/srv isql-fb -q -user SYSDBA /srv/files/BIRD/app.fdb"
        )
        #expect(rows.output.contains("sql"), "\(rows)")
    }

    @Test func `work with MariaDB through its socket and the owner's .my.cnf, with hooks, handlers and a copy`() throws
    {
        try endpoint(
            "served",
            """
            grace: 1s
            hooks: {before: "touch before", validate: "test -e handled && touch validated", after: "touch after"}
            handlers: {dat: "/usr/bin/install {file} handled"}
            folders:
              - {name: MARIA, version: 8.0.1, database: "mariadb://payroll@/app?socket=/run/mdb/s"}

            """)
        try machine.write("/home/payroll/.my.cnf", "[client]\npassword=kirschkern\n", mode: 0o600)
        try machine.prepare(
            """
            mkdir -p /srv/served/MARIA && chown -R payroll:payroll /srv/served /home/payroll && \
            install -d -o mysql /srv/mdb && mariadb-install-db --no-defaults --user=mysql --datadir=/srv/mdb \
            --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve --innodb-log-file-size=8M \
            --innodb-buffer-pool-size=16M >/dev/null
            """)
        try host.service(
            "mdb.service",
            """
            [Service]
            Type=notify
            User=mysql
            RuntimeDirectory=mdb
            ExecStart=/usr/sbin/mariadbd --no-defaults --datadir=/srv/mdb --socket=/run/mdb/s --skip-networking --pid-file=/run/mdb/pid --innodb-buffer-pool-size=16M --innodb-log-file-size=8M

            """)
        try machine.boot()
        try machine.run("systemctl start mdb")
        let made = try machine.run(
            """
            mariadb --no-defaults -u root -S /run/mdb/s -e "CREATE DATABASE app; CREATE TABLE app.account (name varchar(20));
            CREATE USER payroll@localhost IDENTIFIED BY 'kirschkern'; GRANT ALL ON app.* TO payroll@localhost"
            """)
        #expect(made.code == 0, "\(made)")
        try drop([
            "upgrades/8.0.2.sql": "INSERT INTO account VALUES ('sql');\n", "a.dat": "new\n",
            "upgrades/8.0.2.sh": "mariadb -S /run/mdb/s app -e \"INSERT INTO account VALUES ('sh')\"\n",
        ])
        let rows = try machine.run(
            "mariadb --no-defaults -u root -S /run/mdb/s -N -e 'SELECT name FROM app.account ORDER BY 1'")
        #expect(rows.output == "sh\nsql\n", "\(rows)")
        for name in ["before", "validated", "after", "handled"] {
            #expect(machine.exists("/srv/served/MARIA/\(name)"), "\(name)")
        }
    }
}
