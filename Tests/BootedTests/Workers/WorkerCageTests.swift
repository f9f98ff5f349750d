import Foundation
import Support
import Testing

/// What a vendor's script meets in a worker's service. Each writes what it finds into its folder.
@Suite(.bootsMachines) struct `A worker's sandbox` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment()
        try machine.prepare(
            """
            install -d -m 777 /srv/open /var/lib/acme && install -d /home/other /home/vendor/lib && \
            echo secret > /home/other/file && echo lib > /home/vendor/lib/file && chmod -R a+rX /home
            """)
    }

    private func update(_ script: String) -> ExampleUpdate {
        var update = ExampleUpdate()
        update.files = ["X3V8_P2/FILPATCH/upgrades/8.0.2.sh": script, "X3V8_P2BIS/FILPATCH/bis.dat": "bis\n"]
        return update
    }

    private static let report = #"""
        try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "$name: yes"; else echo "$name: no"; fi; }
        put() { touch "$1/by-$PATCHD_FOLDER"; }
        {
            for place in /srv/open /run /run/lock /var/lib/acme /var/spool/patchd/holds /etc /usr/local; do try "write $place" put $place; done
            try "another's home" test -e /home/other/file
            try "vendor's library" test -e /home/vendor/lib/file
            try "user namespace" unshare --user true
            try "mount namespace" unshare --user --map-root-user --mount true
            try "network" perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) or exit 1'
            try "netlink" perl -e 'socket(my $s, 16, 3, 0) or exit 1'
            try "local socket" perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or exit 1'
            try "trace" perl -e 'syscall(101, 0, 0, 0, 0) == 0 or exit 1'
            try "own folder" put .
            try "own temporary" put /tmp
            echo "interfaces:" $(sed 1,2d /proc/self/net/dev | cut -d: -f1)
            grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr '\t' ' '
        } > report
        """#

    private static let capabilities = """
        CapInh: 0000000000000000
        CapPrm: 0000000000000000
        CapEff: 0000000000000000
        CapBnd: 0000000000000000
        CapAmb: 0000000000000000
        NoNewPrivs: 1
        Seccomp: 2

        """

    @Test func `has the folder, and neither /run, nor a network, a namespace, a capability or another's home`() throws {
        try machine.boot()
        try host.drop(update(Self.report))
        try host.until(job: 1, is: "done")
        let expected = """
            write /srv/open: no
            write /run: no
            write /run/lock: no
            write /var/lib/acme: no
            write /var/spool/patchd/holds: no
            write /etc: no
            write /usr/local: no
            another's home: no
            vendor's library: no
            user namespace: no
            mount namespace: no
            network: no
            netlink: no
            local socket: yes
            trace: no
            own folder: yes
            own temporary: yes
            interfaces: lo

            """
        #expect(try host.read("SEED", "report") == expected + Self.capabilities)
    }

    @Test func `reaches what the endpoint says, with limits that the admin sets`() throws {
        try host.configure(
            settings: """
                sandbox: {write: [/var/lib/acme], read: [/home/vendor/lib], network: true, memory: 300MiB, tasks: 99}

                """)
        // As for any other service.
        try machine.write("/etc/systemd/system/patchd-job-.service.d/nice.conf", "[Service]\nNice=7\n")
        try machine.boot()
        let check = try machine.run("patchctl config check")
        #expect(
            check.errors.contains(
                "sandbox: write /var/lib/acme; read /home/vendor/lib; network; memory 300MiB; tasks 99"),
            "\(check)")
        var waiting = waitingUpdate(in: "PAIE")
        waiting.files["X3V8_P2/FILPATCH/upgrades/8.0.1.5.sh"] = Self.report
        try host.drop(waiting)
        try host.untilWaiting("PAIE")
        let shown = try machine.run(
            "systemctl show -P MemoryMax -P TasksMax -P Nice patchd-job-1-payroll-PAIE.service")
        #expect(shown.output == "314572800\n99\n7\n")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        let report = try host.read("SEED", "report")
        for line in [
            "write /var/lib/acme: yes", "vendor's library: yes", "network: yes", "another's home: no", "netlink: no",
            "write /run/lock: no", "write /srv/open: no",
        ] {
            #expect(report.contains(line + "\n"), "\(report)")
        }
        let plan = try machine.run("patchctl show 1 --plan").output
        #expect(plan.contains("sandbox: write /var/lib/acme"), "\(plan)")
    }

    @Test func `is named where a script fails for want of something, in the folder's message`() throws {
        try machine.boot()
        try host.drop(update("set -e\necho x > /srv/open/file\n"))
        try host.until(job: 1, is: "failed")
        let job = try #require(try host.job(1)?["folders"] as? [String: Any])
        let message = (job["PAIE"] as? [String: Any])?["message"] as? String ?? ""
        #expect(message.contains("Read-only file system") && message.contains("\"sandbox\""), "\(message)")
        // The way out that it names.
        try host.configure(settings: "sandbox: {write: [/srv/open]}\n")
        try machine.run("systemctl reload patchd && patchctl resume 1")
        try machine.until("it is done") { try host.job(1)?["state"] as? String == "done" }
    }

    @Test func `shows folders that lie in a home directory or in /var/tmp, and the owner's own home`() throws {
        try machine.prepare("usermod --home /home/payroll payroll")
        for (name, path) in [("homely", "/home/payroll/apps"), ("temporary", "/var/tmp/apps")] {
            try machine.write("\(path)/ONE/lib/a.dat", "old\n")
            try machine.write(
                "/etc/patchd/endpoints.d/\(name).yaml",
                "endpoint: \(name)\npath: \(path)\naccepts: [X3V8_P2]\nfolders:\n  - {name: ONE, version: 8.0.1}\n")
        }
        try machine.write("/home/payroll/.my.cnf", "[client]\n")
        try machine.prepare(
            "rm /etc/patchd/endpoints.d/payroll.yaml && chown -R payroll:payroll /home/payroll /var/tmp/apps && chmod 600 /home/payroll/.my.cnf"
        )
        try machine.boot()
        try host.drop(
            update(
                """
                set -e
                cat ~/.my.cnf > seen
                ! touch ~/written
                ls -A /home > homes
                touch here

                """))
        for (number, name) in [(1, "homely"), (2, "temporary")] {
            try machine.until("job \(number) has ended") {
                ["done", "failed"].contains(try host.job(number)?["state"] as? String)
            }
            let job = try #require(try host.job(number))
            #expect(job["state"] as? String == "done", "\(name): \(job)")
        }
        for path in ["/home/payroll/apps", "/var/tmp/apps"] {
            #expect(try machine.read("\(path)/ONE/seen") == "[client]\n")
            #expect(try machine.read("\(path)/ONE/homes") == "payroll\n")
            #expect(machine.exists("\(path)/ONE/here"))
        }
        #expect(!machine.exists("/home/payroll/written"))
    }

    @Test func `leaves root what concerns files and users, where root owns the folder`() throws {
        try host.configure(settings: "owner: root\n")
        try machine.prepare("chown -R root:root /srv/payroll && chown payroll /srv/payroll/SEED/lib/a.dat")
        try machine.boot()
        try host.drop(
            update(
                """
                set -e
                echo x >> lib/a.dat
                chown payroll lib
                setpriv --reuid=payroll --clear-groups id -un > who
                grep CapBnd /proc/self/status > bound
                ! unshare --mount true
                ! touch /etc/by-root

                """))
        try host.until(job: 1, is: "done")
        #expect(try host.read("SEED", "who") == "payroll\n")
        #expect(try host.read("SEED", "bound") == "CapBnd:\t00000000000000fb\n")
        #expect(!machine.exists("/etc/by-root"))
    }
}
