import Foundation
import Support
import Testing

/// An ssh that runs the command on this host, as the other one would.
@Suite struct `patchctl -H` {
    let host: Installation

    init() throws {
        host = try Installation()
        try host.once()
        try host.write(
            "#!/bin/sh\necho \"$@\" >>\(host.root)/asked\nwhile [ \"$1\" != -- ]; do shift; done\nshift; shift\nexec sh -c \"$*\"\n",
            "bin/ssh")
        chmod("\(host.root)/bin/ssh", 0o755)
        symlink(host.program("patchctl"), "\(host.root)/bin/patchctl")
    }

    private func run(_ arguments: String...) throws -> Installation.Outcome {
        try Installation.run(
            host.program("patchctl"), host.placed(arguments), environment: ["PATH": "\(host.root)/bin:/usr/bin:/bin"])
    }

    @Test(arguments: [["-H", "chief@other"], ["-Hchief@other"], ["--host", "chief@other"], ["--host=chief@other"]])
    func `runs the command there, with its words as they are`(option: [String]) throws {
        let reason = "month's end; $(touch \(host.root)/broken) \"now\""
        let outcome = try Installation.run(
            host.program("patchctl"), host.placed(option + ["hold", "payroll", "--reason", reason]),
            environment: ["PATH": "\(host.root)/bin:/usr/bin:/bin"])
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try host.read("spool/holds/payroll.lock") == reason + "\n")
        #expect(!host.exists("broken"))
        #expect(try host.read("asked").hasPrefix("-- chief@other patchctl hold payroll --reason "))
    }

    @Test func `sends the file along, and gives the other's exit code`() throws {
        try ExampleUpdate().pack(to: "\(host.root)/8.0.2.zip")
        let submitted = try run("-H", "other", "submit", "\(host.root)/8.0.2.zip", "--exclude", "SEED")
        #expect(submitted.code == 69, "\(submitted)")
        #expect(host.exists("spool/incoming/8.0.2.zip"))
        #expect(try host.json("spool/incoming/8.0.2.zip.json")["exclude"] as? [String] == ["SEED"])
        let same = FileManager.default.contentsEqual(
            atPath: "\(host.root)/8.0.2.zip", andPath: "\(host.root)/spool/incoming/8.0.2.zip")
        #expect(same)
        #expect(try run("-H", "other", "lint", "\(host.root)/8.0.2.zip").code == 0)
        #expect(try run("-H", "other", "plan", "\(host.root)/8.0.2.zip").code == 0)
    }

    @Test(arguments: [
        ["-H"], ["-H", "-oProxyCommand=x", "status"], ["-H", "other", "nonsense"], ["--host=", "status"],
    ])
    func `refuses what is wrong before it asks the other host`(arguments: [String]) throws {
        let outcome = try Installation.run(
            host.program("patchctl"), arguments, environment: ["PATH": "\(host.root)/bin:/usr/bin:/bin"])
        #expect(outcome.code == 2, "\(outcome)")
        #expect(!host.exists("asked"))
    }
}
