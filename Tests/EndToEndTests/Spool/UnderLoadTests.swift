import Foundation
import Support
import Testing

/// scripts/load does it with thousands, and measures.
@Suite(.enabled(if: geteuid() == 0, "files of other users need root")) struct `Hundreds of archives dropped at once` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.write("settle: 1s\n", "etc/patchd.yaml")
        try host.once()
    }

    private func put(_ text: String, _ relative: String, of user: uid_t) throws {
        try host.write(text, relative)
        #expect(chown("\(host.root)/\(relative)", user, user) == 0)
    }

    /// Drops one that is refused, of one of several kinds.
    private func dropBad(_ number: Int, of user: uid_t) throws {
        let place = "spool/incoming/bad\(number).zip"
        switch number % 4 {
        case 0: try put("no zip", place, of: user)
        case 1:
            #expect(symlink("/etc/passwd", "\(host.root)/\(place)") == 0)
            #expect(lchown("\(host.root)/\(place)", user, user) == 0)
            try put("{}", place + ".json", of: user)
        case 2:
            #expect(mkfifo("\(host.root)/\(place)", 0o600) == 0 && chown("\(host.root)/\(place)", user, user) == 0)
        default:
            try put("PK\u{3}\u{4} and no more", place, of: user)
            try put("no signature", place + ".sig", of: user)
        }
    }

    private func names(_ directory: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/\(directory)"))
    }

    private func peak(_ process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
    }

    @Test func `among holds and requests by the thousand are taken once each, and those that are good applied`() throws
    {
        let bad = 495
        for number in 0..<bad { try dropBad(number, of: number % 2 == 0 ? 65534 : 65533) }
        for version in 2...6 {
            try ExampleUpdate(version: "8.0.\(version)", dependency: "8.0.\(version - 1)").pack(
                to: "\(host.root)/spool/incoming/good\(version).zip")
        }
        for number in 0..<2000 {
            try put(#"{"command":"gc"}"#, "spool/requests/bad\(number).json", of: 65534)
            try put("mine", "spool/holds/other\(number).lock", of: 65534)
        }
        try put("mine", "spool/holds/payroll.lock", of: 65534)
        #expect(chmod("\(host.root)/spool/incoming", 0o1777) == 0)
        // Drops, and drops again before it was looked at.
        let client = try RunningProgram(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c",
                "cd \(host.root)/spool/incoming; while :; do echo no > .loop; mv .loop loop.zip; sleep 0.05; done",
            ])
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        try host.request(#"{"command":"gc"}"#, as: "own.json")
        #expect(host.until("answered") { host.exists("spool/requests/done/own.json") })
        let isDone = (1...6).contains { _ in
            host.until("done") { (try? host.job(5)["state"] as? String) == "done" }
        }
        #expect(isDone, "good archives between the bad ones")
        try host.request(#"{"command":"gc"}"#, as: "again.json")
        #expect(host.until("answered") { host.exists("spool/requests/done/again.json") })
        let isTaken = (1...6).contains { _ in
            host.until("all are taken") { (try? names("spool/incoming").contains { $0.hasPrefix("bad") }) == false }
        }
        let left = try names("spool/incoming").count
        #expect(isTaken, "\(left) are left")
        #expect(daemon.isRunning && client.isRunning)
        #expect(try peak(daemon.pid) < 256 << 10)
        let rejected = try names("spool/rejected")
        for number in 0..<bad {
            #expect(rejected.contains("bad\(number).zip") && rejected.contains("bad\(number).zip.reason.json"))
            #expect(!rejected.contains("bad\(number)-2.zip.reason.json"), "bad\(number).zip was refused twice")
            if number % 4 == 1 { #expect(rejected.contains("bad\(number).zip.json")) }
            if number % 4 == 3 { #expect(rejected.contains("bad\(number).zip.sig")) }
        }
        #expect(!host.exists("state/jobs/6"), "none was taken twice")
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.6")
    }
}

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `A spool whose disk is full` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.write("settle: 0s\n", "etc/patchd.yaml")
        let mounted = try Installation.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "none", "\(host.root)/spool"])
        try #require(mounted.code == 0, "\(mounted.errors)")
        try host.once()
    }

    deinit { umount2("\(host.root)/spool", Int32(MNT_DETACH)) }

    @Test func `keeps no good archive from being applied, and loses none that is refused`() throws {
        let incoming = "\(host.root)/spool/incoming"
        try ExampleUpdate().pack(to: "\(incoming)/good.zip")
        for (name, user) in [("bad", uid_t(65534)), ("also", 65533)] {
            try host.write("no zip", "spool/incoming/\(name).zip")
            #expect(chown("\(incoming)/\(name).zip", user, user) == 0)
        }
        #expect(
            symlink("/etc/passwd", "\(incoming)/link.zip") == 0 && lchown("\(incoming)/link.zip", 65532, 65532) == 0)
        host.fill("spool/rejected")
        let full = try host.once()
        #expect(full.code == 1)
        #expect(try host.job(1)["state"] as? String == "done", "\(full.errors)")
        // There is room for one where the good one lay.
        for name in ["bad", "also", "link"] {
            let isMoved = host.exists("spool/rejected/\(name).zip")
            #expect(isMoved == host.exists("spool/rejected/\(name).zip.reason.json"), "\(name)")
        }
        try FileManager.default.removeItem(atPath: "\(host.root)/spool/rejected/fill")
        #expect(try host.once().code == 1)
        let rejected = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected")
        #expect(
            rejected.sorted() == ["also", "bad", "link"].flatMap { ["\($0).zip", "\($0).zip.reason.json"] })
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake") == [])
        #expect(!host.exists("state/jobs/2"))
    }
}
