import Foundation
import Support
import Testing

@Suite struct `patchctl sign` {
    let host: Installation
    let keys: SigningKeys
    private var archive: String { "\(host.root)/update.zip" }

    init() throws {
        host = try Installation()
        keys = try SigningKeys(in: host.root)
        try keys.make("vendor")
        try ExampleUpdate().pack(to: "\(host.root)/update.zip")
    }

    private func allow() throws { try host.write("vendor@acme \(keys.line("vendor"))\n", "etc/allowed_signers") }

    @Test func `writes a signature that is taken, and replaces none`() throws {
        let signed = try host.run("patchctl", "sign", archive, "--key", keys.path("vendor"))
        #expect(signed.code == 0 && signed.output == archive + ".sig\n", "\(signed)")
        let before = try host.read("update.zip.sig")
        let again = try host.run("patchctl", "sign", archive, "--key", keys.path("vendor"))
        #expect(again.code == 4 && again.errors.contains("update.zip.sig exists"), "\(again)")
        #expect(try host.read("update.zip.sig") == before)
        try allow()
        let submitted = try host.run("patchctl", "submit", archive)
        #expect(submitted.code == 69 && !submitted.errors.contains("there is no update.zip.sig"), "\(submitted)")
        #expect(try host.read("spool/incoming/update.zip.sig") == before)
        #expect(try host.once().code == 0)
        #expect(try host.job(1)["signer"] as? String == "vendor@acme")
    }

    @Test func `quotes ssh-keygen where it does not sign, and says where it is not installed`() throws {
        let none = try host.run("patchctl", "sign", archive, "--key", keys.path("nobody"))
        #expect(none.code == 4 && none.errors.contains("nobody: No such file or directory"), "\(none)")
        let bad = try host.run("patchctl", "sign", archive, "--key", archive)
        #expect(bad.code == 4 && bad.errors.contains("ssh-keygen did not sign"), "\(bad)")
        let gone = try Installation.run(
            host.program("patchctl"), host.placed(["sign", archive, "--key", keys.path("vendor")]),
            environment: ["PATH": "/nonexistent"])
        #expect(gone.code == 1 && gone.errors.contains("apt install openssh-client"), "\(gone)")
        #expect(try host.run("patchctl", "sign", host.root, "--key", keys.path("vendor")).code == 4)
        #expect(!host.exists("update.zip.sig"))
    }

    @Test func `is what pack does with a key, before the archive has its name`() throws {
        try FileManager.default.createDirectory(atPath: "\(host.root)/source", withIntermediateDirectories: true)
        let unpacked = try Installation.run("/usr/bin/bsdtar", ["-xf", "../update.zip"], in: "\(host.root)/source")
        try #require(unpacked.code == 0, "\(unpacked.errors)")
        func pack(_ key: String) throws -> Installation.Outcome {
            try Installation.run(
                host.program("patchctl"), host.placed(["pack", "source", "-o", "out.zip", "--sign", key]), in: host.root
            )
        }
        let failed = try pack(keys.path("nobody"))
        #expect(failed.code == 4, "\(failed)")
        #expect(!host.exists("out.zip") && !host.exists("out.zip.sig"))
        for _ in 1...2 { #expect(try pack(keys.path("vendor")).code == 0) }
        try allow()
        let plan = try host.run("patchctl", "plan", "\(host.root)/out.zip")
        #expect(plan.code == 0 && plan.errors.contains("signed by vendor@acme"), "\(plan)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.root).filter { $0.hasPrefix(".") } == [])
    }

    @Test func `is asked for by plan, lint and test where this host takes signed archives only`() throws {
        try host.once()
        #expect(try host.run("patchctl", "lint", archive).code == 0)
        try allow()
        let chain = ["test", archive, "--rehearse", "--from", "8.0.1"]
        for arguments in [["plan", archive], ["lint", archive], chain] {
            let outcome = try Installation.run(host.program("patchctl"), host.placed(arguments))
            #expect(outcome.code == 4 && (outcome.output + outcome.errors).contains("signatureMissing"), "\(outcome)")
        }
        let noted = try host.run("patchctl", "submit", archive)
        #expect(noted.errors.contains("there is no update.zip.sig"), "\(noted)")
        try keys.make("stranger")
        try keys.sign(archive, by: "stranger")
        for arguments in [["plan", archive], ["lint", archive], chain] {
            let outcome = try Installation.run(host.program("patchctl"), host.placed(arguments))
            #expect(outcome.code == 4 && (outcome.output + outcome.errors).contains("signatureInvalid"), "\(outcome)")
        }
        try keys.sign(archive, by: "vendor")
        let lint = try host.run("patchctl", "lint", archive)
        #expect(lint.code == 0 && lint.errors.contains("signed by vendor@acme"), "\(lint)")
        #expect(try host.run("patchctl", "plan", archive).code == 0)
    }

    @Test func `has its signature sent to another host`() throws {
        try host.write(
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift; shift\nexec sh -c \"$*\"\n", "bin/ssh")
        chmod("\(host.root)/bin/ssh", 0o755)
        symlink(host.program("patchctl"), "\(host.root)/bin/patchctl")
        try keys.sign(archive, by: "vendor")
        try allow()
        let environment = ["PATH": "\(host.root)/bin:/usr/bin:/bin"]
        let plan = try Installation.run(
            host.program("patchctl"), host.placed(["-H", "other", "plan", archive]), environment: environment)
        #expect(plan.code == 0 && plan.errors.contains("signed by vendor@acme"), "\(plan)")
        let submitted = try Installation.run(
            host.program("patchctl"), host.placed(["-H", "other", "submit", archive]), environment: environment)
        #expect(submitted.code == 69, "\(submitted)")
        #expect(try host.read("spool/incoming/update.zip.sig") == host.read("update.zip.sig"))
    }

    @Test func `is by keys that config check looks at`() throws {
        try host.write("vendor@acme\n", "etc/allowed_signers")
        chmod("\(host.root)/etc/allowed_signers", 0o666)
        let outcome = try host.run("patchctl", "config", "check")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(outcome.errors.contains("warning: allowed_signers:1:1: ssh-keygen passes this line over"), "\(outcome)")
        #expect(
            outcome.errors.contains("warning: allowed_signers: others than its owner may write to it"), "\(outcome)")
    }
}
