import Foundation
import Support
import Testing

@Suite struct `The time in which folders are locked` {
    private func lock(_ host: Installation, _ folder: String = "SEED") -> [String: Any]? {
        try? host.json("srv/\(folder)/update.lock")
    }

    private func time(_ text: Any?) -> Date? {
        (text as? String).flatMap { try? Date($0, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
    }

    @Test func `begins with 9998 and a deadline, for the lead time, and goes on to 9999`() throws {
        let host = try Installation(settings: "leadTime: 3s\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("announced") { lock(host, "SEEDPROD2") != nil })
        let announced = try #require(lock(host))
        #expect(announced["code"] as? Int == 9998)
        #expect(announced["phase"] as? String == "announced")
        let since = try #require(time(announced["since"]))
        let deadline = try #require(time(announced["deadline"]))
        #expect(abs(deadline.timeIntervalSince(since) - 3) < 0.01)
        #expect(host.until("updating") { lock(host)?["code"] as? Int == 9999 })
        #expect(Date() >= deadline, "nobody is made to go before the deadline")
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
        #expect(lock(host) == nil)
    }

    @Test func `has no lead time for a critical update, and waits it out only once when the daemon is killed`() throws {
        let critical = try Installation(settings: "leadTime: 1h\n")
        var update = ExampleUpdate()
        update.isCritical = true
        try update.pack(to: "\(critical.root)/spool/incoming/update.zip")
        #expect(try critical.once().code == 0)

        let host = try Installation(settings: "leadTime: 4s\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let first = try host.start()
        #expect(host.until("announced") { lock(host) != nil })
        let deadline = lock(host)?["deadline"] as? String
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        let second = try host.start()
        defer { second.terminate() }
        #expect(host.until("the same deadline") { lock(host)?["deadline"] as? String == deadline })
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
    }

    @Test func `is not longer than the lead time when the clock is set back by a day meanwhile`() throws {
        let host = try Installation(settings: "leadTime: 2s\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let first = try host.start()
        #expect(host.until("announced") { lock(host) != nil })
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        // As if it had been announced when the clock was a day ahead.
        var job = try host.json("state/jobs/1/job.json")
        let ahead = Date().addingTimeInterval(86400).formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        job["announcedAt"] = ahead
        try JSONSerialization.data(withJSONObject: job).write(
            to: URL(fileURLWithPath: "\(host.root)/state/jobs/1/job.json"))
        #expect(try host.once().code == 0)
        #expect(try host.json("state/jobs/1/job.json")["state"] as? String == "done")
    }

    @Test func `keeps its locks when they are removed, replaced or changed by hand`() throws {
        let host = try Installation(settings: "leadTime: 1h\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("announced") { lock(host, "SEEDPROD2") != nil })
        let path = "\(host.root)/srv/SEED/update.lock"
        let text = try host.read("srv/SEED/update.lock")
        try FileManager.default.removeItem(atPath: path)
        #expect(host.until("restored") { (try? host.read("srv/SEED/update.lock")) == text })
        try host.write("{}", "srv/SEED/other")
        rename("\(host.root)/srv/SEED/other", path)
        #expect(host.until("put back") { (try? host.read("srv/SEED/update.lock")) == text })
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: Data("x".utf8))
        try file.close()
        #expect(host.until("written anew") { (try? host.read("srv/SEED/update.lock")) == text })
    }

    @Test func `is over for a lock that no job accounts for, as in a copied folder`() throws {
        let host = try Installation()
        try host.write("{\"schema\":1,\"code\":9999}", "srv/SEED2/update.lock")
        #expect(try host.once().code == 0)
        #expect(!host.exists("srv/SEED2/update.lock"))
    }

    @Test func `stops and starts by command what is no unit, after the lock is there and before it counts as done`()
        throws
    {
        let host = try Installation()
        let log = "\(host.root)/commands"
        try host.configure(
            "payroll",
            settings: """
                tasks:
                  stopCommand: 'test -e \(host.root)/srv/SEEDPROD2/update.lock && echo stop $PATCHD_ENDPOINT $PATCHD_JOB >> \(log)'
                  startCommand: 'test ! -e \(host.root)/srv/SEEDPROD2/update.lock && echo start >> \(log)'
                  idleCheck: 'echo idle >> \(log); test -e \(host.root)/srv/PAIE/update.lock'

                """)
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "echo $PATCHD_FOLDER >> \(log)\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        let lines = try host.read("commands").split(separator: "\n").map(String.init)
        #expect(lines.prefix(3) == ["stop payroll 1", "idle", "PAIE"])
        #expect(lines.last == "start" && lines.count { $0 == "start" } == 1)
        // An update that changes nothing stops nothing.
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(try host.read("commands").split(separator: "\n").count == lines.count)
    }

    @Test(arguments: ["apply", "rollback"])
    func `never begins where somebody is still at work after grace: the job waits, and the tasks start again`(
        operation: String
    ) throws {
        let host = try Installation()
        let log = "\(host.root)/commands"
        try host.configure(
            "payroll",
            settings: """
                grace: 2s
                tasks:
                  stopCommand: 'echo stop >> \(log)'
                  startCommand: 'echo start >> \(log)'
                  idleCheck: 'echo idle >> \(log); test -e \(host.root)/idle'

                """)
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        if operation == "rollback" {
            try host.write("", "idle")
            try update.pack(to: "\(host.root)/spool/incoming/update.zip")
            #expect(try host.once().code == 0)
            for name in ["idle", "commands"] { try FileManager.default.removeItem(atPath: "\(host.root)/\(name)") }
        }
        let before = try host.picture()
        let number = operation == "rollback" ? 2 : 1
        if operation == "rollback" {
            try host.request(#"{"command": "rollback", "job": 1}"#, as: "rollback.json")
        } else {
            try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        }
        let outcome = try host.once()
        #expect(outcome.code == 5, "\(outcome.errors)")
        let job = try host.job(number)
        #expect(job["state"] as? String == "waiting")
        #expect((job["waitingFor"] as? String)?.contains("idleCheck of payroll still fails") == true, "\(job)")
        #expect(try host.picture() == before)
        let lines = try host.read("commands").split(separator: "\n")
        #expect(lines.first == "stop" && lines.last == "start" && lines.count >= 4)
        #expect(lines.count { $0 == "stop" } == 1, "it is not tried again and again")
        try host.write("", "idle")
        #expect(try host.once().code == 0)
        #expect(try host.job(number)["state"] as? String == "done")
    }

    @Test func `stays away from a failed folder's root, so its startCommand waits for the resume`() throws {
        let host = try Installation()
        let log = "\(host.root)/commands"
        try host.configure(
            "payroll",
            settings: "tasks: {stopCommand: 'echo stop >> \(log)', startCommand: 'echo start >> \(log)'}\n")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "test $PATCHD_FOLDER != PAIE || test -e \(host.root)/fixed\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.read("commands") == "stop\n")
        try host.once()
        #expect(try host.read("commands") == "stop\n", "a restart of the daemon starts nothing either")
        try host.write("", "fixed")
        try host.write("{\"command\":\"resume\",\"job\":1}", "spool/requests/a.json")
        #expect(try host.once().code == 0)
        #expect(try host.read("commands") == "stop\nstart\n")
        let history = try host.read("state/endpoints/payroll/PAIE.history.jsonl").split(separator: "\n")
        #expect(history.count == 1 && history[0].contains("\"done\""), "a line a job, also where it failed at first")
    }

    @Test func `starts by command what goes down by itself`() throws {
        let host = try Installation()
        let log = "\(host.root)/commands"
        try host.configure("payroll", settings: "tasks: {startCommand: 'echo start >> \(log)'}\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 0)
        #expect(try host.read("commands") == "start\n")
    }

    @Test func `is not cut short by a reload that comes while the daemon starts`() throws {
        let host = try Installation()
        try host.write("", "state/lock")
        let guardFile = open("\(host.root)/state/lock", O_RDWR | O_CLOEXEC)
        #expect(flock(guardFile, LOCK_EX | LOCK_NB) == 0)
        let daemon = try host.start()
        defer { daemon.terminate() }
        // It waits for the lock now.
        let own = "/proc/\(daemon.processIdentifier)/fd"
        #expect(
            host.until("waits") {
                ((try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []).contains {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(own)/\($0)"))?
                        .hasSuffix("/state/lock") == true
                }
            })
        kill(daemon.processIdentifier, SIGHUP)
        close(guardFile)
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
    }

    @Test func `needs no restart for a new configuration, and a bad one changes nothing`() throws {
        let host = try Installation()
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("state/endpoints/payroll/SEEDPROD2.json") })
        try host.write("endpoint: [", "etc/endpoints.d/zz.yaml")
        kill(daemon.processIdentifier, SIGHUP)
        try FileManager.default.createDirectory(
            atPath: "\(host.root)/other/ONE", withIntermediateDirectories: true)
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.configure("payroll", settings: "accepts: [\"X3V8_*\"]\n")
        try host.write(
            "endpoint: other\npath: \(host.root)/other\naccepts: [none]\n\(owner)folders:\n  - {name: ONE, version: 1.0}\n",
            "etc/endpoints.d/zz.yaml")
        kill(daemon.processIdentifier, SIGHUP)
        #expect(host.until("taken up") { host.exists("state/endpoints/other/ONE.json") })
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done") { (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done" })
    }
}
