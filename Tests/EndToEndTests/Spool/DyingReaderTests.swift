import Foundation
import Support
import Testing

/// The first three readers of archives die: those of the first archive. The daemon finds its worker beside itself.
@Suite struct `A reader that dies of an archive` {
    let host: Installation

    init() throws {
        host = try Installation()
        try FileManager.default.createDirectory(atPath: "\(host.root)/bin", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: host.program("patchd"), toPath: "\(host.root)/bin/patchd")
        try host.write("", "seen/readers")
        chmod("\(host.root)/seen/readers", 0o666)
    }

    @Test(arguments: ["kill -9 $$", "kill -6 $$", "head -c 100000 /dev/zero; exit 1"])
    func `has it refused, and the next one is checked and applied`(end: String) throws {
        try host.write(
            """
            #!/bin/sh
            if [ "$1" = unpack ]; then
                echo reads >> \(host.root)/seen/readers
                if [ "$(grep -c reads \(host.root)/seen/readers)" -le 3 ]; then echo; \(end); fi
            fi
            exec \(host.program("patchd-worker")) "$@"

            """, "bin/patchd-worker")
        chmod("\(host.root)/bin/patchd-worker", 0o755)
        let arguments = host.placed(["--once"])
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/first.zip")
        let refused = try Installation.run("\(host.root)/bin/patchd", arguments)
        #expect(refused.code == 1, "\(refused)")
        let reason = try host.json("spool/rejected/first.zip.reason.json")
        #expect(reason["code"] as? String == "archiveMalformed")
        #expect((reason["reason"] as? String ?? "").contains("three times"), "\(reason)")
        #expect(try host.read("srv/SEED/lib/a.dat") == "old\n")
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/second.zip")
        let done = try Installation.run("\(host.root)/bin/patchd", arguments)
        #expect(done.code == 0, "\(done)")
        #expect(try host.read("srv/SEED/lib/a.dat") == "new a\n")
    }
}
