import Foundation
import Support
import Testing

@Suite(.enabled(if: geteuid() == 0, "needs root to give folders away")) struct `Folders of another user` {
    @Test func `are updated as that user, whose files stay theirs`() throws {
        let host = try Installation()
        let user = try #require(getpwnam("games")).pointee
        let lines = Installation.tree.map { name, parent in
            "  - {name: \(name)\(parent.map { ", parent: \($0)" } ?? ", version: 8.0.1")}"
        }
        try host.write(
            "endpoint: payroll\npath: \(host.root)/srv\nfolders:\n" + lines.joined(separator: "\n") + "\n",
            "etc/endpoints.d/payroll.yaml")
        _ = try Installation.run("/bin/chown", ["-R", "games:games", "\(host.root)/srv"])
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "id -un > who\n"
        try update.pack(to: "\(host.root)/spool/incoming/update.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        for folder in host.folders {
            #expect(try host.read("srv/\(folder)/who") == "games\n")
            var status = stat()
            #expect(lstat("\(host.root)/srv/\(folder)/lib/a.dat", &status) == 0)
            #expect(status.st_uid == user.pw_uid)
        }
    }

    @Test func `that changed hands since patchd first saw them are not touched`() throws {
        let host = try Installation()
        try host.once()
        try host.configure("payroll", settings: "")
        let text = try host.read("etc/endpoints.d/payroll.yaml").replacingOccurrences(of: "owner: root\n", with: "")
        try host.write(text, "etc/endpoints.d/payroll.yaml")
        _ = try Installation.run("/bin/chown", ["-R", "games:games", "\(host.root)/srv"])
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        #expect(try host.once().code == 1)
        #expect(try host.json("state/jobs/1/job.json")["code"] as? String == "ownership")
    }
}
