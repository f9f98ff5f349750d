import Foundation
import Support
import Testing

/// Users of each kind: `payroll` owns the folders, `chief` approves, `clerk` may drop files only, `stranger` has no part in
/// it. Each uses the programs as anybody does who is logged in.
@Suite(.bootsMachines) struct `What a user may do` {
    let deployment: Deployment
    private var machine: Machine { deployment.machine }

    init() throws {
        deployment = try Deployment(settings: "approval: required\ngrace: 2s\n")
        try machine.write("/etc/patchd/patchd.yaml", "approvers: payroll-admins\n", mode: 0o640)
        try machine.prepare(
            "chgrp -R patchd /etc/patchd && groupadd payroll-admins && useradd -G patchd,payroll-admins chief && useradd -G patchd clerk && useradd stranger"
        )
        try machine.boot()
        try update("8.0.2", after: "8.0.1")
        try update("8.0.3", after: "8.0.2")
    }

    private func update(_ version: String, after dependency: String) throws {
        var update = ExampleUpdate(version: version, dependency: dependency)
        update.files = update.files.filter { !$0.key.contains("upgrades/") }
        update.files["X3V8_P2/FILPATCH/lib/a.dat"] = "\(version)\n"
        try update.pack(to: machine.path("/srv/\(version).zip"))
        try machine.run("chmod 644 /srv/\(version).zip")
    }

    @discardableResult
    private func run(_ user: String, _ line: String) throws -> Outcome {
        try machine.run("runuser -u \(user) -- sh -c '\(line)'")
    }

    @Test func `depends on who it is: drop, approve, hold, and nothing for a stranger`() throws {
        #expect(try run("stranger", "patchctl submit /srv/8.0.2.zip").code != 0)
        let submitted = try run("clerk", "patchctl submit /srv/8.0.2.zip")
        #expect(submitted.code == 0 && submitted.output == "job 1 on payroll\n", "\(submitted)")
        try deployment.until(job: 1, is: "pendingApproval")
        #expect(try run("clerk", "patchctl trace 1 SEED").code == 0, "before the job has ended, too")

        let refused = try run("clerk", "patchctl approve 1")
        #expect(refused.code == 4 && refused.errors.contains("adduser clerk payroll-admins"), "\(refused)")
        let kept = try run("stranger", "patchctl approve 1")
        #expect(kept.code == 1 && kept.errors.contains("patchd"), "\(kept)")
        #expect(try run("payroll", "patchctl cancel 1").code != 0)
        #expect(try run("clerk", "cat /var/lib/patchd/audit.jsonl").code == 0)
        #expect(try run("stranger", "cat /var/lib/patchd/audit.jsonl").code != 0)
        #expect(try run("stranger", "patchctl status payroll").code == 0)

        // Only the owner's and the approvers' holds count.
        for (user, target) in [("stranger", "ALL"), ("clerk", "payroll"), ("clerk", "payroll/SEED2")] {
            #expect(try run(user, "patchctl hold \(target)").code == 4)
            let file = target.replacingOccurrences(of: "/", with: ".")
            #expect(try run(user, "echo mine >/var/spool/patchd/holds/\(file).lock").code == 0)
        }
        #expect(try run("payroll", "patchctl hold payroll/SEED").code == 0)
        #expect(try run("stranger", "patchctl unhold payroll/SEED").code != 0, "another's file in a sticky directory")
        let sum = try #require(try machine.run("sha256sum /srv/8.0.2.zip").output.split(separator: " ").first)
        #expect(try run("chief", "patchctl approve 1 --sha256 \(String(repeating: "0", count: 64))").code == 4)
        #expect(try run("chief", "patchctl approve 1 --sha256 \(sum)").code == 0)
        try deployment.until(job: 1, is: "waiting")
        let reason = try #require(try deployment.job(1)?["waitingFor"] as? String)
        #expect(reason.contains("the hold on payroll/SEED by payroll"), "\(reason)")
        let status = try run("chief", "patchctl status").output
        #expect(status.contains("waits for the hold on payroll/SEED by payroll"), "\(status)")
        let ignored = try machine.journal().compactMap { $0["MESSAGE"] }.filter { $0.contains("does not count") }
        #expect(
            Set(ignored.compactMap { $0.split(separator: " ").first }) == [
                "holds/ALL.lock", "holds/payroll.lock", "holds/payroll.SEED2.lock",
            ])
        #expect(try run("payroll", "patchctl unhold payroll/SEED").code == 0)
        try deployment.until(job: 1, is: "done")
        #expect(try run("clerk", "patchctl trace 1 SEED").output.contains("done: SEED has 8.0.2"))
        #expect(try run("stranger", "patchctl trace 1 SEED").code != 0)
        try machine.run("echo nothing > /srv/bad.zip; chmod 644 /srv/bad.zip")
        let bad = try run("clerk", "patchctl submit /srv/bad.zip --wait")
        #expect(bad.code == 4 && bad.errors.contains("archiveMalformed"), "\(bad)")

        let audit = try machine.read("/var/lib/patchd/audit.jsonl").split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
        func codes(_ user: String) -> [String] {
            audit.filter { $0["user"] as? String == user }.compactMap { $0["code"] as? String }
        }
        #expect(codes("clerk").contains("notPermitted"))
        #expect(codes("chief") == ["archiveDiffers", ""])
    }

    @Test func `lets an application hand over its own update, which ends it and starts the new one`() throws {
        try machine.run("usermod -aG patchd payroll")
        try machine.write(
            "/srv/app",
            """
            #!/bin/sh
            cat /srv/payroll/SEED/lib/a.dat >>/tmp/ran
            [ -e /tmp/handed ] || { : >/tmp/handed; patchctl submit /srv/8.0.2.zip; }
            exec sleep 1000

            """, mode: 0o755)
        try machine.write(
            "/etc/systemd/system/app.service",
            """
            [Service]
            User=payroll
            ExecStart=/usr/bin/patchctl guard --restart payroll/SEED -- /srv/app

            """)
        try machine.run("systemctl daemon-reload && systemctl start app")
        try deployment.until(job: 1, is: "pendingApproval")
        #expect(try machine.read("/tmp/ran") == "old\n")
        #expect(try run("chief", "patchctl approve 1").code == 0)
        try deployment.until(job: 1, is: "done")
        try machine.until("the new one runs") { try machine.read("/tmp/ran") == "old\n8.0.2\n" }
        #expect(try machine.run("systemctl is-active app").output == "active\n")
        #expect(try run("payroll", "patchctl check payroll/SEED 8.0.2").code == 0)
        #expect(try run("payroll", "patchctl check payroll/SEED 8.0.1").code == 8)
        #expect(try run("payroll", "patchctl check payroll/SEED 9").code == 7)
    }
}
