import Foundation
import Support
import Testing

@Suite(.bootsMachines, .serialized) struct `The Debian packages` {
    private let packages: Packages

    init() throws { packages = try Packages.built.get() }

    private static let all = ["patchd", "patchd-tools", "cockpit-patchd"]

    /// A machine that runs, with patchd from its packages and the endpoint.
    private func deployment(settings: String = "") throws -> Deployment {
        let deployment = try Deployment(settings: settings) { machine in
            try machine.boot()
            try machine.installLibraries()
            try packages.install(Self.all, on: machine)
        }
        let reload = try deployment.machine.run("systemctl reload patchd")
        #expect(reload.code == 0, "\(reload.errors)")
        return deployment
    }

    /// The script in PAIE takes until the file `go` is there.
    private var waiting: ExampleUpdate {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "echo once >> count; if [ $PATCHD_FOLDER = PAIE ]; then touch waiting; while [ ! -e go ]; do sleep 0.1; done; fi\n"
        return update
    }

    @Test func `set up a running daemon, and an upgrade in the middle of a job loses nothing`() throws {
        let host = try deployment(settings: "tasks: {stop: [payroll-batch.service]}\n")
        let machine = host.machine
        #expect(
            try machine.run("systemctl is-active patchd; systemctl is-enabled patchd").output == "active\nenabled\n")
        #expect(try machine.run("systemctl is-enabled patchd-check.timer").output == "disabled\n")
        #expect(try machine.run("getent passwd patchd-unpack").output.hasSuffix(":/:/usr/sbin/nologin\n"))
        let places = """
            750 root patchd /etc/patchd
            640 root patchd /etc/patchd/patchd.yaml
            750 root patchd /etc/patchd/endpoints.d
            1770 root patchd /var/spool/patchd/incoming
            1770 root patchd /var/spool/patchd/requests
            1777 root root /var/spool/patchd/holds
            750 root patchd /var/lib/patchd/jobs
            750 root patchd /var/lib/patchd/archives
            750 patchd-fetch patchd /var/lib/patchd/sources
            755 root root /usr/sbin/patchd

            """
        let names = places.split(separator: "\n").map { $0.split(separator: " ")[3] }.joined(separator: " ")
        #expect(try machine.run("stat -c '%a %U %G %n' \(names)").output == places)
        #expect(try machine.run("journalctl --list-catalog").output.contains("patchd: patchd is ready"))
        let pages = "8 patchd:1 patchctl:5 patchd.yaml:5 patchd-update:5 patchd-lock"
        for page in pages.split(separator: ":") {
            let lint = try machine.run("mandoc -T lint -W warning $(man -w \(page))")
            #expect(lint.code == 0, "\(page): \(lint.output)\(lint.errors)")
        }
        #expect(try completed("status", on: machine).hasPrefix("payroll payroll/PAIE payroll/SEED "))
        #expect(try machine.run("cockpit-bridge --packages").output.contains("patchd"))

        try host.daemon("payroll-batch.service")
        try machine.run("systemctl reload patchd && systemctl start payroll-batch")
        // The bus read its policy before there was a group patchd.
        try machine.run(
            "useradd --no-create-home --groups patchd member; "
                + "systemd-run --quiet --unit=listen --uid=member gdbus monitor --system --dest org.patchd1")
        let heard = { try machine.run("journalctl -u listen -o cat --no-pager").output }
        try machine.until("a member of the group listens") { try heard().contains("is owned by") }
        try machine.write("/etc/patchd/patchd.yaml", "workers: 3\n", mode: 0o600)
        try host.drop(waiting)
        try host.untilWaiting("PAIE")
        let worker = "systemctl show -P MainPID patchd-job-1-payroll-PAIE.service"
        let pid = try machine.run(worker).output
        let daemon = try machine.run("systemctl show -P MainPID patchd").output
        try packages.upgrade(Self.all, on: machine)
        #expect(try machine.run("dpkg-query -W -f '${Version}' patchd").output == "\(packages.version)+1")
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        #expect(try machine.run("systemctl show -P MainPID patchd").output != daemon, "the daemon is the new one")
        #expect(try machine.run(worker).output == pid, "the worker has not noticed")
        #expect(try host.active("payroll-batch.service") == [])
        #expect(try host.lock("SEEDPROD2")?["code"] as? Int == 9999)
        #expect(try machine.read("/etc/patchd/patchd.yaml") == "workers: 3\n", "the admin's configuration stays")
        #expect(try machine.run("stat -c %a /etc/patchd/patchd.yaml").output == "600\n")

        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        for folder in host.folders {
            #expect(try host.folder(folder)["version"] as? String == "8.0.2")
            #expect(try host.read(folder, "lib/a.dat") == "new a\n")
            #expect(try host.read(folder, "count") == "once\n")
        }
        #expect(try host.active("payroll-batch.service") == ["payroll-batch.service"])
        #expect(try host.job(2) == nil)
        try machine.until("the member hears it") { try heard().contains("JobChanged (uint32 1, 'payroll', 'done')") }
        #expect(try completed("show", on: machine) == "1\n")
    }

    /// What bash offers for the first argument of a command.
    private func completed(_ command: String, on machine: Machine) throws -> String {
        try machine.write(
            "/tmp/complete",
            """
            . /usr/share/bash-completion/completions/patchctl
            COMP_WORDS=(patchctl \(command) "") COMP_CWORD=2 COMP_LINE="patchctl \(command) " COMP_POINT=${#COMP_LINE}
            _patchctl
            echo "${COMPREPLY[@]}"

            """)
        return try machine.run("bash /tmp/complete").output
    }

    @Test func `are removed where nothing is half done, installed again, and removed with a damaged state by force`()
        throws
    {
        let host = try deployment(settings: "tasks: {stop: [payroll-batch.service]}\n")
        let machine = host.machine
        try host.daemon("payroll-batch.service")
        try machine.run("systemctl reload patchd")
        try host.drop()
        try host.until(job: 1, is: "done")
        let dropIns = "find /etc/systemd -name '90-patchd*'"
        #expect(try machine.run(dropIns).output != "")
        let removal = "DEBIAN_FRONTEND=noninteractive apt-get remove --yes patchd 2>&1"
        let removed = try machine.run(removal)
        #expect(removed.code == 0, "\(removed.output)")
        #expect(try machine.run(dropIns).output == "")
        #expect(try machine.run("systemctl list-units --no-legend 'patchd*'").output == "")
        #expect(machine.exists("/etc/patchd/endpoints.d/payroll.yaml"))

        try packages.install(Self.all, on: machine)
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        #expect(try host.folder("SEED")["version"] as? String == "8.0.2")
        #expect(try machine.run(dropIns).output != "")

        try machine.write("/var/lib/patchd/units.json", "{")
        #expect(try machine.run(removal).code != 0)
        #expect(try machine.run(dropIns).output != "")
        let forced = try machine.run("PATCHD_FORCE_REMOVE=1 \(removal)")
        #expect(forced.code == 0, "\(forced.output)")
        #expect(try machine.run(dropIns).output == "")
    }

    @Test func `are not removed while something is half done, unless forced, and a purge leaves nothing`() throws {
        let host = try deployment()
        let machine = host.machine
        try host.daemon("payroll-batch.service")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\n")
        try machine.run("systemctl start payroll-batch && systemctl reload patchd")
        try host.drop(waiting)
        try host.untilWaiting("PAIE")

        let refused = try machine.run("DEBIAN_FRONTEND=noninteractive apt-get remove --yes patchd 2>&1")
        #expect(refused.code != 0)
        #expect(refused.output.contains("job 1 (X3V8_P2 8.0.2 on payroll) is running"), "\(refused.output)")
        #expect(refused.output.contains("payroll/SEED is locked"), "\(refused.output)")
        #expect(refused.output.contains("PATCHD_FORCE_REMOVE=1"), "\(refused.output)")
        #expect(try machine.run("dpkg-query -W -f '${Status}' patchd").output == "install ok installed")
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        #expect(
            try machine.run("systemctl start payroll-batch; systemctl is-active payroll-batch").output == "inactive\n")

        // The worker is told to end, and its script takes the chance.
        let end = "until systemctl is-active patchd-job-1-payroll-PAIE | grep -q deactivating; do sleep 0.1; done"
        try machine.run("(\(end); touch /srv/payroll/PAIE/go) >/dev/null 2>&1 &")
        let forced = try machine.run(
            "PATCHD_FORCE_REMOVE=1 DEBIAN_FRONTEND=noninteractive apt-get purge --yes patchd patchd-tools cockpit-patchd 2>&1",
            timeout: .seconds(200))
        #expect(forced.code == 0, "\(forced.output)")
        #expect(forced.output.contains("systemctl start payroll-batch.service"), "\(forced.output)")
        #expect(
            try machine.run("systemctl start payroll-batch && systemctl is-active payroll-batch").output == "active\n")
        #expect(try machine.run("systemctl list-units --all --no-legend 'patchd*'").output == "")
        #expect(try machine.run("dpkg-query -W -f '${Status} ' patchd patchd-tools cockpit-patchd").output == "")
        #expect(try machine.run("find /etc /var/lib /var/spool /run /usr -xdev -name '*patchd*'").output == "")
        #expect(machine.exists("/srv/payroll/PAIE/.patchd"), "the folders keep theirs")
    }

    @Test func `give a vendor what is needed, without a daemon`() throws {
        let machine = try Machine()
        try machine.boot()
        try machine.installLibraries()
        try packages.install(["patchd-tools"], on: machine)
        #expect(try machine.run("getent group patchd").code != 0)
        let made = try machine.run(
            "cd /tmp && patchctl init X3V8_P2 && chmod -R a+rX X3V8_P2 && patchctl pack X3V8_P2 && patchctl lint X3V8_P2-*.zip 2>&1"
        )
        #expect(made.code == 0, "\(made.output)\(made.errors)")
        #expect(try machine.run("DEBIAN_FRONTEND=noninteractive apt-get purge --yes patchd-tools 2>&1").code == 0)
        #expect(!machine.exists("/usr/bin/patchctl"))
    }
}
