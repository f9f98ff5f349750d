import Foundation
import Support
import Testing

/// With real keys, and signatures that `ssh-keygen` makes and checks.
@Suite struct `A signed archive` {
    let host: Installation
    let keys: SigningKeys

    init() throws {
        host = try Installation()
        keys = try SigningKeys(in: host.root)
    }

    private var incoming: String { "\(host.root)/spool/incoming" }

    private func allow(_ lines: String...) throws {
        try host.write(lines.map { $0 + "\n" }.joined(), "etc/allowed_signers")
    }

    /// An archive beside the spool, with its signature where a key is given.
    private func make(
        _ name: String = "update.zip", _ update: ExampleUpdate = ExampleUpdate(), by key: String? = nil,
        namespace: String = "patchd"
    ) throws {
        try? FileManager.default.removeItem(atPath: "\(host.root)/\(name)")
        try update.pack(to: "\(host.root)/\(name)")
        if let key { try keys.sign("\(host.root)/\(name)", by: key, namespace: namespace) }
    }

    private func drop(_ name: String) throws {
        try #require(rename("\(host.root)/\(name)", "\(incoming)/\(name)") == 0)
    }

    /// The signature first: the archive is the trigger.
    private func dropSigned(_ name: String = "update.zip") throws {
        try drop(name + ".sig")
        try drop(name)
    }

    private func code(_ name: String = "update.zip") throws -> String? {
        try host.json("spool/rejected/\(name).reason.json")["code"] as? String
    }

    private func reason(_ name: String = "update.zip") throws -> String {
        try host.json("spool/rejected/\(name).reason.json")["reason"] as? String ?? ""
    }

    private func touchedNothing() throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/archives").isEmpty
            && FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake").isEmpty
            && !host.exists("state/jobs/1") && host.read("srv/PAIE/lib/a.dat") == "old\n"
    }

    @Test func `is applied, and who signed it stands in job, show, audit record, log and notice`() throws {
        try host.write("notify: \"cat >> \(host.root)/told\"\n", "etc/patchd.yaml")
        try keys.make("vendor")
        try allow("# whom we trust", "vendor@acme,other@acme \(keys.line("vendor"))")
        try make(by: "vendor")
        try dropSigned()
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.read("srv/SEEDPROD2/lib/a.dat") == "new a\n")
        let job = try host.job(1)
        #expect(job["signer"] as? String == "vendor@acme")
        #expect(outcome.errors.contains("from update.zip, signed by vendor@acme"), "\(outcome.errors)")
        #expect(try host.read("state/audit.jsonl").contains(#""signer":"vendor@acme""#))
        #expect(try host.read("told").contains(#""signer":"vendor@acme""#))
        #expect(try host.run("patchctl", "show", "1", "--json").output.contains(#""vendor@acme""#))
        #expect(try host.run("patchctl", "show", "1").output.contains("vendor@acme"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty)
        // What was verified is what is kept, and can be verified again.
        let place = "\(host.root)/state/archives/\(try #require(job["sha256"] as? String))"
        try Command.tool(
            "/bin/sh", "-c",
            "ssh-keygen -Y verify -n patchd -I vendor@acme -f \(host.root)/etc/allowed_signers -s \(place)/archive.zip.sig <\(place)/archive.zip"
        )
    }

    @Test(arguments: ["rsa", "ecdsa", "certificate"]) func `may be signed by any key of ssh-keygen's`(kind: String)
        throws
    {
        if kind == "certificate" {
            try keys.make("authority")
            try keys.make("vendor")
            try keys.certify("vendor", by: "authority", as: "release@acme")
            try allow("*@acme cert-authority,namespaces=\"patchd\" \(keys.line("authority"))")
            try make()
            try keys.sign("\(host.root)/update.zip", by: "vendor-cert.pub")
        } else {
            try keys.make("vendor", type: kind)
            try allow("release@acme valid-after=\"20200101\" \(keys.line("vendor"))")
            try make(by: "vendor")
        }
        try dropSigned()
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.job(1)["signer"] as? String == "release@acme")
    }

    static let bad = [
        "unknown", "expired", "not yet", "namespace", "other namespace", "revoked", "revoked authority", "tampered",
        "other's",
        "garbage", "empty", "half", "huge", "fifo", "link", "directory", "no signers", "empty signers", "name",
    ]

    @Test(arguments: Self.bad) func `is refused where its signature does not count, and nothing is touched`(
        kind: String
    ) throws {
        try keys.make("vendor")
        try keys.make("stranger")
        let line = try keys.line("vendor")
        let sidecar = "\(host.root)/update.zip.sig"
        try allow("vendor@acme \(line)")
        try make(by: kind == "unknown" ? "stranger" : "vendor", namespace: kind == "namespace" ? "git" : "patchd")
        switch kind {
        case "expired": try allow("vendor@acme valid-before=\"20200101\" \(line)")
        case "not yet": try allow("vendor@acme valid-after=\"21000101\" \(line)")
        case "other namespace": try allow("vendor@acme namespaces=\"git,file\" \(line)")
        case "revoked": try host.write("\(line)\n", "etc/revoked_keys")
        case "revoked authority":
            try keys.certify("vendor", by: "stranger", as: "vendor@acme")
            try allow("* cert-authority \(keys.line("stranger"))")
            try keys.sign("\(host.root)/update.zip", by: "vendor-cert.pub")
            try host.write(keys.line("stranger"), "etc/revoked_keys")
        case "name":
            try keys.certify("vendor", by: "stranger", as: "somebody@else")
            try allow("*@acme cert-authority \(keys.line("stranger"))")
            try keys.sign("\(host.root)/update.zip", by: "vendor-cert.pub")
        case "tampered", "other's":
            // The second is an archive in order; the first is not even one any more.
            try FileManager.default.moveItem(atPath: sidecar, toPath: "\(host.root)/kept")
            var update = ExampleUpdate()
            update.files["X3V8_P2/FILPATCH/lib/a.dat"] = "evil\n"
            try make("update.zip", update)
            if kind == "tampered" { try host.write("tampered", "update.zip") }
            try FileManager.default.moveItem(atPath: "\(host.root)/kept", toPath: sidecar)
        case "garbage":
            try host.write("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "update.zip.sig")
        case "empty": try host.write("", "update.zip.sig")
        case "half": #expect(truncate(sidecar, 100) == 0)
        case "huge": try host.write(String(repeating: "A", count: 200_000), "update.zip.sig")
        case "fifo", "link", "directory":
            #expect(rename(sidecar, "\(host.root)/good.sig") == 0)
            if kind == "fifo" { #expect(mkfifo(sidecar, 0o600) == 0) }
            if kind == "link" { #expect(symlink("\(host.root)/good.sig", sidecar) == 0) }
            if kind == "directory" { #expect(mkdir(sidecar, 0o755) == 0) }
        case "no signers":
            #expect(unlink("\(host.root)/etc/allowed_signers") == 0)
            try host.write("signature: required\n", "etc/patchd.yaml")
        case "empty signers": try allow("# nobody")
        default: break
        }
        try dropSigned()
        let outcome = try host.once()
        #expect(outcome.code == 1, "\(outcome.errors)")
        #expect(try code() == "signatureInvalid", "\(outcome.errors)")
        #expect(try touchedNothing())
        let expected = [
            "unknown": "No principal matched", "expired": "expired", "namespace": "namespace",
            "other namespace": "namespace", "tampered": "incorrect signature", "other's": "incorrect signature",
            "revoked": "revoked_keys", "garbage": "incomplete message", "name": "no valid principals",
            "huge": "65536 bytes", "fifo": "no plain file", "link": "no plain file", "no signers": "allowed_signers",
            "empty signers": "nobody may sign",
        ]
        let reason = try reason()
        if let expected = expected[kind] { #expect(reason.contains(expected), "\(reason)") }
        #expect(!host.exists("spool/incoming/update.zip"))
        #expect(host.exists("spool/rejected/update.zip"))
        let isFile = !["fifo", "link", "directory", "huge"].contains(kind)
        #expect(host.exists("spool/rejected/update.zip.sig") == isFile, "a signature goes where its archive goes")
    }

    @Test func `has its signature with a single run, or is refused at once`() throws {
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make()
        try drop("update.zip")
        #expect(try host.once().code == 1)
        #expect(try code() == "signatureMissing")
        #expect(try touchedNothing())
        #expect(try host.json("spool/rejected/update.zip.reason.json")["sha256"] as? String != "")
    }

    @Test func `may come before its signature, which is waited for while settle lasts`() throws {
        try host.write("settle: 60s\n", "etc/patchd.yaml")
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make(by: "vendor")
        try make("half.zip", ExampleUpdate(), by: "vendor")
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        try drop("update.zip")
        // Written in place, and cut off for now.
        let text = try host.read("half.zip.sig")
        try host.write(String(text.prefix(120)), "spool/incoming/half.zip.sig")
        try drop("half.zip")
        // Dropped after them, so that both have been looked at when this one is refused.
        try host.write("no archive", "spool/incoming/.last.part")
        try FileManager.default.moveItem(atPath: "\(host.root)/half.zip.sig", toPath: "\(host.root)/last.sig")
        #expect(rename("\(host.root)/last.sig", "\(incoming)/last.zip.sig") == 0)
        #expect(rename("\(incoming)/.last.part", "\(incoming)/last.zip") == 0)
        #expect(host.until("refused") { host.exists("spool/rejected/last.zip.reason.json") })
        #expect(host.exists("spool/incoming/update.zip") && host.exists("spool/incoming/half.zip"))
        #expect(!host.exists("state/jobs/1"))
        try drop("update.zip.sig")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        #expect(try host.job(1)["signer"] as? String == "vendor@acme")
        #expect(host.exists("spool/incoming/half.zip"))
        try host.write(text, "spool/incoming/half.zip.sig")
        #expect(host.until("done") { (try? host.job(2)["state"] as? String) == "done" })
    }

    @Test func `is refused when its signature does not come in that time`() throws {
        try host.write("settle: 1s\nsignature: required\n", "etc/patchd.yaml")
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        let daemon = try host.start()
        defer { daemon.terminate() }
        try make()
        try drop("update.zip")
        #expect(host.until("refused") { host.exists("spool/rejected/update.zip") })
        #expect(try code() == "signatureMissing")
    }

    @Test func `is what is taken from the first key on, also without a reload, and while the keys are written anew`()
        throws
    {
        try host.write("settle: 0s\n", "etc/patchd.yaml")
        try keys.make("vendor")
        let daemon = try RunningProgram(host.program("patchd"), host.placed([]))
        #expect(host.until("ready") { daemon.errors.contains("ready") })
        try make("one.zip")
        try drop("one.zip")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
        #expect(try host.job(1)["signer"] as? String == "")
        // The same archive, which is kept by now.
        try allow("vendor@acme \(keys.line("vendor"))")
        try make("two.zip")
        try drop("two.zip")
        #expect(host.until("refused") { host.exists("spool/rejected/two.zip") })
        #expect(try code("two.zip") == "signatureMissing")
        #expect(!host.exists("state/jobs/2"))
        daemon.send(SIGHUP)
        #expect(host.until("reloaded") { daemon.errors.contains("the configuration was read again") })
        // An editor moves the file away before it writes it anew: what comes meanwhile waits for it.
        #expect(rename("\(host.root)/etc/allowed_signers", "\(host.root)/etc/allowed_signers~") == 0)
        try make("three.zip", ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), by: "vendor")
        try dropSigned("three.zip")
        #expect(host.until("told") { daemon.errors.contains("is gone since the configuration was read") })
        #expect(host.exists("spool/incoming/three.zip") && !host.exists("state/jobs/2"))
        #expect(rename("\(host.root)/etc/allowed_signers~", "\(host.root)/etc/allowed_signers") == 0)
        // Whatever happens in the spool, it is looked through again.
        try host.write("", "spool/incoming/.event")
        #expect(host.until("done") { (try? host.job(2)["state"] as? String) == "done" })
        #expect(try host.job(2)["signer"] as? String == "vendor@acme")
    }

    @Test func `waits while its keys cannot be read`() throws {
        try keys.make("vendor")
        try make(by: "vendor")
        #expect(mkdir("\(host.root)/etc/allowed_signers", 0o755) == 0)
        try dropSigned()
        let outcome = try host.once()
        #expect(
            outcome.code == 1 && outcome.errors.contains("allowed_signers: this is no regular file"),
            "\(outcome.errors)")
        #expect(host.exists("spool/incoming/update.zip") && host.exists("spool/incoming/update.zip.sig"))
        #expect(try touchedNothing())
        #expect(rmdir("\(host.root)/etc/allowed_signers") == 0)
        try allow("vendor@acme \(keys.line("vendor"))")
        #expect(try host.once().code == 0)
        #expect(try host.job(1)["signer"] as? String == "vendor@acme")
    }

    @Test func `that was taken stays so when keys change`() throws {
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make(by: "vendor")
        try host.write("not now", "spool/holds/payroll.lock")
        try dropSigned()
        #expect(try host.once().code == 5)
        try allow("vendor@acme valid-before=\"20200101\" \(keys.line("vendor"))")
        try host.write(keys.line("vendor"), "etc/revoked_keys")
        #expect(unlink("\(host.root)/spool/holds/payroll.lock") == 0)
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
    }

    @Test func `is not looked at where signatures are off`() throws {
        try host.write("signature: off\n", "etc/patchd.yaml")
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make()
        try host.write("garbage", "update.zip.sig")
        try dropSigned()
        #expect(try host.once().code == 0)
        #expect(try host.job(1)["signer"] as? String == "")
    }

    @Test func `that is older, or for others, is refused though its signature is good`() throws {
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make("new.zip", ExampleUpdate(version: "8.0.3", dependency: "8.0.1"), by: "vendor")
        try dropSigned("new.zip")
        #expect(try host.once().code == 0)
        try make("old.zip", by: "vendor")
        try dropSigned("old.zip")
        try host.once()
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.3")
        let states = try #require(host.job(2)["folders"] as? [String: [String: Any]])
        #expect(states.values.allSatisfy { $0["state"] as? String == "upToDate" })
    }

    @Test func `is refused once, whenever the daemon is killed`() throws {
        try keys.make("vendor")
        try allow("vendor@acme valid-before=\"20200101\" \(keys.line("vendor"))")
        try make(by: "vendor")
        try dropSigned()
        let order = ["PATCHD_FAULT_POINT": "patchd:kill:next:\(host.root)/next"]
        var starts = 0
        while try host.once(environment: order).code == 128 + SIGKILL, starts < 500 { starts += 1 }
        #expect(starts > 10)
        let rejected = try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/spool/rejected")
        #expect(rejected.sorted() == ["update.zip", "update.zip.reason.json", "update.zip.sig"])
        #expect(try code() == "signatureInvalid")
        #expect(try touchedNothing())
    }

    @Test(.enabled(if: geteuid() == 0, "files of other users need root"))
    func `is not kept from being taken by what a stranger puts at its signature's name`() throws {
        try keys.make("vendor")
        try allow("vendor@acme \(keys.line("vendor"))")
        try make(by: "vendor")
        try host.write("settle: 60s\n", "etc/patchd.yaml")
        try host.write("garbage\n-----END SSH SIGNATURE-----\n", "spool/incoming/update.zip.sig")
        #expect(chown("\(incoming)/update.zip.sig", 65534, 65534) == 0)
        let daemon = try host.start()
        defer { daemon.terminate() }
        try drop("update.zip")
        #expect(host.until("moved aside") { !host.exists("spool/incoming/update.zip.sig") })
        try drop("update.zip.sig")
        #expect(host.until("done") { (try? host.job(1)["state"] as? String) == "done" })
    }
}

/// What the daemon starts to check a signature.
@Suite struct `The check of a signature` {
    let host: Installation
    let keys: SigningKeys

    init() throws {
        host = try Installation()
        keys = try SigningKeys(in: host.root)
        try keys.make("vendor")
        try host.write("content", "archive.zip")
        try keys.sign("\(host.root)/archive.zip", by: "vendor")
    }

    private func verdict(path: String = "/usr/bin:/bin") throws -> String {
        let log = "\(host.root)/verdict"
        // It does not work for root.
        let user = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        let command = try Command.start(
            (geteuid() == 0 ? user : []) + [
                "/bin/sh", "-c",
                "exec \(host.program("patchd-worker")) signature --in \(host.root) <\(host.root)/archive.zip",
            ], environment: ["PATH": path], output: log, errors: "\(host.root)/errors")
        #expect(command.end(wait: true) == 0)
        return try host.read("verdict")
    }

    @Test func `asks whether the key was valid when the archive was taken`() throws {
        try host.write("vendor@acme valid-before=\"20250101\" \(keys.line("vendor"))\n", "allowed_signers")
        #expect(try verdict().contains("signatureInvalid"), "it is not any more")
        try host.write("2024-12-31T10:00:00.000Z", "time")
        #expect(try verdict().contains(#""signer":"vendor@acme""#))
    }

    @Test func `names the package where ssh-keygen is not installed, and refuses nothing for that`() throws {
        try host.write("vendor@acme \(keys.line("vendor"))\n", "allowed_signers")
        let text = try verdict(path: "/nonexistent")
        #expect(text.contains("apt install openssh-client") && !text.contains("refusal"), "\(text)")
    }
}
