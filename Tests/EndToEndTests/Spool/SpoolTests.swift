import Foundation
import Support
import Testing

@Suite struct `The spool` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
    }

    /// A file whose name is no UTF-8.
    private func make(_ name: [UInt8], _ text: String, in directory: String) throws {
        let path = Array("\(host.root)/\(directory)/".utf8) + name
        let file = (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { open($0, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) } ?? -1
        }
        try #require(file >= 0)
        Glibc.write(file, text, text.utf8.count)
        close(file)
    }

    @Test func `refuses a drop whose name is not UTF-8, under a name that can be read`() throws {
        let name = Array("caf".utf8) + [0xe9] + Array(".zip".utf8)
        try make(name, "no matter what", in: "spool/incoming")
        try make(Array(repeating: 0xff, count: 240) + Array(".zip".utf8), "", in: "spool/incoming")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/good.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1, "\(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        let record = try host.json("spool/rejected/caf%E9.zip.reason.json")
        #expect(record["code"] as? String == "entryName" && record["file"] as? String == "caf%E9.zip")
        #expect(try host.read("spool/rejected/caf%E9.zip") == "no matter what")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected").count == 4)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/incoming").isEmpty)
        #expect(outcome.errors.contains("caf%E9.zip is refused (entryName)"), "\(outcome.errors)")
    }

    @Test func `takes a request whose name is not UTF-8 away`() throws {
        try make([0xe9] + Array(".json".utf8), #"{"command":"gc"}"#, in: "spool/requests")
        try host.request(#"{"command":"gc"}"#, as: "good.json")
        let outcome = try host.once()
        #expect(outcome.code == 0 && outcome.errors.contains("request %E9.json"), "\(outcome.errors)")
        #expect(host.exists("spool/requests/done/good.json"))
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/requests")
        #expect(left.filter { !$0.hasPrefix(".") } == ["done"])
    }

    @Test func `keeps refused archives up to a limit, the newest`() throws {
        try host.write("limits: {rejected: 1MiB}\n", "etc/patchd.yaml")
        let large = String(repeating: "x", count: 300 << 10)
        for name in ["a", "b", "c", "d", "e"] {
            try host.write(large, "spool/.\(name)")
            rename("\(host.root)/spool/.\(name)", "\(host.root)/spool/incoming/\(name).zip")
            #expect(try host.once().code == 1)
        }
        #expect(!host.exists("spool/rejected/a.zip") && !host.exists("spool/rejected/a.zip.reason.json"))
        #expect(host.exists("spool/rejected/e.zip") && host.exists("spool/rejected/e.zip.reason.json"))
        try host.write(String(repeating: "x", count: 2 << 20), "spool/.f")
        rename("\(host.root)/spool/.f", "\(host.root)/spool/incoming/f.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("spool/rejected/f.zip.reason.json")["code"] as? String == "archiveMalformed")
        #expect(!host.exists("spool/rejected/f.zip"), "more than the limit by itself")
    }

    @Test func `numbers what is refused under one name, however often`() throws {
        for number in 1...40 {
            try host.write("no zip", "spool/incoming/bad.zip")
            if number % 10 == 0 { #expect(try host.once().code == 1) }
        }
        for _ in 1...5 {
            try host.write("no zip", "spool/incoming/bad.zip")
            #expect(try host.once().code == 1)
        }
        for name in ["bad.zip", "bad-2.zip", "bad-9.zip"] { #expect(host.exists("spool/rejected/\(name)"), "\(name)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected").count == 18)
    }

    @Test func `has an audit record that does not grow without end`() throws {
        try host.write("limits: {audit: 10MiB}\n", "etc/patchd.yaml")
        let line =
            #"{"at":"2026-11-21T10:15:00.123Z","code":"","command":"gc","id":"1","message":"","ok":true,"#
            + #""request":"r.json","schema":1,"uid":0,"user":"root"}"# + "\n"
        try host.write(String(repeating: line, count: (1 << 20) / line.utf8.count + 1), "state/audit.jsonl")
        for number in 1...8 { try host.write("old \(number)\n", "state/audit.jsonl.\(number)") }
        try host.write("oldest\n", "state/audit.jsonl.9")
        _ = try host.ask(#"{"command":"gc"}"#)
        #expect(try host.read("state/audit.jsonl").split(separator: "\n").count == 1)
        #expect(try host.read("state/audit.jsonl.1").utf8.count > 1 << 20)
        for number in 1...8 { #expect(try host.read("state/audit.jsonl.\(number + 1)") == "old \(number)\n") }
        _ = try host.ask(#"{"command":"gc"}"#)
        #expect(try host.read("state/audit.jsonl").split(separator: "\n").count == 2)
    }

    @Test func `is named in the job that came from it`() throws {
        let path = "\(host.root)/spool/incoming/update.zip"
        try ExampleUpdate().pack(to: path)
        let modified = try #require(
            try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
        #expect(try host.once().code == 0)
        let drop = try #require(try host.job(1)["drop"] as? [String: Any])
        #expect(drop["name"] as? String == "update.zip")
        let time = try #require(drop["time"] as? String)
        let read = try Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        #expect(abs(read.timeIntervalSince(modified)) < 0.01, "\(time) \(modified)")
    }

    /// As where other programs of the same user have all inotify instances: in a user namespace that may have none.
    @Test(.enabled(if: geteuid() == 0, "a namespace with all users needs root"))
    func `is looked through once a second where the kernel has no watch left`() throws {
        let script = """
            import ctypes, os, sys
            (asks, ask), (goes, go), pid = os.pipe(), os.pipe(), os.getpid()
            if os.fork() == 0:
                os.read(asks, 1)
                for name in ["uid_map", "gid_map"]:
                    with open(f"/proc/{pid}/{name}", "w") as file: file.write("0 0 65536")
                os.write(go, b"x")
                os._exit(0)
            assert ctypes.CDLL(None).unshare(0x10000000) == 0
            os.write(ask, b"x")
            os.read(goes, 1)
            with open("/proc/sys/user/max_inotify_instances", "w") as file: file.write("0")
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let daemon = try RunningProgram(
            "/usr/bin/python3", ["-c", script, host.program("patchd")] + host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready: 1 endpoints") }, "\(daemon.errors)")
        try ExampleUpdate().pack(to: "\(host.root)/packed.zip")
        rename("\(host.root)/packed.zip", "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" }, "\(daemon.errors)")
        try host.request(#"{"command":"gc"}"#, as: ".r")
        rename("\(host.root)/spool/requests/.r", "\(host.root)/spool/requests/r.json")
        #expect(host.until("answered") { host.exists("spool/requests/done/r.json") }, "\(daemon.errors)")
        #expect(daemon.errors.components(separatedBy: "is looked through once a second").count == 2, "\(daemon.errors)")
    }

    /// The owner of a folder made a line of the journal and a leaked watch each time.
    @Test func `and a lock that is removed again and again makes one line of the journal`() throws {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "exit 1\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        let lock = "\(host.root)/srv/PAIE/update.lock"
        for number in 1...30 {
            link(lock, "\(host.root)/srv/PAIE/x\(number)")
            unlink(lock)
            try #require(host.until("restored") { FileManager.default.fileExists(atPath: lock) })
        }
        #expect(daemon.errors.components(separatedBy: "was touched and is restored").count == 2, "\(daemon.errors)")
        let watches = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fdinfo").map { name in
            ((try? String(contentsOfFile: "/proc/\(daemon.pid)/fdinfo/\(name)", encoding: .utf8)) ?? "")
                .components(separatedBy: "inotify wd").count - 1
        }
        // The spool's three directories, and the locks of five folders.
        #expect(watches.reduce(0, +) <= 8, "\(watches)")
    }

    @Test func `and tests that are dropped without end keep no apply from its turn`() throws {
        for number in 1...12 {
            try host.write(#"{"operation":"test"}"#, "spool/incoming/t\(number).zip.json")
            try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/t\(number).zip")
        }
        try ExampleUpdate().pack(to: "\(host.root)/packed.zip")
        // The youngest of all.
        rename("\(host.root)/packed.zip", "\(host.root)/spool/incoming/update.zip")
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("done") { (try? host.job(13)["state"] as? String) == "done" }, "\(daemon.errors)")
        #expect(host.until("all are over") { (try? host.job(12)["state"] as? String) == "done" })
        let began = try (1...13).map { try #require(try host.job($0)["startedAt"] as? String) }
        let before = began.dropLast().count { $0 < began[12] }
        #expect(before < 12, "\(before) of 12 tests began before it")
    }

    @Test func `brings no catchup where nothing was missed, which patchctl tells from a failure`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        try host.once()
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        let outcome = try host.run("patchctl", "catchup", "payroll/SEED")
        #expect(outcome.code == 3, "\(outcome)")
        #expect(
            try host.run("patchctl", "catchup", "payroll/PAIE").code == 1, "the root folder has no reference folder")
    }

    @Test func `takes a request to forget, which is for what is configured no more`() throws {
        let answer = try host.ask(#"{"command":"forget","endpoint":"payroll","folder":"SEED"}"#)
        #expect(answer["code"] as? String == "wrongState", "\(answer)")
        #expect(try host.ask(#"{"command":"forget"}"#)["code"] as? String == "requestInvalid")
    }
}
