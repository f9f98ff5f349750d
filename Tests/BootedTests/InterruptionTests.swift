import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `A job that is interrupted` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws {
        host = try Deployment(
            settings: "tasks: {stop: [payroll-batch.service, payroll-idle.service, \"payroll-app@%f.service\"]}\n")
        try host.daemon("payroll-batch.service")
        try host.daemon("payroll-idle.service", isEnabled: false)
        try host.daemon("payroll-app@.service", isEnabled: false)
        try machine.prepare("systemctl enable payroll-app@SEED")
    }

    /// Counts its runs in each folder; those in PAIE and SEED take a while.
    private var update: ExampleUpdate {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.1.5.sh"] = "echo once >> count\n"
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "case $PATCHD_FOLDER in PAIE|SEED) touch waiting; while [ ! -e go ]; do sleep 0.1; done;; esac\n"
        return update
    }

    /// At a shutdown, lets a folder's script go on once its worker was told to end.
    private func goOnOnceTold(_ folder: String) throws {
        let wait = "until systemctl is-active patchd-job-1-payroll-\(folder) | grep -q deactivating; do sleep 0.1; done"
        try host.daemon(
            "go-on.service", service: "ExecStop=/bin/sh -c '\(wait); touch /srv/payroll/\(folder)/go'")
    }

    /// - Parameter isCut: scripts may have been cut off in the middle, and are then run again from their start.
    private func expectDone(isCut: Bool = false) throws {
        try host.until(job: 1, is: "done")
        for folder in host.folders {
            #expect(try host.folder(folder)["version"] as? String == "8.0.2")
            #expect(try host.read(folder, "lib/a.dat") == "new a\n")
            if !isCut { #expect(try host.read(folder, "count") == "once\n", "a script that is done is not repeated") }
            let trace = try machine.read("/var/lib/patchd/jobs/1/traces/\(folder).jsonl").split(separator: "\n")
            let ends = trace.filter { $0.contains("\"finished\"") && $0.contains("8.0.1.5.sh") }
            #expect(ends.count <= 1, "\(folder): nor is its end recorded twice")
            #expect(!machine.exists("/srv/payroll/\(folder)/update.lock"))
        }
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service").count == 2)
        #expect(try host.active("payroll-idle.service") == [])
        #expect(try host.job(2) == nil)
    }

    @Test func `by a restart, an end, a kill or an upgrade of the daemon keeps its workers, and finds them again`()
        throws
    {
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        let worker = "systemctl show -P MainPID patchd-job-1-payroll-PAIE.service"
        let pid = try machine.run(worker).output
        #expect(pid != "0\n")
        for command in [
            "systemctl restart patchd", "systemctl stop patchd; sleep 0.2; systemctl start patchd",
            "systemctl kill -s KILL --kill-who=main patchd",
            """
            cd /usr/sbin && cp patchd patchd.new && mv patchd.new patchd
            cd /usr/libexec/patchd && cp patchd-worker new && mv new patchd-worker && systemctl restart patchd
            """,
        ] {
            #expect(try machine.run(command).code == 0)
            try machine.until("patchd is up again") {
                try machine.run("systemctl is-active patchd").output == "active\n"
            }
            #expect(try machine.run(worker).output == pid, "the worker has not noticed")
            #expect(try host.active("payroll-batch.service") == [])
            #expect(try host.lock("SEEDPROD2")?["code"] as? Int == 9999)
        }
        // As often as anybody likes: systemd must never give it up, as nothing else brings the tasks back.
        for _ in 1...7 { #expect(try machine.run("systemctl restart patchd").code == 0) }
        #expect(try machine.run(worker).output == pid)
        // It is finished while nobody looks; the next start does the rest.
        try machine.run("systemctl stop patchd")
        try host.go("PAIE")
        try machine.until("the worker has ended") { try machine.run(worker).output == "0\n" }
        try machine.run("systemctl start patchd")
        try host.untilWaiting("SEED")
        try host.go("SEED")
        try expectDone()
    }

    @Test func `by a daemon that hangs goes on when the watchdog has ended that`() throws {
        try machine.write(
            "/etc/systemd/system/patchd.service.d/watchdog.conf",
            "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\nRestartSec=0\n")
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        let pid = try machine.run("systemctl show -P MainPID patchd").output
        try machine.run("systemctl kill -s STOP --kill-who=main patchd")
        try machine.until("another daemon is up") {
            let now = try machine.run("systemctl show -P MainPID patchd").output
            return now != pid && now != "0\n"
        }
        try host.go("PAIE")
        try host.untilWaiting("SEED")
        try host.go("SEED")
        try expectDone()
    }

    @Test func `by a kill of a worker, or of worker and daemon, goes on with the script that was cut off`() throws {
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        try machine.run("systemctl kill -s KILL patchd-job-1-payroll-PAIE.service")
        try machine.run("rm /srv/payroll/PAIE/waiting")
        try host.untilWaiting("PAIE")
        try machine.run("rm /srv/payroll/PAIE/waiting; systemctl kill -s KILL patchd patchd-job-1-payroll-PAIE.service")
        try host.untilWaiting("PAIE")
        // SIGTERM lets a worker end its step.
        try machine.run("systemctl kill -s TERM --kill-who=main patchd-job-1-payroll-PAIE.service")
        try host.go("PAIE")
        try host.untilWaiting("SEED")
        try host.go("SEED")
        try expectDone()
    }

    @Test func `by a reboot keeps the tasks down through the boot, and goes on by itself`() throws {
        try goOnOnceTold("SEED")
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        machine.powerCut()
        try machine.boot()
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service") == [])
        #expect(try host.lock("SEED")?["code"] as? Int == 9999)
        try host.go("PAIE")
        try host.untilWaiting("SEED")
        // A worker that is told to end at the shutdown ends its step first.
        try machine.reboot()
        try expectDone()
    }

    @Test func `by a shutdown in which the daemon is the last to go has not failed`() throws {
        // It goes down before patchd, which meanwhile sees its workers end and can start no others.
        try host.daemon("late.service", "After=patchd.service", service: "ExecStop=/bin/sleep 3")
        try goOnOnceTold("PAIE")
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        try machine.reboot()
        try host.untilWaiting("SEED")
        try host.go("SEED")
        try expectDone()
    }

    @Test func `and cannot be gone on with leaves the tasks down, and the journal says why`() throws {
        try machine.boot()
        try host.drop(update)
        try host.untilWaiting("PAIE")
        machine.powerCut()
        try machine.write("/etc/patchd/endpoints.d/zz.yaml", "endpoint: [\n")
        try machine.boot()
        try machine.until("patchd has given up") { try machine.run("systemctl is-failed patchd").output == "failed\n" }
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service") == [])
        let told = try machine.journal(matching: ["SYSLOG_IDENTIFIER=patchd", "PRIORITY=3"]).compactMap {
            $0["MESSAGE"]
        }
        #expect(told.contains { $0.contains("zz.yaml:") })
        #expect(told.contains { $0.contains("stay down") && $0.contains("payroll-batch.service") })
        // Also where the program itself is broken: systemd says what keeps the units down.
        machine.powerCut()
        try machine.prepare(
            "rm /etc/patchd/endpoints.d/zz.yaml; cd /usr/sbin; mv patchd patchd.good; echo broken >patchd")
        try machine.boot()
        #expect(try host.active("payroll-batch.service", "payroll-app@SEED.service") == [])
        #expect(
            try machine.run("journalctl -b -o cat _PID=1 UNIT=payroll-batch.service").output
                .contains("/var/lib/patchd/quiesced/payroll-batch.service"))
        try machine.run("mv /usr/sbin/patchd.good /usr/sbin/patchd; systemctl start patchd")
        try host.go("PAIE")
        try host.go("SEED")
        try expectDone()
    }

    @Test func `by power cuts at ten points drawn from a seed ends as an undisturbed one`() throws {
        var undisturbed = update
        undisturbed.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "sleep 0.2\n"
        try machine.boot()
        let clock = ContinuousClock()
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("power cuts: SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        // The whole way of this job takes about as long as this, from the drop to the last task that runs again.
        let whole = 8.0
        try host.drop(undisturbed)
        for cut in 1...10 {
            let point = Double(random.next() % 1000) / 1000 * whole / 4
            let start = clock.now
            try? machine.until("the cut", timeout: .seconds(point)) { false }
            machine.powerCut()
            if ProcessInfo.processInfo.environment["VERBOSE"] != nil {
                print("cut \(cut) after \(start.duration(to: clock.now)): \(try host.job(1)?["state"] ?? "no job")")
            }
            let isKeptDown = "/var/lib/patchd/quiesced/payroll-batch.service"
            let wasDown = machine.exists(isKeptDown)
            try machine.boot()
            let up = try host.active("payroll-batch.service", "payroll-app@SEED.service")
            if wasDown, machine.exists(isKeptDown) { #expect(up == [], "cut \(cut): it is not over") }
        }
        try expectDone(isCut: true)
        #expect(
            try machine.run(
                "ls -A /var/spool/patchd/incoming /var/lib/patchd/intake /var/lib/patchd/quiesced | grep -v :"
            ).output.filter { $0 != "\n" } == "")
        let kept = try machine.journal(matching: ["SYSLOG_IDENTIFIER=patchd"]).compactMap { $0["MESSAGE"] }
        #expect(kept.count { $0.hasPrefix("job 1: apply") } >= 1)
    }
}
