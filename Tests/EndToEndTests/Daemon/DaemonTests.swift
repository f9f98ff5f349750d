import Foundation
import Support
import Testing

@Suite struct `A daemon that runs` {
    @Test func `takes a drop when it is closed after writing, and not while it grows`() throws {
        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(host.root)/update.zip"))
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("state/endpoints/payroll/SEEDPROD2.json") })
        let path = "\(host.root)/spool/incoming/update.zip"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let growing = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try growing.write(contentsOf: bytes.prefix(bytes.count / 2))
        // Another drop comes and goes meanwhile: the daemon has looked at the directory.
        try host.write("no zip", "spool/incoming/.other.tmp")
        symlink("nowhere", "\(host.root)/spool/incoming/other.zip")
        #expect(host.until("refused") { host.exists("spool/rejected/other.zip.reason.json") })
        #expect(host.exists("spool/incoming/update.zip"))
        try growing.write(contentsOf: bytes.suffix(from: bytes.count / 2))
        try growing.close()
        #expect(
            host.until("done") {
                (try? host.json("state/jobs/1/job.json")["state"] as? String) == "done"
            })
        #expect(try host.read("srv/SEEDPROD2/lib/a.dat") == "new a\n")
    }

    @Test func `keeps a second one away from its state`() throws {
        let host = try Installation()
        let daemon = try host.start()
        defer { daemon.terminate() }
        #expect(host.until("ready") { host.exists("state/endpoints/payroll/SEEDPROD2.json") })
        #expect(try host.once().code == 5)
    }

    @Test func `works on siblings side by side, and on no more folders at once than workers`() throws {
        for (workers, expected) in [(2, 2), (1, 1)] {
            let host = try Installation()
            try host.write("workers: \(workers)\n", "etc/patchd.yaml")
            var update = ExampleUpdate()
            // Each script tells when it is inside; two that meet see each other.
            update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = """
                mkdir "\(host.root)/inside-$PATCHD_FOLDER"
                i=0
                while [ $i -lt \(expected > 1 ? 1500 : 20) ]; do
                    set -- "\(host.root)"/inside-SEED*
                    [ $# -gt "$(cat "\(host.root)/most" 2>/dev/null || echo 0)" ] && [ -e "$1" ] && echo $# > "\(host.root)/most"
                    # Two that are to meet wait for each other; once that has been seen, nobody waits any more.
                    [ \(expected) -gt 1 ] && [ "$(cat "\(host.root)/most" 2>/dev/null || echo 0)" -ge \(expected) ] && break
                    i=$((i + 1)); sleep 0.02
                done
                rmdir "\(host.root)/inside-$PATCHD_FOLDER"

                """
            try update.pack(to: "\(host.root)/spool/incoming/update.zip")
            #expect(try host.once().code == 0)
            #expect(try host.read("most") == "\(expected)\n")
        }
    }
}
