import Foundation
import Support
import Testing

/// Whoever may drop may also do it in ways that no archive comes in; what comes behind is taken all the same.
@Suite struct `A drop that is not what it should be` {
    let host: Installation

    init() throws { host = try Installation() }

    private var incoming: String { "\(host.root)/spool/incoming" }

    private func drop(_ name: String) throws { try ExampleUpdate().pack(to: "\(incoming)/\(name)") }

    private func code(_ name: String) throws -> String? {
        try host.json("spool/rejected/\(name).reason.json")["code"] as? String
    }

    @Test(arguments: ["directory", "link", "fifo", "large", "signature"])
    func `because of what lies beside it is refused or taken, and holds up no other`(kind: String) throws {
        let sidecar = "\(incoming)/a.zip.json"
        switch kind {
        case "directory": try host.write("{}", "spool/incoming/a.zip.json/x")
        case "link": #expect(symlink("/etc/passwd", sidecar) == 0)
        case "fifo": #expect(mkfifo(sidecar, 0o600) == 0)
        case "large": try host.write(String(repeating: " ", count: 2 << 20), "spool/incoming/a.zip.json")
        default: try host.write("", "spool/incoming/a.zip.sig/x")
        }
        try drop("a.zip")
        try drop("b.zip")
        let outcome = try host.once()
        if kind == "signature" {
            #expect(outcome.code == 0, "\(outcome.errors)")
        } else {
            #expect(outcome.code == 1)
            #expect(try code("a.zip") == "optionsInvalid")
        }
        #expect(try host.job(1)["state"] as? String == "done", "\(outcome.errors)")
        #expect(!host.exists("spool/incoming/a.zip") && !host.exists("spool/incoming/b.zip"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake").isEmpty)
    }

    /// Left behind, they would have been the next drop's.
    @Test func `is refused at the first look with what lies beside it, which no later drop of that name gets`() throws {
        try host.write("limits: {unpacked: 1MiB}\n", "etc/patchd.yaml")
        for name in ["link", "huge", "directory"] {
            try host.write(#"{"operation":"test"}"#, "spool/incoming/\(name).zip.json")
            try host.write("a signature", "spool/incoming/\(name).zip.sig")
        }
        #expect(symlink("/etc/passwd", "\(incoming)/link.zip") == 0)
        _ = FileManager.default.createFile(atPath: "\(incoming)/huge.zip", contents: nil)
        #expect(truncate("\(incoming)/huge.zip", 1 << 40) == 0, "has holes only")
        try host.write("", "spool/incoming/directory.zip/x")
        #expect(try host.once().code == 1)
        for name in ["link", "huge", "directory"] {
            #expect(try host.read("spool/rejected/\(name).zip.json") == #"{"operation":"test"}"#)
            #expect(try host.read("spool/rejected/\(name).zip.sig") == "a signature")
            #expect(try code("\(name).zip") == (name == "huge" ? "limitExceeded" : "notAFile"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty)
        try drop("link.zip")
        #expect(try host.once().code == 0)
        #expect(try host.job(1)["operation"] as? String == "apply")
    }

    @Test(.enabled(if: geteuid() == 0, "files of other users need root"))
    func `is refused at the first look without what another user has put beside it`() throws {
        try host.once()
        #expect(symlink("/etc/passwd", "\(incoming)/link.zip") == 0)
        for suffix in ["json", "sig"] {
            try host.write("{}", "spool/incoming/link.zip.\(suffix)")
            #expect(chown("\(incoming)/link.zip.\(suffix)", 65534, 65534) == 0)
        }
        #expect(try host.once().code == 1)
        #expect(host.exists("spool/rejected/link.zip.reason.json"))
        for suffix in ["json", "sig"] {
            #expect(host.exists("spool/incoming/link.zip.\(suffix)"))
            #expect(!host.exists("spool/rejected/link.zip.\(suffix)"))
        }
    }

    @Test func `because it is larger than all that it may hold is refused without being read`() throws {
        try host.write("limits: {unpacked: 1MiB}\n", "etc/patchd.yaml")
        _ = FileManager.default.createFile(atPath: "\(incoming)/huge.zip", contents: nil)
        #expect(truncate("\(incoming)/huge.zip", 1 << 40) == 0, "has holes only")
        try drop("b.zip")
        #expect(try host.once().code == 1)
        #expect(try code("huge.zip") == "limitExceeded")
        #expect(try host.job(1)["state"] as? String == "done")
    }

    @Test(.enabled(if: geteuid() == 0, "files of other users need root"))
    func `because there is no room for it stays, and another user's is taken`() throws {
        try host.write("limits: {unpacked: 1000TiB}\n", "etc/patchd.yaml")
        _ = FileManager.default.createFile(atPath: "\(incoming)/huge.zip", contents: nil)
        #expect(truncate("\(incoming)/huge.zip", 1 << 43) == 0)
        #expect(chown("\(incoming)/huge.zip", 65534, 65534) == 0)
        try drop("b.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1 && outcome.errors.contains("cannot take huge.zip"), "\(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(host.exists("spool/incoming/huge.zip"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake").isEmpty)
    }

    @Test func `because somebody keeps it open is left by a single run`() throws {
        try drop("b.zip")
        try drop("open.zip")
        let writer = open("\(incoming)/open.zip", O_WRONLY | O_CLOEXEC)
        defer { close(writer) }
        let once = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        #expect(once.end() == 5, "\(once.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(host.exists("spool/incoming/open.zip"))
    }

    /// A test's own request was left for the next run: another of its threads was just starting a program, which has all
    /// files of its parent open until it is another program.
    @Test func `because somebody has it open for an instant is taken all the same`() throws {
        try drop("b.zip")
        try drop("open.zip")
        try host.request(#"{"command":"gc"}"#, as: "open.json")
        let writers = [
            open("\(incoming)/open.zip", O_WRONLY | O_CLOEXEC),
            open("\(host.root)/spool/requests/open.json", O_WRONLY | O_CLOEXEC),
        ]
        let once = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        #expect(host.until("ready") { once.errors.contains("ready") })
        for writer in writers { close(writer) }
        #expect(once.end() == 0, "\(once.errors)")
        #expect(!host.exists("spool/incoming/open.zip") && host.exists("spool/requests/done/open.json"))
    }

    @Test func `because it grows and grows ends neither the daemon nor what others drop`() throws {
        try host.write("settle: 1s\n", "etc/patchd.yaml")
        try drop("growing.zip")
        let daemon = try host.start()
        defer { daemon.terminate() }
        // Opened for writing again and again, also in the instant in which the daemon looks whether somebody does.
        let writer = try RunningProgram(
            "/bin/sh", ["-c", "while :; do : >> \(incoming)/growing.zip; : >> \(incoming)/other.zip; done"])
        try drop("good.zip")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        try host.request(#"{"command":"gc"}"#, as: "good.json")
        #expect(host.until("answered") { host.exists("spool/requests/done/good.json") })
        #expect(daemon.isRunning && writer.isRunning)
    }

    @Test func `and was taken before its claim was damaged is kept, and told`() throws {
        try host.once()
        try host.write("{", "state/intake/1/claim.json")
        try host.write("x", "state/intake/1/content/archive.zip")
        try host.write("x", "state/intake/2/content/archive.zip")
        try drop("good.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1 && outcome.errors.contains("claim.json"), "\(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(host.exists("state/intake/1/content/archive.zip"), "what was taken is nowhere else")
        #expect(!host.exists("state/intake/2"), "what has no claim lies where it was dropped")
    }

    @Test func `under a name with line feeds makes no line of the log its own`() throws {
        try host.write("x", "spool/incoming/a\nnotice: job 1 is approved.zip")
        let outcome = try host.once()
        #expect(outcome.code == 1)
        #expect(!outcome.errors.split(separator: "\n").contains { $0.hasPrefix("notice: job 1") }, "\(outcome.errors)")
    }
}
