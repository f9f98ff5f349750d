import Foundation
import Support
import Testing

@Suite(.enabled(if: geteuid() == 0, "a file system of its own needs root"))
final class `A job whose state's disk is full` {
    let host: Installation

    init() throws {
        host = try Installation()
        let mounted = try Installation.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=8m", "none", "\(host.root)/state"])
        try #require(mounted.code == 0, "\(mounted.errors)")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "touch waiting; until [ -e \(host.root)/go ]; do sleep 0.05; done; echo ran >> ran\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
    }

    deinit { umount2("\(host.root)/state", Int32(MNT_DETACH)) }

    private func fill() {
        let file = open("\(host.root)/state/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [65536, 1024, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while write(file, block, size) > 0 {}
        }
    }

    /// The daemon tried it again at once and without end, 34 times a second, with two lines in the journal each time.
    @Test func `goes on by itself once there is room, and fills no journal until then`() throws {
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("in mid-update") { host.exists("srv/PAIE/waiting") })
        fill()
        try host.write("", "go")
        #expect(host.until("told") { daemon.errors.contains("cannot end job 1") })
        #expect(host.exists("srv/PAIE/update.lock") && host.exists("srv/SEED/update.lock"))
        try FileManager.default.removeItem(atPath: "\(host.root)/state/fill")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        let lines = daemon.errors.split(separator: "\n").filter { $0.contains("cannot end job 1") }
        #expect(lines.count < 4, "\(lines.count)")
        #expect(daemon.errors.contains("mend that"))
        for folder in host.folders { #expect(try host.read("srv/\(folder)/ran") == "ran\n") }
    }

    @Test func `is left by a single run, and gone on with by the next`() throws {
        let first = try RunningProgram(host.program("patchd"), host.placed(["--once"]))
        #expect(host.until("in mid-update") { host.exists("srv/PAIE/waiting") })
        fill()
        try host.write("", "go")
        #expect(first.end() == 1, "\(first.errors)")
        #expect(host.exists("srv/PAIE/update.lock"))
        try FileManager.default.removeItem(atPath: "\(host.root)/state/fill")
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEEDPROD2.json")["version"] as? String == "8.0.2")
    }
}
