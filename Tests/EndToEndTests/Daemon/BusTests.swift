import Foundation
import Support
import Testing

/// Against Debian's dbus-daemon, with busctl and gdbus as clients.
@Suite(.enabled(if: geteuid() == 0, "only root may have the name")) final class `org.patchd1 on the bus` {
    private static let nobody = (uid: 65534, groups: "")
    let host: Installation
    let bus: PrivateBus

    init() throws {
        host = try Installation()
        bus = try PrivateBus(for: host)
    }

    private func drop(_ name: String = "update.zip") throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/\(name)")
    }

    private func isDone() -> Bool { (try? host.job(1)["state"] as? String) == "done" }

    /// The signals that a listener saw, as `Member (values)`.
    private func signals(_ listener: RunningProgram) -> [String] {
        listener.output.split(separator: "\n").filter { $0.hasPrefix("/org/patchd1: ") }.map {
            $0.replacingOccurrences(of: "/org/patchd1: org.patchd1.Manager.", with: "")
                .replacingOccurrences(of: "/org/patchd1: org.freedesktop.DBus.Properties.", with: "")
        }
    }

    @Test func `tells a job from the drop to its end, and shows what became of it`() throws {
        try bus.start()
        let daemon = try bus.startDaemon()
        try bus.untilOwned()
        #expect(try bus.property("Jobs").output == "a(uss) 0\n")
        let listener = try bus.listen()
        try drop()
        #expect(
            host.until("it is told") { self.signals(listener).contains("JobChanged (uint32 1, 'payroll', 'done')") },
            "\(listener.output)\(daemon.errors)")
        let told = signals(listener)
        let own = told.filter { !$0.hasPrefix("PropertiesChanged") }
        #expect(own.first == "UpdateArrived ('X3V8_P2', '8.0.2', 'update.zip')")
        let jobs = own.filter { $0.hasPrefix("JobChanged") }
        #expect(jobs == ["queued", "running", "done"].map { "JobChanged (uint32 1, 'payroll', '\($0)')" })
        for folder in host.folders {
            let ofIt = own.filter { $0.hasPrefix("FolderChanged ('payroll', '\(folder)'") }
            #expect(ofIt.contains("FolderChanged ('payroll', '\(folder)', '8.0.1', 'updating')"), "\(ofIt)")
            #expect(ofIt.last == "FolderChanged ('payroll', '\(folder)', '8.0.2', 'current')", "\(ofIt)")
        }
        #expect(
            told.contains("PropertiesChanged ('org.patchd1.Manager', @a{sv} {}, ['Jobs', 'Folders'])")
                || told.contains("PropertiesChanged ('org.patchd1.Manager', @a{sv} {}, ['Jobs'])"), "\(told)")
        // The arrival, three of the job, two of the root folder, and of each other one that it is behind meanwhile.
        #expect(own.count == 1 + 3 + 2 + 3 * (host.folders.count - 1), "\(own)")
        #expect(told.count <= 2 * own.count)
        #expect(try bus.property("Jobs").output == "a(uss) 1 1 \"payroll\" \"done\"\n")
        let folders = try bus.property("Folders").output
        #expect(folders.hasPrefix("a(ssss) 5 \"payroll\" \"PAIE\" \"8.0.2\" \"current\" \"payroll\" \"SEED\""))
    }

    @Test func `can be looked at by everybody, jobs by those who may read them`() throws {
        try bus.start()
        let daemon = try bus.startDaemon()
        try bus.untilOwned()
        let nobody = Self.nobody
        let tree = try bus.run("/usr/bin/busctl", "--system", "tree", "--list", "org.patchd1", as: nobody)
        #expect(tree.output.split(separator: "\n") == ["/", "/org", "/org/patchd1"], "\(tree)")
        let seen = try bus.run(
            "/usr/bin/busctl", "--system", "introspect", "org.patchd1", "/org/patchd1", "org.patchd1.Manager",
            as: nobody)
        #expect(seen.code == 0, "\(seen)")
        let words = seen.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            words.contains { $0.prefix(3) == [".Folders", "property", "a(ssss)"] && $0.last == "emits-invalidation" })
        for signal in [
            [".JobChanged", "signal", "uss"], [".FolderChanged", "signal", "ssss"],
            [".UpdateArrived", "signal", "sss"],
        ] {
            #expect(words.contains { Array($0.prefix(3)) == signal }, "\(seen.output)")
        }
        #expect(!words.contains { $0.contains("method") })
        let xml = try bus.run(
            "/usr/bin/gdbus", "introspect", "--system", "--dest", "org.patchd1", "--object-path", "/org/patchd1",
            as: nobody)
        #expect(xml.output.contains("readonly a(ssss) Folders = [('payroll', 'PAIE', '8.0.1', 'current')"), "\(xml)")
        #expect(!xml.output.contains("Jobs ="))

        let listener = try bus.listen(as: nobody)
        try drop()
        #expect(host.until("done", isDone))
        #expect(
            host.until("told of folders") {
                self.signals(listener).contains("FolderChanged ('payroll', 'SEEDPROD2', '8.0.2', 'current')")
            }, "\(daemon.errors)")
        #expect(!signals(listener).contains { $0.hasPrefix("JobChanged") || $0.hasPrefix("UpdateArrived") })
        #expect(try bus.property("Folders", as: nobody).code == 0)
        let denied = try bus.property("Jobs", as: nobody)
        #expect(denied.code != 0 && denied.errors.contains("Access denied"), "\(denied)")
        chown("\(host.root)/state/jobs", 0, 4711)
        #expect(try bus.property("Jobs", as: (65534, "4711")).output == "a(uss) 1 1 \"payroll\" \"done\"\n")
        #expect(try bus.property("Jobs", as: (65534, "4712")).code != 0)
    }

    @Test func `obeys nobody, whatever is called with whatever types`() throws {
        let open = try PrivateBus(for: host, isOpen: true)
        try open.start()
        let daemon = try open.startDaemon()
        try open.untilOwned()
        let own = "org.patchd1.Manager"
        let properties = "org.freedesktop.DBus.Properties"
        for (path, interface, arguments, error) in [
            ("/org/patchd1", properties, ["Set", "ssv", own, "Jobs", "s", "x"], "Jobs can only be read"),
            ("/org/patchd1", properties, ["Set", "ss", own, "Jobs"], "takes arguments ssv"),
            ("/org/patchd1", properties, ["Get", "ss", own, "Secrets"], "there are the properties Jobs, Folders"),
            ("/org/patchd1", properties, ["Get", "ss", "org.example", "Jobs"], "no properties but those of"),
            ("/org/patchd1", properties, ["Get", "uu", "1", "2"], "takes arguments ss"),
            ("/org/patchd1", properties, ["Get"], "takes arguments ss"),
            ("/org/patchd1", properties, ["GetAll", "as", "1", "x"], "takes arguments s"),
            ("/org/patchd1", properties, ["Forget", "s", "x"], "no method Forget"),
            ("/org/patchd1", own, ["Cancel", "u", "1"], "no method Cancel"),
            ("/org/patchd1", "org.example", ["Cancel"], "no interface org.example"),
            ("/org/patchd1/1", own, ["Cancel"], "there is only /org/patchd1"),
            ("/org", own, ["Cancel"], "there is only /org/patchd1"),
            ("/org/patchd1", "org.freedesktop.DBus.Introspectable", ["Introspect", "s", "x"], "takes no arguments"),
        ] {
            let called = try Installation.run(
                "/usr/bin/busctl", ["--system", "call", "org.patchd1", path, interface] + arguments,
                environment: open.environment)
            #expect(called.code != 0 && called.errors.contains(error), "\(arguments): \(called)")
        }
        // Signals that pretend to be the bus's.
        for name in ["NameLost", "NameOwnerChanged"] {
            let forged = try open.run(
                "/usr/bin/busctl", "--system", "--destination=org.patchd1", "emit", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", name, "s",
                "org.patchd1")
            #expect(forged.code == 0)
        }
        let ping = try open.run(
            "/usr/bin/busctl", "--system", "call", "org.patchd1", "/org/patchd1", "org.freedesktop.DBus.Peer", "Ping")
        #expect(ping.code == 0)
        #expect(try open.property("Folders").code == 0)
        #expect(daemon.isRunning && !daemon.errors.contains("not on the system bus"))
        open.stop()
        // With the policy that is installed, the bus refuses what is no look already.
        try bus.start()
        let second = try bus.run(
            "/usr/bin/busctl", "--system", "set-property", "org.patchd1", "/org/patchd1", own, "Jobs", "s", "x")
        #expect(second.code != 0)
    }

    @Test func `costs nobody else anything where somebody asks without end and never reads`() throws {
        try bus.start()
        let daemon = try bus.startDaemon()
        try bus.untilOwned()
        let before = try Self.memory(of: daemon.pid)
        var floods: [RunningProgram] = []
        for property in ["Folders", "Jobs", "Secrets"] {
            floods.append(
                try RunningProgram("/usr/bin/python3", ["-c", BusFlood.program, "\(host.root)/bus", "5000", property]))
        }
        let listener = try bus.listen()
        try drop()
        #expect(host.until("done", isDone), "\(daemon.errors)")
        #expect(
            host.until("told") { self.signals(listener).contains("JobChanged (uint32 1, 'payroll', 'done')") },
            "\(listener.output)")
        for flood in floods { #expect(host.until("sent") { flood.output == "sent\n" }, "\(flood.errors)") }
        #expect(try bus.property("Folders").output.contains("\"8.0.2\""))
        #expect(try bus.property("Jobs").code == 0)
        for flood in floods { #expect(flood.isRunning, "it has read nothing yet") }
        #expect(try Self.memory(of: daemon.pid) - before < 64 << 10, "KiB")
    }

    @Test func `waits for a bus that hangs, and no job waits with it`() throws {
        try bus.start()
        let daemon = try bus.startDaemon()
        try bus.untilOwned()
        let listener = try bus.listen()
        bus.send(SIGSTOP)
        try drop()
        #expect(host.until("done", isDone), "\(daemon.errors)")
        #expect(signals(listener) == [])
        bus.send(SIGCONT)
        #expect(host.until("told") { self.signals(listener).contains("JobChanged (uint32 1, 'payroll', 'done')") })
    }

    @Test func `is not there without a bus, which is said once, and comes back with it`() throws {
        let daemon = try bus.startDaemon()
        #expect(host.until("said") { daemon.errors.contains("is not on the system bus") })
        try drop()
        #expect(host.until("done", isDone))
        try bus.start()
        try bus.untilOwned()
        #expect(try bus.property("Jobs").output == "a(uss) 1 1 \"payroll\" \"done\"\n")
        bus.stop()
        #expect(
            host.until("said") { daemon.errors.components(separatedBy: "is not on the system bus").count == 3 },
            "\(daemon.errors)")
        try bus.start()
        try bus.untilOwned()
        let listener = try bus.listen()
        try drop("again.zip")
        #expect(host.until("told") { self.signals(listener).contains("JobChanged (uint32 2, 'payroll', 'done')") })
        #expect(daemon.errors.components(separatedBy: "org.patchd1 is on the system bus").count == 3)
        #expect(daemon.errors.components(separatedBy: "is not on the system bus").count == 3, "\(daemon.errors)")
    }

    private static func memory(of process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.split(separator: " ")[1]))
    }
}
