import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The journal` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    @Test func `tells a folder's whole story, with fields, ids and what an admin can do`() throws {
        try host.daemon("payroll-app@.service", isEnabled: false)
        try host.configure(settings: "tasks: {stop: [\"payroll-app@%f.service\"]}\n")
        try machine.prepare("journalctl --update-catalog")
        try machine.boot()
        try machine.run("systemctl start payroll-app@SEED")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEED || test -e fixed\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        try machine.write("/srv/payroll/SEED/fixed", "")
        try machine.run("patchctl resume 1")
        try host.until(job: 1, is: "done")
        let story = try machine.journal(matching: ["PATCHD_FOLDER=SEED"])
        var rest = story.compactMap { $0["MESSAGE"] }[...]
        for part in [
            "job 1: X3V8_P2 8.0.2 on payroll, 5 folders to update", "SEED is locked", "applications must leave",
            "payroll-app@SEED.service is stopped", "SEED: from 8.0.1 to 8.0.2",
            "SEED: failed (script)",
            "failed (script)", "of uid 0: job 1 is resumed", "SEED: from 8.0.1 to 8.0.2", "script 8.0.2.sh",
            "SEED: has 8.0.2", "SEED is unlocked",
            "payroll-app@SEED.service runs again", "is done",
        ] {
            let found = rest.firstIndex { $0.contains(part) }
            #expect(found != nil, "\(part) is not told, or not in its place: \(story.compactMap { $0["MESSAGE"] })")
            if let found { rest = rest[(found + 1)...] }
        }
        let failed = try #require(story.first { $0["MESSAGE"]?.contains("failed (script)") == true })
        #expect(failed["PRIORITY"] == "3")
        #expect(failed["PATCHD_JOB"] == "1" && failed["PATCHD_ENDPOINT"] == "payroll")
        #expect(failed["PATCHD_UPDATE"] == "X3V8_P2" && failed["PATCHD_CODE"] == "script")
        #expect(failed["PATCHD_STEP"]?.contains("8.0.2.sh") == true)
        #expect(!story.contains { $0["MESSAGE"]?.contains("payroll/SEED2") == true }, "and no other's")
        #expect(story.contains { $0["PATCHD_STEP"]?.contains("8.0.2.sh") == true && $0["PRIORITY"] == "6" })
        for entry in try machine.journal(matching: ["_SYSTEMD_UNIT=patchd.service"]) {
            let id = try #require(entry["MESSAGE_ID"], "\(entry["MESSAGE"] ?? "")")
            #expect(try machine.run("journalctl --list-catalog \(id)").output.contains("patchd"), "\(id)")
        }
        let explained = try machine.run("journalctl -x --no-pager MESSAGE_ID=\(failed["MESSAGE_ID"] ?? "")").output
        #expect(explained.contains("patchctl resume 1") && explained.contains("patchctl trace 1 SEED"))
    }

    @Test func `has it also where somebody runs patchd by hand, who reads along`() throws {
        try machine.boot()
        try machine.run("systemctl stop patchd")
        try host.drop()
        let outcome = try machine.run("patchd --once")
        #expect(outcome.code == 0)
        #expect(outcome.errors.contains("payroll/SEED: has 8.0.2"), "\(outcome.errors)")
        let told = try machine.journal(matching: ["PATCHD_FOLDER=SEED", "SYSLOG_IDENTIFIER=patchd"])
        #expect(told.contains { $0["MESSAGE"]?.contains("payroll/SEED: has 8.0.2") == true })
        #expect(
            told.allSatisfy { entry in outcome.errors.contains("\(entry["MESSAGE"] ?? "?")\n") },
            "\(outcome.errors)")
    }

    @Test func `and systemctl status show what is going on`() throws {
        try machine.boot()
        #expect(try machine.run("systemctl show -P StatusText patchd").output == "idle\n")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "touch waiting; while [ ! -e go ]; do sleep 0.1; done\n"
        try host.drop(update)
        try host.untilWaiting("PAIE")
        #expect(
            try machine.run("systemctl show -P StatusText patchd").output
                == "job 1 on payroll: X3V8_P2 8.0.2 running 0/5\n")
        for folder in host.folders { try host.go(folder) }
        try host.until(job: 1, is: "done")
        try machine.until("idle") { try machine.run("systemctl show -P StatusText patchd").output == "idle\n" }
    }

    @Test func `says that a configuration is refused, and the daemon keeps the one it has`() throws {
        try machine.boot()
        try machine.write("/etc/patchd/endpoints.d/zz.yaml", "endpoint: other\npaht: /srv\n")
        let pid = try machine.run("systemctl show -P MainPID patchd").output
        #expect(try machine.run("systemctl reload patchd").code != 0)
        #expect(
            try machine.journal(matching: ["SYSLOG_IDENTIFIER=patchd"]).contains {
                $0["MESSAGE"]?.contains("zz.yaml:2") == true
            })
        #expect(try machine.run("systemctl show -P MainPID patchd").output == pid)
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        #expect(try machine.run("systemctl show -P StatusText patchd").output == "configuration refused\n")
        let status = try machine.run("patchctl status").output
        #expect(status.contains("the configuration in /etc/patchd is refused"), "\(status)")
        #expect(status.contains("zz.yaml:2"), "\(status)")
        #expect(try machine.run("runuser -u nobody -- cat /var/lib/patchd/configuration.json").code != 0)
        try host.drop()
        try host.until(job: 1, is: "done")
        #expect(try machine.run("systemctl show -P StatusText patchd").output == "configuration refused\n")
        try machine.run("rm /etc/patchd/endpoints.d/zz.yaml")
        #expect(try machine.run("systemctl reload patchd").code == 0)
        #expect(try machine.run("systemctl show -P StatusText patchd").output == "idle\n")
        #expect(try !machine.run("patchctl status").output.contains("refused"))
        // However often somebody asks.
        try machine.run("for i in $(seq 300); do kill -HUP \(pid.trimmingCharacters(in: .newlines)); done")
        #expect(try machine.run("systemctl reload patchd").code == 0)
        #expect(try machine.run("systemctl show -P MainPID patchd").output == pid)
        // A start is another matter: nothing is in effect then, and systemd does not try again and again.
        try machine.write("/etc/patchd/endpoints.d/zz.yaml", "endpoint: other\npaht: /srv\n")
        #expect(try machine.run("systemctl restart patchd").code != 0)
        try machine.until("it has failed") { try machine.run("systemctl is-active patchd").output == "failed\n" }
        #expect(try machine.run("systemctl show -P ExecMainStatus patchd").output == "78\n")
        #expect(try machine.run("patchd --once").code == 4)
        #expect(try machine.run("patchctl status").output.contains("zz.yaml:2"))
    }

    @Test func `says that a unit or a directory is not there only where it is needed`() throws {
        try host.configure(settings: "accepts: [X3V8_P2]\ntasks: {stop: [payroll-gone.service]}\n")
        try machine.write("/srv/other/ONE/lib/a.dat", "old\n")
        try machine.prepare("chown -R payroll:payroll /srv/other")
        for name in ["other", "third"] {
            try machine.write(
                "/etc/patchd/endpoints.d/\(name).yaml",
                "endpoint: \(name)\npath: /srv/\(name)\naccepts: [X3V8_P2]\nfolders:\n  - {name: ONE, version: 8.0.1}\n"
            )
        }
        try machine.boot()
        #expect(try machine.run("systemctl is-active patchd").output == "active\n")
        #expect(try machine.run("systemctl reload patchd").code == 0)
        let check = try machine.run("patchctl config check")
        #expect(check.code == 4 && check.errors.contains("payroll-gone.service"), "\(check.errors)")
        try host.drop()
        try machine.until("all three jobs are through", timeout: .seconds(60)) {
            try (1...3).allSatisfy { ["done", "failed"].contains(try host.job($0)?["state"] as? String) }
        }
        for number in 1...3 {
            let job = try #require(try host.job(number))
            let message = job["message"] as? String ?? ""
            switch job["endpoint"] as? String {
            case "other": #expect(job["state"] as? String == "done", "\(message)")
            case "payroll":
                #expect(job["code"] as? String == "unit")
                #expect(message.contains("there is no unit payroll-gone.service"), "\(message)")
            default: #expect(job["state"] as? String == "failed")
            }
        }
        #expect(try host.read("SEED", "lib/a.dat") == "old\n" && host.lock("SEED") == nil)
        try host.daemon("payroll-gone.service", isEnabled: false)
        try machine.run("systemctl start payroll-gone")
        try host.drop(as: "again.zip")
        try machine.until("it is done") { try host.folder("SEED")["version"] as? String == "8.0.2" }
    }

    @Test func `and a stop of the daemon: that ends at once, whatever is under way`() throws {
        try machine.boot()
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try machine.run("systemctl stop patchd").code == 0)
        #expect(start.duration(to: clock.now) < .seconds(5))
        #expect(try machine.run("systemctl is-active patchd-job-1-payroll-PAIE").output == "active\n")
        #expect(try machine.run("systemctl show -P Type -P WatchdogUSec patchd").output == "notify\n3min\n")
        try machine.run("systemctl start patchd")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
    }
}

@Suite(.bootsMachines) struct `A worker's service` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    @Test func `runs as the folder's owner, and can write to that folder and nowhere else`() throws {
        try machine.prepare("install -d -m 777 /srv/open")
        try machine.boot()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
            id -un > who
            for place in /srv/open /var/lib/patchd /srv/payroll/PAIE /srv/payroll /home/payroll; do
                touch $place/by-$PATCHD_FOLDER 2>/dev/null && echo $place >> written
            done
            touch here && echo here >> written
            echo x > /tmp/private && echo x > /dev/shm/private && echo tmp >> written
            true

            """
        try host.drop(update)
        try host.until(job: 1, is: "done")
        #expect(try host.read("SEED", "who") == "payroll\n")
        #expect(
            try machine.run("journalctl --no-pager -u patchd-job-1-payroll-SEED").output.contains("apply payroll/SEED"))
        #expect(try host.read("SEED", "written") == "here\ntmp\n")
        #expect(try host.read("PAIE", "written") == "/srv/payroll/PAIE\nhere\ntmp\n")
        #expect(!machine.exists("/tmp/private") && !machine.exists("/dev/shm/private"))
    }
}
