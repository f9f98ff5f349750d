import Foundation
import Testing

@Suite(.bootsMachines) struct `What is installed` {
    let machine: Machine

    init() throws { machine = try Machine() }

    @Test func `has units that systemd finds nothing wrong with`() throws {
        try machine.install()
        try machine.boot()
        let outcome = try machine.run(
            "systemd-analyze --man=no verify patchd.service patchd-unpack@x.service patchd-signature@x.service patchd-check.service patchd-check.timer"
        )
        #expect(outcome.code == 0)
        #expect(outcome.output + outcome.errors == "")
    }

    /// Tenths, as `--threshold` counts; by systemd 252.
    @Test(arguments: [
        ("patchd.service", 23), ("patchd-unpack@.service", 5), ("patchd-signature@.service", 5),
        ("patchd-check.service", 18),
    ])
    func `exposes little`(unit: String, tenths: Int) throws {
        try machine.install()
        let line = "systemd-analyze security --offline=true --threshold=\(tenths) /usr/lib/systemd/system/\(unit)"
        try machine.boot()
        let outcome = try machine.run(line)
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    }

    @Test func `is put onto a running host, and an admin's configuration is left alone`() throws {
        let repository = Machine.repository
        let programs = ProcessInfo.processInfo.environment["PATCHD_BIN"] ?? "\(repository)/.build/debug"
        let copy = machine.path("/root/patchd")
        try Command.require("/bin/mkdir", ["-p", "\(copy)/scripts", "\(copy)/.build/release"])
        for part in ["systemd", "etc", "share", "docs"] where access("\(repository)/\(part)", F_OK) == 0 {
            try Command.require("/bin/cp", ["-R", "\(repository)/\(part)", copy])
        }
        for script in ["install", "manual"] {
            try Command.require("/bin/cp", ["\(repository)/scripts/\(script)", "\(copy)/scripts/"])
        }
        for name in ["patchd", "patchctl", "patchd-worker"] {
            try Command.require("/bin/cp", ["\(programs)/\(name)", "\(copy)/.build/release/"])
        }
        try machine.boot()
        let first = try machine.run("/root/patchd/scripts/install")
        #expect(first.code == 0, "\(first.output)\(first.errors)")
        for page in [
            "man8/patchd.8", "man1/patchctl.1", "man5/patchd.yaml.5", "man5/patchd-update.5", "man5/patchd-lock.5",
        ] {
            #expect(machine.exists("/usr/share/man/\(page).gz"))
        }
        #expect(try machine.run("systemctl start patchd && systemctl is-active patchd").output == "active\n")
        #expect(try machine.run("getent passwd patchd-unpack").output.hasSuffix(":/:/usr/sbin/nologin\n"))
        let places = """
            750 root patchd /etc/patchd
            640 root patchd /etc/patchd/patchd.yaml
            750 root patchd /etc/patchd/endpoints.d
            755 root root /var/spool/patchd
            1770 root patchd /var/spool/patchd/incoming
            1770 root patchd /var/spool/patchd/requests
            750 root patchd /var/spool/patchd/requests/done
            750 root patchd /var/spool/patchd/rejected
            1777 root root /var/spool/patchd/holds
            755 root root /var/lib/patchd
            755 root root /var/lib/patchd/endpoints
            750 root patchd /var/lib/patchd/jobs
            750 root patchd /var/lib/patchd/archives
            700 root root /var/lib/patchd/intake
            750 patchd-fetch patchd /var/lib/patchd/sources

            """
        let names = places.split(separator: "\n").map { $0.split(separator: " ")[3] }.joined(separator: " ")
        #expect(try machine.run("stat -c '%a %U %G %n' \(names)").output == places)

        try machine.write("/etc/patchd/patchd.yaml", "workers: 3\n", mode: 0o600)
        #expect(try machine.run("/root/patchd/scripts/install").code == 0)
        #expect(try machine.read("/etc/patchd/patchd.yaml") == "workers: 3\n")
        #expect(try machine.run("stat -c %a /etc/patchd/patchd.yaml").output == "600\n")
    }
}
