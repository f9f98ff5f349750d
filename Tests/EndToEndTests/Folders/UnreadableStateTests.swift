import Foundation
import Support
import Testing

/// What cannot be read is never taken for something that is not there, and has a way out.
@Suite struct `State that cannot be read` {
    let host: Installation

    init() throws { host = try Installation() }

    private func drop(_ update: ExampleUpdate, as name: String = "update.zip") throws {
        try update.pack(to: "\(host.root)/spool/incoming/\(name)")
    }

    /// One that fails in SEED until there is a file `fixed`.
    private func failing() -> ExampleUpdate {
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/upgrades/8.0.2.sh"] = "test $PATCHD_FOLDER != SEED || test -e fixed\n"
        return update
    }

    private var locked: [String] { host.folders.filter { host.exists("srv/\($0)/update.lock") } }

    /// Which configuration was in effect: it was taken for none, so that a folder whose entry was removed or moved meanwhile lost
    /// its lock, and the archive that its job holds was removed.
    @Test(arguments: ["", "{", "\u{0}\u{0}"], ["removed", "moved", "gone", "renamed"])
    func `of an endpoint in whose middle a job is lets nothing go there`(text: String, change: String) throws {
        try host.write("retain: 1\n", "etc/patchd.yaml")
        try host.write("old\n", "other/A/a")
        let owner = geteuid() == 0 ? "owner: root\n" : ""
        try host.configure("payroll", settings: "accepts: [X3V8_P2]\n")
        try host.write(
            "endpoint: other\npath: \(host.root)/other\naccepts: [OTHER]\n\(owner)folders: [{name: A, version: 8.0.1}]\n",
            "etc/endpoints.d/other.yaml")
        try drop(failing())
        #expect(try host.once().code == 1)
        #expect(locked == ["SEED"])
        let place = "state/configuration/payroll.json"
        let file = "etc/endpoints.d/payroll.yaml"
        let (whole, before) = (try host.read(file), try host.read(place))
        try host.write(text, place)
        let entry = "  - {name: SEED, parent: PAIE}\n"
        switch change {
        case "removed": try host.write(whole.replacing(entry, with: ""), file)
        case "moved":
            try FileManager.default.createDirectory(atPath: "\(host.root)/srv/OTHER", withIntermediateDirectories: true)
            try host.write(whole.replacing(entry, with: "  - {name: SEED, parent: PAIE, path: OTHER}\n"), file)
        case "renamed": try host.write(whole.replacing("endpoint: payroll\n", with: "endpoint: pay2\n"), file)
        default: try FileManager.default.removeItem(atPath: "\(host.root)/\(file)")
        }
        for version in 2...4 {
            var update = ExampleUpdate(version: "8.0.\(version)", dependency: "8.0.\(version - 1)")
            update.name = "OTHER"
            update.files = ["X3V8_P2/FILPATCH/a": "\(version)\n", "X3V8_P2BIS/FILPATCH/b": "b\n"]
            try drop(update)
            let outcome = try host.once()
            #expect(outcome.code == 1 && outcome.errors.contains("payroll.json"), "\(outcome.errors)")
            #expect(outcome.errors.contains("move it away"), "\(outcome.errors)")
        }
        #expect(try host.read("other/A/a") == "4\n", "the other endpoint goes on")
        #expect(locked == ["SEED"])
        #expect(try host.run("patchctl", "wait", "--timeout", "0s", "payroll/SEED").code == 5)
        let archive = try #require(try host.job(1)["sha256"] as? String)
        #expect(host.exists("state/archives/\(archive)"), "the job that holds SEED needs it")
        // Both put back, it goes on.
        try host.write(before, place)
        try host.write(whole, file)
        try host.write("", "srv/SEED/fixed")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(locked == [])
    }

    @Test func `of an endpoint can be moved away where no folder is locked`() throws {
        try drop(ExampleUpdate())
        #expect(try host.once().code == 0)
        try host.write("{", "state/configuration/payroll.json")
        let refused = try host.ask(#"{"command": "baseline", "target": "payroll/SEED", "version": "8.0.5"}"#)
        #expect((refused["message"] as? String)?.contains("left alone") == true, "\(refused)")
        try FileManager.default.removeItem(atPath: "\(host.root)/state/configuration/payroll.json")
        try drop(ExampleUpdate(version: "8.0.3", dependency: "8.0.2"))
        #expect(try host.once().code == 0)
        #expect(try host.json("state/endpoints/payroll/SEED.json")["version"] as? String == "8.0.3")
    }

    /// What checking an archive found: the same drop again left a claim that could not be brought to its end, behind which nothing
    /// of that user was taken any more.
    @Test(arguments: ["cut", "", "gone", "tree", "all"])
    func `of an archive is found again when that is dropped again, and holds up no other drop`(damage: String) throws {
        try failing().pack(to: "\(host.root)/update.zip")
        func copy(to name: String) throws {
            try FileManager.default.copyItem(
                atPath: "\(host.root)/update.zip", toPath: "\(host.root)/spool/incoming/\(name)")
        }
        try copy(to: "update.zip")
        #expect(try host.once().code == 1)
        let place = "state/archives/\(try #require(try host.job(1)["sha256"] as? String))/contents"
        let whole = try host.read(place)
        switch damage {
        case "cut": try host.write(String(whole.dropLast(9)), place)
        case "gone": try FileManager.default.removeItem(atPath: "\(host.root)/\(place)")
        case "tree", "all":
            let kept = (place as NSString).deletingLastPathComponent + (damage == "tree" ? "/tree" : "")
            try FileManager.default.removeItem(atPath: "\(host.root)/\(kept)")
            #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
            #expect((try host.job(1)["message"] as? String)?.contains("drop it again") == true)
        default: try host.write("", place)
        }
        try host.write("", "srv/SEED/fixed")
        try copy(to: "again.zip")
        try drop(ExampleUpdate(version: "8.0.3", dependency: "8.0.2"), as: "other.zip")
        let outcome = try host.once()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try host.read(place) == whole)
        #expect(try host.job(1)["state"] as? String == "done" && host.job(2)["state"] as? String == "done")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(host.root)/state/intake") == [])
    }

    @Test func `of a drop that was taken keeps those that came after it from nothing`() throws {
        try host.once()
        // As a kill leaves it, then somebody its archive.
        try host.write(
            #"{"schema":1,"id":"1","file":"a.zip","device":1,"inode":1,"changed":1,"modified":1,"owner":\#(geteuid()),"sha256":"x","at":"2026-11-21T10:15:00.123Z"}"#,
            "state/intake/1/claim.json")
        try FileManager.default.createDirectory(
            atPath: "\(host.root)/state/intake/1/options.json", withIntermediateDirectories: true)
        try drop(ExampleUpdate())
        let outcome = try host.once()
        #expect(outcome.code == 1 && outcome.errors.contains("cannot take"), "\(outcome.errors)")
        #expect(try host.job(1)["state"] as? String == "done")
        #expect(host.exists("state/intake/1/claim.json"))
    }

    @Test func `of a job that was done is no reason to say that its originals are gone`() throws {
        try drop(ExampleUpdate())
        #expect(try host.once().code == 0)
        let place = "state/jobs/1/ledger/SEED2"
        let ledger = try host.read(place)
        try host.write("x" + ledger, place)
        var update = ExampleUpdate()
        update.files["X3V8_P2/FILPATCH/downgrades/8.0.2.sh"] = "true\n"
        #expect(
            try host.ask(#"{"command": "rollback", "endpoint": "payroll", "folder": "SEED2"}"#)["ok"] as? Bool == true)
        let job = try host.job(2)
        let message = job["message"] as? String ?? ""
        #expect(job["state"] as? String == "failed" && job["code"] as? String == "io")
        #expect(message.contains("is damaged") && !message.contains("no longer kept"), "\(message)")
        #expect(locked == [])
    }

    @Test func `of what a worker is to do is told at once, and the job goes on when it is put back`() throws {
        try drop(failing())
        #expect(try host.once().code == 1)
        let place = "state/jobs/1/orders/SEED"
        let whole = try host.read(place)
        try host.write(String(whole.dropLast(20)), place)
        try host.write("", "srv/SEED/fixed")
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        let message = try host.job(1)["message"] as? String ?? ""
        #expect(message.contains("orders/SEED") && message.contains("is damaged"), "\(message)")
        #expect(locked == ["SEED"])
        try host.write(whole, place)
        #expect(try host.ask(#"{"command": "resume", "job": 1}"#)["ok"] as? Bool == true)
        #expect(try host.job(1)["state"] as? String == "done")
    }
}
