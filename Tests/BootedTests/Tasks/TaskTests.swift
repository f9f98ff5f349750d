import Foundation
import Support
import Testing

/// An update whose script waits, in some folders, until the test says `go` by a file there.
func waitingUpdate(in folders: String...) -> ExampleUpdate {
    var update = ExampleUpdate()
    let pattern = folders.joined(separator: "|")
    update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
        "case $PATCHD_FOLDER in \(pattern)) touch waiting; while [ ! -e go ]; do sleep 0.1; done;; esac\n"
    return update
}

extension Deployment {
    /// A service that runs until it is stopped, started at boot.
    func daemon(_ name: String, _ unit: String = "", service lines: String = "", isEnabled: Bool = true) throws {
        try service(
            name,
            "[Unit]\n\(unit)\n[Service]\nExecStart=/bin/sleep infinity\n\(lines)\n[Install]\nWantedBy=multi-user.target\n"
        )
        if isEnabled, !machine.isRunning { try machine.prepare("systemctl enable \(name)") }
    }

    /// Which of these units are active now.
    func active(_ names: String...) throws -> [String] {
        try names.filter { try machine.run("systemctl is-active \($0)").output == "active\n" }
    }

    /// Lets a script that waits go on.
    func go(_ folder: String) throws { try machine.write("/srv/payroll/\(folder)/go", "") }

    func untilWaiting(_ folder: String) throws {
        try machine.until("\(folder) is in mid-update") { machine.exists("/srv/payroll/\(folder)/waiting") }
    }
}

@Suite(.bootsMachines) struct `The normal tasks of an endpoint` {
    let host: Deployment
    private var machine: Machine { host.machine }

    init() throws { host = try Deployment() }

    @Test func `stop for an update and stay down whatever would start them, and exactly what ran comes back`() throws {
        try host.daemon("payroll-batch.service")
        try host.daemon("payroll-app@.service", isEnabled: false)
        try host.daemon("payroll-idle.service", isEnabled: false)
        try host.daemon("payroll-other.service")
        try host.service(
            "payroll-night.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ran >> /srv/night'\n")
        try host.service("payroll-night.timer", "[Timer]\nOnCalendar=*:*:*\nAccuracySec=50ms\n")
        try host.service(
            "payroll-talk.service", "[Service]\nExecStart=/bin/sh -c 'echo ran >> /srv/talk; sleep infinity'\n")
        try host.service("payroll-talk.socket", "[Socket]\nListenStream=/run/talk\n")
        try host.service(
            "payroll-look.service",
            "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ran >> /srv/look; rm -f /srv/looked-at'\n")
        try host.service("payroll-look.path", "[Path]\nPathExists=/srv/looked-at\n")
        // Started by hand below, to draw the tasks up.
        try host.daemon("wanting.service", "Wants=payroll-batch.service", isEnabled: false)
        try host.daemon(
            "requiring.service", "Requires=payroll-idle.service\nAfter=payroll-idle.service", isEnabled: false)
        try host.configure(
            settings: """
                tasks:
                  stop: [payroll-batch.service, payroll-idle.service, "payroll-night.*", payroll-talk.service, payroll-look.service, "payroll-app@%f.service"]

                """)
        try machine.boot()
        try machine.run(
            "systemctl start payroll-app@SEED payroll-app@SEEDPROD2 payroll-night.timer payroll-talk.socket payroll-look.path"
        )
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        let all = [
            "payroll-batch.service", "payroll-idle.service", "payroll-night.timer", "payroll-talk.socket",
            "payroll-talk.service", "payroll-look.path", "payroll-app@SEED.service", "payroll-app@SEEDPROD2.service",
        ]
        func running() throws -> [String] { try all.filter { try !host.active($0).isEmpty } }
        #expect(try running() == [])
        #expect(try host.active("payroll-other.service") == ["payroll-other.service"], "not named, not stopped")
        let nights = (try? machine.read("/srv/night")) ?? ""
        // Everything that may start a unit tries.
        try machine.write("/srv/looked-at", "")
        try machine.run(
            """
            systemctl start payroll-batch payroll-night.service payroll-night.timer payroll-look.path payroll-talk.socket payroll-app@SEED
            systemctl isolate multi-user.target; systemctl restart payroll-idle; systemctl start wanting requiring; sleep 1.2
            """)
        #expect(try running() == [])
        #expect(((try? machine.read("/srv/night")) ?? "") == nights, "the timer has not fired")
        #expect(!machine.exists("/srv/look") && !machine.exists("/srv/talk"))
        #expect(try host.active("wanting.service", "requiring.service").count == 2, "no error to those that want them")
        #expect(try machine.run("systemctl --failed --no-legend").output == "")
        try machine.run("systemctl stop wanting requiring; rm /srv/looked-at")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(
            try running() == [
                "payroll-batch.service", "payroll-night.timer", "payroll-talk.socket", "payroll-look.path",
                "payroll-app@SEED.service", "payroll-app@SEEDPROD2.service",
            ], "what was idle stays idle")
        try machine.until("the timer fires again") { try machine.read("/srv/night") != nights }
        #expect(try machine.run("ls /var/lib/patchd/quiesced").output == "")
    }

    @Test func `find every folder locked when they are stopped, and free when they start again`() throws {
        try host.daemon(
            "payroll-batch.service",
            service: """
                ExecStop=/bin/sh -c 'ls /srv/payroll/*/update.lock | wc -l >> /srv/stopped; cat /srv/payroll/SEED/update.lock >> /srv/stopped'
                ExecStartPost=/bin/sh -c 'ls /srv/payroll/*/update.lock 2>/dev/null | wc -l >> /srv/started'
                """)
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\nleadTime: 2s\n")
        try machine.boot()
        // An excluded folder below one of the job's is locked as well.
        try host.drop(ExampleUpdate(), options: "{\"exclude\": [\"SEEDPROD2\"]}")
        try machine.until("9998") { (try? host.lock("SEEDPROD2")?["code"] as? Int) == 9998 }
        #expect(try host.active("payroll-batch.service").count == 1, "announced, and still at work")
        try host.until(job: 1, is: "done")
        let stopped = try machine.read("/srv/stopped")
        #expect(stopped.hasPrefix("5\n") && stopped.contains("\"phase\" : \"disconnect\""))
        // SEEDPROD2 is behind its parent now, and stays locked.
        #expect(try machine.read("/srv/started") == "0\n1\n")
        #expect(try host.lock("SEEDPROD2")?["phase"] as? String == "behind")
    }

    @Test func `take along what systemd stops along, and bring it back`() throws {
        try host.daemon("payroll-db.service")
        try host.daemon("app-requires.service", "Requires=payroll-db.service\nAfter=payroll-db.service")
        try host.daemon("app-binds.service", "BindsTo=payroll-db.service\nAfter=payroll-db.service")
        try host.daemon("app-part.service", "PartOf=payroll-db.service")
        try host.daemon("app-second.service", "Requires=app-requires.service\nAfter=app-requires.service")
        try host.daemon("app-stopped.service", "PartOf=payroll-db.service", isEnabled: false)
        try host.configure(settings: "tasks: {stop: [payroll-db.service]}\n")
        try machine.boot()
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        func along() throws -> [String] {
            try host.active(
                "payroll-db.service", "app-requires.service", "app-binds.service", "app-part.service",
                "app-second.service", "app-stopped.service")
        }
        #expect(try along() == [])
        try machine.run("systemctl start app-second app-binds app-part")
        #expect(try along() == [], "they stay down as well")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(try along().count == 5)
        #expect(try host.active("app-stopped.service") == [])
    }

    @Test func `are replaced by the maintenance units for the time of the update`() throws {
        try host.daemon("payroll-batch@normal.service")
        try host.daemon("payroll-batch@maintenance.service", isEnabled: false)
        try host.configure(
            settings: "tasks: {stop: [\"payroll-batch@*\"], maintenance: [payroll-batch@maintenance.service]}\n")
        try machine.boot()
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        let both = ["payroll-batch@normal.service", "payroll-batch@maintenance.service"]
        #expect(try both.filter { try !host.active($0).isEmpty } == ["payroll-batch@maintenance.service"])
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(try both.filter { try !host.active($0).isEmpty } == ["payroll-batch@normal.service"])
    }

    @Test func `stay down where a folder failed, start elsewhere, and all run after the resume`() throws {
        try host.daemon("payroll-app@.service", isEnabled: false)
        try host.daemon("payroll-batch.service")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service, \"payroll-app@%f.service\"]}\n")
        try machine.boot()
        try machine.run("systemctl start payroll-app@SEED payroll-app@SEEDPROD payroll-app@SEEDPROD2")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEEDPROD || test -e fixed\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        let units = [
            "payroll-batch.service", "payroll-app@SEED.service", "payroll-app@SEEDPROD.service",
            "payroll-app@SEEDPROD2.service",
        ]
        func running() throws -> [String] { try units.filter { try !host.active($0).isEmpty } }
        #expect(try running() == ["payroll-batch.service", "payroll-app@SEED.service"])
        try machine.run("systemctl start payroll-app@SEEDPROD")
        #expect(try running().count == 2)
        // Neither a restart of the daemon nor a reboot changes that.
        try machine.run("systemctl restart patchd")
        try machine.reboot()
        try machine.run("systemctl start payroll-app@SEED payroll-app@SEEDPROD2")
        #expect(try running() == ["payroll-batch.service", "payroll-app@SEED.service"])
        try machine.write("/srv/payroll/SEEDPROD/fixed", "")
        #expect(try machine.run("patchctl resume 1").code == 0)
        try host.until(job: 1, is: "done")
        #expect(try running() == units)
    }

    @Test func `that do not come up again fail the job, and leave the folders done`() throws {
        try host.daemon(
            "payroll-batch.service", service: "ExecStartPre=/bin/sh -c 'test ! -e /srv/payroll/SEED/broken'")
        try host.daemon("payroll-crash.service", service: "ExecStartPre=/bin/true")
        try host.service(
            "payroll-crash.service",
            "[Service]\nExecStart=/bin/sh -c 'test ! -e /srv/payroll/SEED/broken && exec sleep infinity'\n[Install]\nWantedBy=multi-user.target\n"
        )
        try host.configure(settings: "tasks: {stop: [payroll-batch.service, payroll-crash.service]}\n")
        try machine.boot()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "touch broken\n"
        try host.drop(update)
        try host.until(job: 1, is: "failed")
        let job = try #require(try host.job(1))
        #expect(job["code"] as? String == "unit")
        for folder in host.folders {
            #expect(try host.folder(folder)["version"] as? String == "8.0.2")
            #expect(try host.folder(folder)["status"] as? String == "current")
            #expect(!machine.exists("/srv/payroll/\(folder)/update.lock"))
        }
        let told = try machine.journal(matching: ["PATCHD_UNIT=payroll-batch.service"]).compactMap { $0["MESSAGE"] }
        #expect(told.contains { $0.contains("does not come up again") })
        #expect(
            try machine.journal(matching: ["PATCHD_UNIT=payroll-crash.service"]).contains {
                $0["MESSAGE"]?.contains("does not come up again") == true
            })
    }

    @Test func `shared by two endpoints return when the last job that stopped them ends`() throws {
        try host.daemon("shared.service")
        try host.configure(settings: "accepts: [X3V8_P2]\ntasks: {stop: [shared.service]}\n")
        try machine.write("/srv/other/ONE/lib/a.dat", "old\n")
        try machine.prepare("chown -R payroll:payroll /srv/other")
        try machine.write(
            "/etc/patchd/endpoints.d/other.yaml",
            "endpoint: other\npath: /srv/other\naccepts: [X3V8_P2]\ntasks: {stop: [shared.service]}\nfolders:\n  - {name: ONE, version: 8.0.1}\n"
        )
        try machine.boot()
        try host.drop(waitingUpdate(in: "PAIE", "ONE"))
        try host.untilWaiting("PAIE")
        try machine.until("both are in mid-update") { machine.exists("/srv/other/ONE/waiting") }
        #expect(try host.active("shared.service") == [])
        try machine.write("/srv/other/ONE/go", "")
        let numbers = try [1, 2].sorted { left, _ in try host.job(left)?["endpoint"] as? String == "other" }
        try host.until(job: numbers[0], is: "done")
        #expect(try host.active("shared.service") == [], "payroll still needs it down")
        try host.go("PAIE")
        try host.until(job: numbers[1], is: "done")
        #expect(try host.active("shared.service") == ["shared.service"])
    }

    @Test func `that cannot be kept down or could not come back are faults before anything is touched`() throws {
        try host.daemon("payroll-batch.service")
        try machine.write("/etc/systemd/system/payroll-batch.service.d/99-reset.conf", "[Unit]\nConditionPathExists=\n")
        try host.daemon("payroll-shy.service", "RefuseManualStart=yes")
        try machine.write(
            "/usr/lib/systemd/system/payroll-masked.service", "[Service]\nExecStart=/bin/sleep infinity\n")
        try host.configure(
            settings:
                "tasks: {stop: [payroll-batch.service, payroll-shy.service, payroll-masked.service, \"payroll-run-*\"]}\n"
        )
        try machine.boot()
        try machine.run("systemd-run --unit=payroll-run-1 sleep infinity; systemctl start payroll-masked")
        try machine.run("systemctl mask payroll-masked")
        try host.drop()
        try host.until(job: 1, is: "failed")
        let job = try #require(try host.job(1))
        #expect(job["code"] as? String == "unit")
        let message = try #require(job["message"] as? String)
        #expect(message.contains("payroll-batch.service cannot be kept down"))
        #expect(message.contains("payroll-run-1.service is transient"))
        #expect(message.contains("payroll-shy.service could not be started again"))
        #expect(message.contains("payroll-masked.service could not be started again"))
        let all = ["payroll-batch.service", "payroll-run-1.service", "payroll-shy.service", "payroll-masked.service"]
        #expect(try all.filter { try host.active($0).isEmpty } == [])
        #expect(try host.read("SEED", "lib/a.dat") == "old\n")
        try machine.run(
            """
            rm /etc/systemd/system/payroll-batch.service.d/99-reset.conf
            sed -i /RefuseManualStart/d /etc/systemd/system/payroll-shy.service
            systemctl unmask payroll-masked; systemctl daemon-reload; systemctl stop payroll-run-1
            """
        )
        try host.drop()
        try host.until(job: 2, is: "done")
    }

    @Test func `stop for a rollback as well, under locks that say so`() throws {
        try host.daemon(
            "payroll-batch.service", service: "ExecStop=/bin/sh -c 'cat /srv/payroll/SEED/update.lock >> /srv/stopped'")
        try host.configure(settings: "tasks: {stop: [payroll-batch.service]}\n")
        try machine.boot()
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] =
            "cat update.lock > ../SEED2/lock || cp update.lock lock\n"
        try host.drop(update)
        try host.until(job: 1, is: "done")
        #expect(try machine.run("patchctl rollback payroll/PAIE").output.contains("job 2 rolls back"))
        try host.until(job: 2, is: "done")
        for folder in host.folders {
            #expect(try host.folder(folder)["version"] as? String == "8.0.1")
            #expect(try host.read(folder, "lib/a.dat") == "old\n")
            #expect(!machine.exists("/srv/payroll/\(folder)/update.lock"))
        }
        #expect(try host.read("SEED", "lock").contains("\"phase\" : \"reverting\""))
        #expect(try machine.read("/srv/stopped").components(separatedBy: "\"schema\"").count == 3, "stopped twice")
        #expect(try host.active("payroll-batch.service").count == 1)
        #expect(try machine.run("stat -c %U /srv/payroll/SEED/lib/a.dat").output == "payroll\n")
    }

    @Test func `are kept down also as instances that nobody has started yet`() throws {
        try host.daemon("payroll-run@.service", isEnabled: false)
        try host.service("payroll-run.socket", "[Socket]\nListenStream=/run/payroll-run\nAccept=yes\n")
        try host.configure(
            settings: "tasks: {stop: [\"payroll-run@*\"], maintenance: [payroll-run@maintenance.service]}\n")
        try machine.boot()
        try machine.run("systemctl start payroll-run@one")
        try host.drop(waitingUpdate(in: "PAIE"))
        try host.untilWaiting("PAIE")
        func running() throws -> String {
            try machine.run("systemctl list-units --plain --no-legend --state=active 'payroll-run@*' | cut -d ' ' -f 1")
                .output
        }
        #expect(try running() == "payroll-run@maintenance.service\n")
        try machine.run("systemctl start payroll-run@one payroll-run@two payroll-run@three")
        #expect(try running() == "payroll-run@maintenance.service\n")
        try host.go("PAIE")
        try host.until(job: 1, is: "done")
        #expect(try running() == "payroll-run@one.service\n", "what did not run does not begin to")
        try machine.run("systemctl start payroll-run@two")
        #expect(try running() == "payroll-run@one.service\npayroll-run@two.service\n")
    }
}
