import Foundation
import Support
import Testing

/// One folder's trouble is that folder's and its descendants' (guarantee 6).
@Suite(.enabled(if: geteuid() == 0, "file systems of their own need root"))
final class `One folder's trouble` {
    let host: Installation
    private var mounts: [String] = []

    init() throws { host = try Installation() }

    deinit { for mount in mounts.reversed() { umount2(mount, Int32(MNT_DETACH)) } }

    private func mount(_ arguments: [String], on folder: String) throws {
        let path = "\(host.root)/srv/\(folder)"
        let mounted = try Installation.run("/bin/mount", arguments + [path])
        try #require(mounted.code == 0, "\(mounted.errors)")
        mounts.append(path)
        try host.write("old\n", "srv/\(folder)/lib/a.dat")
    }

    @Test func `with a disk that runs full under its script keeps no sibling locked, and the job ends`() throws {
        try mount(["-t", "tmpfs", "-o", "size=2m", "none"], on: "SEED")
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] =
            "if [ $PATCHD_FOLDER = SEED ]; then cat /dev/zero > full 2>/dev/null; exit 1; fi\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.job(1)["state"] as? String == "failed")
        #expect(try host.json("srv/SEED/update.lock")["phase"] as? String == "failed")
        for folder in ["PAIE", "SEED2", "SEEDPROD", "SEEDPROD2"] {
            #expect(!host.exists("srv/\(folder)/update.lock"), "\(folder)")
            #expect(try host.json("state/endpoints/payroll/\(folder).json")["version"] as? String == "8.0.2")
        }
        // Still full, it can be unlocked.
        #expect(try host.ask(#"{"command": "resume", "job": 1, "skip": ["SEED"]}"#)["ok"] as? Bool == true)
    }

    @Test func `with a file system that does not answer holds up no other endpoint, and the loop answers`() throws {
        // A second endpoint on the same host, one of whose folders lies on a file system whose server is stopped.
        let back = "\(host.root)/back"
        for path in [back, "\(host.root)/erp/ERP", "\(host.root)/erp/SUB"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let mount = "\(host.root)/erp/SUB"
        let server = try RunningProgram("/usr/bin/bindfs", ["-f", back, mount])
        defer {
            server.send(SIGKILL)
            umount2(mount, Int32(MNT_DETACH))
        }
        #expect(
            host.until("mounted") {
                (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).contains(mount)) == true
            })
        try host.configure("payroll", settings: "accepts: [\"X3V8_P2\"]\n")
        try host.write(
            """
            endpoint: erp
            path: \(host.root)/erp
            accepts: ["ERP_*"]
            owner: root
            folders:
              - {name: ERP, version: 1.0}
              - {name: SUB, parent: ERP}

            """, "etc/endpoints.d/erp.yaml")
        server.send(SIGSTOP)
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(host.until("done beside it") { (try? host.job(1)["state"] as? String) == "done" })
        try host.request(#"{"command": "gc"}"#, as: "gc.json")
        #expect(host.until("answered beside it") { host.exists("spool/requests/done/gc.json") })
    }
}
